"""Paths in recipes: relative to the file that says them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from lucidtorch.recipes.paths import whole_folder, whole_path
from lucidtorch.recipes.reading.nodes import Node

FIELDS: tuple[tuple[str, ...], ...] = (
    ("weights",),
    ("image",),
    ("images",),
    ("model",),
    ("model", "spec"),
    ("model", "labels"),
    ("model", "mean"),
)
FOLDERS: tuple[tuple[str, ...], ...] = (
    ("images",),
    ("scan",),
    ("data",),
    ("data", "folder"),
    ("data", "root"),
)


def with_whole_paths(root: Node, folder: Path) -> Node:
    """Make paths whole where there is such a file or folder."""
    for key, whole in (*((key, whole_path) for key in FIELDS), *((key, whole_folder) for key in FOLDERS)):
        node, count = root.find(key)
        if count == len(key):
            root = root.put(key, _whole(node, folder, whole))
    return root


def _whole(node: Node, folder: Path, whole: Callable[[str, Path], str]) -> Node:
    if isinstance(node.value, tuple):
        return replace(node, value=tuple(_whole(one, folder, whole_path) for one in node.value))
    return replace(node, value=whole(node.value, folder)) if isinstance(node.value, str) else node
