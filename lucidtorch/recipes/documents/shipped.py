"""The recipes that ship with lucidtorch."""

from __future__ import annotations

from pathlib import Path

LIBRARY = Path(__file__).parents[1] / "library"
SUFFIX = ".yaml"


def shipped_names() -> tuple[str, ...]:
    """Name the recipes that ship."""
    files = (path.relative_to(LIBRARY).with_suffix("").as_posix() for path in LIBRARY.rglob(f"*{SUFFIX}"))
    return tuple(sorted(files, key=lambda name: (name.count("/"), name)))


def shipped_file(name: str) -> Path:
    """Find the file of a recipe that ships."""
    return LIBRARY / f"{name}{SUFFIX}"


def first_comment(name: str) -> str:
    """Read what a recipe that ships says of itself."""
    lines = shipped_file(name).read_text(encoding="utf-8").splitlines()
    return next((line.lstrip("# ") for line in lines if line.startswith("#")), "")
