"""What pyproject.toml asks for is what the package imports, and its lowest versions are the ones that are tested."""

from __future__ import annotations

import ast
import sys
import tomllib
from collections.abc import Iterator
from importlib import metadata
from pathlib import Path

from guards.sources import PACKAGE, ROOT, Source, library
from lowest_versions import lowest_versions

IMPORTED_AS = {"pyyaml": "yaml", "pillow": "PIL", "scikit-learn": "sklearn", "umap-learn": "umap"}
OFFERED = {"IPython"}  # what runs in a notebook finds it there


def imported(source: Source) -> Iterator[str]:
    """The packages outside of the standard library that a file imports, wherever in it."""
    for node in ast.walk(source.tree):
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom) and node.module and not node.level:
            names = [node.module]
        yield from {name.partition(".")[0] for name in names} - sys.stdlib_module_names - {PACKAGE}


def test_what_is_imported_is_asked_for() -> None:
    asked = {IMPORTED_AS.get(name, name.replace("-", "_")) for name in lowest_versions()}
    missing = {f"{source.place}: {name}" for source in library() for name in imported(source) if name not in asked}
    assert not {one for one in missing if one.partition(": ")[2] not in OFFERED}


def test_an_encoder_of_films_is_not_forced_on_anyone() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    assert not [one for one in project["dependencies"] if "ffmpeg" in one]
    assert "film" in project["optional-dependencies"]


def test_here_is_what_pyproject_allows_and_its_lowest_where_that_is_tested() -> None:
    for name, lowest in lowest_versions().items():
        try:
            found = metadata.version(name)
        except metadata.PackageNotFoundError:
            continue  # an extra
        if Path(sys.prefix).name == ".venv-lowest":  # of `make test-lowest`
            assert numbers(found)[: len(numbers(lowest))] == numbers(lowest), name
            assert not any(numbers(found)[len(numbers(lowest)) :]), name
        else:
            assert numbers(found) >= numbers(lowest), name


def numbers(version: str) -> list[int]:
    """The numbers of a release, as far as they are plain."""
    return [int(one) for one in version.split("+")[0].split(".") if one.isdigit()]
