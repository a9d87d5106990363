"""Paths in recipes: relative to the file that says them."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

from lucidtorch.models.sources.file_source import SUFFIX
from lucidtorch.recipes.documents.nodes import Node

FIELDS: tuple[tuple[str, ...], ...] = (
    ("weights",),
    ("image",),
    ("images",),
    ("model",),
    ("model", "spec"),
    ("model", "labels"),
    ("model", "mean"),
)


def with_whole_paths(root: Node, folder: Path) -> Node:
    """Make paths whole where there is such a file.

    Args:
        root: The mapping of a recipe.
        folder: The folder of the file that says it.

    Returns:
        The same with whole paths in the fields that can name files.
    """
    for key in FIELDS:
        node, count = root.find(key)
        if count == len(key):
            root = root.put(key, _whole(node, folder))
    return root


def existing_file(folder: Path, said: str) -> Path | None:
    """Find a file.

    Args:
        folder: Where relative paths start.
        said: Its path; `~` is the user's own folder.

    Returns:
        The file as a path from `folder`; None where there is none, or the text can be no path.
    """
    path = folder / os.path.expanduser(said)  # Path.expanduser raises where there is no such user
    try:
        return path if path.is_file() else None
    except (OSError, ValueError):  # too long, or with a letter that no path has
        return None


def whole_path(text: str, folder: Path) -> str:
    """Make a path whole where there is such a file.

    Args:
        text: A path, with the function behind a Python file or without; or a name.
        folder: Where relative paths start.

    Returns:
        The path from the folder; the text as it is where there is no such file.
    """
    file, function = _cut(text)
    is_word = Path(file).name == file and not Path(file).suffix  # such as vgg16, or default
    path = None if is_word else existing_file(folder, file)
    return text if path is None else f"{path}{function}"


def _whole(node: Node, folder: Path) -> Node:
    if isinstance(node.value, tuple):
        return replace(node, value=tuple(_whole(one, folder) for one in node.value))
    return replace(node, value=whole_path(node.value, folder)) if isinstance(node.value, str) else node


def _cut(text: str) -> tuple[str, str]:
    """Cut the function behind a Python file off."""
    file, colon, function = text.rpartition(":")
    return (file, f":{function}") if colon and file.endswith(SUFFIX) else (text, "")
