"""What the packages give to their users."""

from __future__ import annotations

import ast
import functools
import importlib
import inspect

from guards.imports import modules
from guards.sources import PACKAGE, Definition, Source, library, statements


def faces() -> list[Source]:
    """The packages that state what they give."""
    return [source for source in library() if source.path.name == "__init__.py" and stated(source) is not None]


def stated(source: Source) -> list[str] | None:
    """Read `__all__` from the text; None where there is none."""
    for node in source.tree.body:
        if isinstance(node, ast.Assign) and "__all__" in _targets(node):
            return list(ast.literal_eval(node.value))
    return None


def exposed(source: Source) -> set[str]:
    """Collect the public names that a package binds: imported from the package, loaded when asked for, or defined."""
    names = {bound for bound, _, _ in _imported(source)}
    for node in source.tree.body:
        names |= {node.name} if isinstance(node, Definition) else _targets(node)
    return {name for name in names if not name.startswith("_")}


@functools.cache
def public() -> frozenset[tuple[str, str]]:
    """The functions and classes that the packages give to their users, each with the module that defines it."""
    found = set()
    for face in faces():
        package = importlib.import_module(face.module)
        for name in stated(face) or []:
            thing = getattr(package, name)
            thing = inspect.unwrap(thing) if callable(thing) else thing
            found.add((getattr(thing, "__module__", ""), getattr(thing, "__qualname__", "")))
    return frozenset(found)


def replaced(source: Source) -> list[str]:
    """Say which names of a package are no longer what they were imported as, now that every module is loaded."""
    package = importlib.import_module(source.module)
    imported = _imported(source)
    return [bound for bound, name, home in imported if getattr(package, bound, None) is not _value(home, name)]


def _imported(source: Source) -> list[tuple[str, str, str]]:
    """The names that a package binds of the project, each with what it is called where it comes from, and with that."""
    own = [node for node in statements(source.tree.body) if isinstance(node, ast.ImportFrom) and node.module]
    found = [(alias.asname or alias.name, alias.name, node.module) for node in own for alias in node.names]
    return [one for one in found if one[2].split(".")[0] == PACKAGE]


def _value(home: str, name: str) -> object:
    whole = f"{home}.{name}"
    subpackage = whole in modules() and home == PACKAGE
    return importlib.import_module(whole) if subpackage else getattr(importlib.import_module(home), name)


def _targets(node: ast.stmt) -> set[str]:
    targets = node.targets if isinstance(node, ast.Assign) else [node.target] if isinstance(node, ast.AnnAssign) else []
    return {target.id for target in targets if isinstance(target, ast.Name)}
