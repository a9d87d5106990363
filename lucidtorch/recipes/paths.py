"""Paths that recipes name."""

from __future__ import annotations

import os
from pathlib import Path

from lucidtorch.base.plugins import SUFFIX


def existing_file(folder: Path, said: str) -> Path | None:
    """Find a file."""
    path = folder / os.path.expanduser(said)  # Path.expanduser raises where there is no such user
    try:
        return path if path.is_file() else None
    except (OSError, ValueError):  # too long, or with a letter that no path has
        return None


def whole_path(text: str, folder: Path) -> str:
    """Make a path whole where there is such a file."""
    file, function = _cut(text)
    is_word = Path(file).name == file and not Path(file).suffix  # such as vgg16, or default
    path = None if is_word else existing_file(folder, file)
    return text if path is None else f"{path}{function}"


def whole_folder(text: str, folder: Path) -> str:
    """Make the path of a folder or a file whole where there is one."""
    path = folder / os.path.expanduser(text)
    try:
        return str(path) if path.exists() else text
    except (OSError, ValueError):  # too long, or with a letter that no path has
        return text


def _cut(text: str) -> tuple[str, str]:
    """Cut the function behind a Python file off."""
    file, colon, function = text.rpartition(":")
    return (file, f":{function}") if colon and file.endswith(SUFFIX) else (text, "")
