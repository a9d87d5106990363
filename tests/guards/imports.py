"""Who imports whom inside the package: the layer table, and cycles."""

from __future__ import annotations

import ast
import functools
import graphlib
from collections.abc import Iterator

from guards.sources import PACKAGE, Source, library, row_of

# One direction only, from the top down; the parts of one row never import each other.
ROWS = (
    ("cli",),
    ("recipes",),
    ("galleries",),
    ("scanning",),
    ("rendering",),
    ("objectives", "param", "transforms", "constraints", "analysis", "datasets"),
    ("models",),
    ("runs",),
    ("base",),
)
FREE = ("", "__main__")  # the public face, and `python -m`, which is the command
ALIASES = {"lucidtorch.datasets": "lucidtorch.scanning"}  # `datasets.scan` is `scanning.scan`, loaded when it is used
DIRECTED = ("models",)  # packages whose folders, and the modules beside them, have an order
HEIGHT = {part: len(ROWS) - place for place, row in enumerate(ROWS) for part in row}


@functools.cache
def modules() -> frozenset[str]:
    """The names of all modules and packages."""
    return frozenset(source.module for source in library())


def imports(source: Source) -> Iterator[tuple[ast.stmt, str]]:
    """Go through every import of the package by one of its files, inside functions and for type checking too."""
    for node in ast.walk(source.tree):
        for name in _names(node):
            if name.split(".")[0] == PACKAGE:
                yield node, _module_of(name)


def wrong_direction(source: Source) -> Iterator[str]:
    """Say which imports of a file go up or sideways in the layer table."""
    if source.row in FREE:
        return
    if source.row not in HEIGHT:
        yield f"{source.place} belongs to {source.row!r}, which is not in the layer table"
        return
    for node, name in imports(source):
        row = row_of(name)
        if ALIASES.get(source.module) != name and not _may_import(source.row, row):
            yield f"{source.at(node)} imports {name}: {source.row} may not import {row or 'the public face'}"


def cycle() -> list[str]:
    """Find modules that import each other in a circle.

    Returns:
        The circle, its first module repeated at its end; empty where there is none.
    """
    graph = {
        source.module: {name for _, name in imports(source)} - {source.module, ALIASES.get(source.module)}
        for source in library()
    }
    graph.pop(PACKAGE)  # the public face is imported by nothing, and knows everything
    return _circle(graph)


def circle_of_folders(row: str) -> list[str]:
    """Find folders of a package, or modules beside them, that import each other in a circle.

    Returns:
        The circle, its first part repeated at its end; empty where there is none.
    """
    graph: dict[str, set[str]] = {}
    for source in library():
        part = _part_of(source.module, row)
        if part:  # the face of the package knows all of it
            used = {_part_of(name, row) for _, name in imports(source)}
            graph.setdefault(part, set()).update(used - {part, ""})
    return _circle(graph)


def _part_of(module: str, row: str) -> str:
    """The folder of a package that a module lies in, or the module itself where it lies in none."""
    inside = module.removeprefix(f"{PACKAGE}.{row}.")
    return "" if inside == module else inside.split(".")[0]


def _circle(graph: dict[str, set[str]]) -> list[str]:
    try:
        graphlib.TopologicalSorter(graph).prepare()
    except graphlib.CycleError as error:
        return list(error.args[1])
    return []


def _may_import(upper: str, lower: str) -> bool:
    if lower in FREE:
        return upper == "cli"  # it stands on everything
    return upper == lower or HEIGHT[upper] > HEIGHT.get(lower, len(ROWS))


def _names(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module and not node.level:
        return [f"{node.module}.{alias.name}" for alias in node.names]
    return []


def _module_of(name: str) -> str:
    """The module that an imported name lies in, or is."""
    while name not in modules() and "." in name:
        name = name.rpartition(".")[0]
    return name
