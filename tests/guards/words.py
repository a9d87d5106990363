"""What docstrings say about parameters, compared with the parameters that are there."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
import re
from collections.abc import Iterator

from guards import exports
from guards.sources import Definition, Function, Source, definitions

ENTRY = re.compile(r"\*{0,2}(\w+)(?: \([^)]*\))?:")
SECTIONS = {"function": ("Args:",), "class": ("Args:", "Attributes:")}


def undocumented(source: Source) -> Iterator[str]:
    """Say which public things of a file have no docstring; what overrides something documented inherits its words."""
    if not ast.get_docstring(source.tree):
        yield f"{source.place}: the module has no docstring"
    for name, node in definitions(source):
        if not ast.get_docstring(node) and not _inherits(source, name, documented=True):
            yield f"{source.at(node)} {name} has no docstring"


def misdescribed(source: Source) -> Iterator[str]:
    """Say which parameters of what is public are not described, and which described ones do not exist.

    Internals may say it in one line. What all functions of a file take may stand once, under `Args:` in its docstring.
    """
    shared = set(_described(source.tree))
    for name, node in definitions(source):
        if _is_property(node):
            continue
        needed, allowed = _parameters(source, name, node)
        needed = needed if (source.module, name.partition(".")[0]) in exports.public() else set()
        told = set(_described(node))
        for missing in sorted(needed - told - shared):
            yield f"{source.at(node)} {name} does not describe {missing!r}"
        for extra in sorted(told - allowed):
            yield f"{source.at(node)} {name} describes {extra!r}, which it does not have"


def unannotated(source: Source) -> Iterator[str]:
    """Say which public functions of a file have parameters or results without a type."""
    for name, node in definitions(source):
        for function in _constructors(node) if isinstance(node, ast.ClassDef) else [node]:
            bare = [one.arg for one in _arguments(function) if one.annotation is None]
            for one in bare:
                yield f"{source.at(function)} {name} does not annotate {one!r}"
            if function.returns is None:
                yield f"{source.at(function)} {name} does not annotate what it returns"


def unhelpful(source: Source) -> Iterator[str]:
    """Say which options of a file's commands say nothing at `--help`."""
    for node in ast.walk(source.tree):
        is_option = isinstance(node, ast.Call) and ast.unparse(node.func) == "click.option"
        if is_option and not any(one.arg == "help" for one in node.keywords):
            yield f"{source.at(node)} {ast.unparse(node.args[0])} has no help"


def _described(node: ast.Module | Definition) -> Iterator[str]:
    """The names in the list of parameters of a docstring."""
    wanted = SECTIONS["class" if isinstance(node, ast.ClassDef) else "function"]
    inside = False
    for line in (ast.get_docstring(node) or "").splitlines():
        entry = ENTRY.match(line.strip())
        if inside and entry and len(line) - len(line.lstrip()) == 4:
            yield entry[1]
        elif line and not line.startswith(" "):
            inside = line in wanted


def _parameters(source: Source, name: str, node: Definition) -> tuple[set[str], set[str]]:
    """The parameters that must be described, and those that may be."""
    if isinstance(node, ast.ClassDef):
        return _class_parameters(source, node)
    names = {one.arg for one in _arguments(node)}
    excused = _is_command(source, node) or (_inherits(source, name) and not list(_described(node)))
    return set() if excused else names, names


def _class_parameters(source: Source, node: ast.ClassDef) -> tuple[set[str], set[str]]:
    cls = _runtime(source, node.name)
    if isinstance(cls, type) and dataclasses.is_dataclass(cls):
        fields = dataclasses.fields(cls)
        return {one.name for one in fields if one.init}, {one.name for one in fields}
    for constructor in _constructors(node):
        names = {one.arg for one in _arguments(constructor)}
        return names, names
    inherited = set(inspect.signature(cls).parameters) if callable(cls) and list(_described(node)) else set()
    return set(), inherited


def _constructors(node: ast.ClassDef) -> list[Function]:
    return [one for one in node.body if isinstance(one, Function) and one.name == "__init__"]


def _arguments(node: Function) -> list[ast.arg]:
    """Every argument but the object or class that a method belongs to."""
    given = node.args
    named = [*given.posonlyargs, *given.args, *given.kwonlyargs]
    stars = [one for one in (given.vararg, given.kwarg) if one is not None]
    return [one for one in (*named, *stars) if one.arg not in ("self", "cls")]


def _is_command(source: Source, node: Function) -> bool:
    """Whether a function is a command, whose options carry their own words for `--help`."""
    return source.row == "cli" and any("click.command" in ast.unparse(one) for one in node.decorator_list)


def _is_property(node: Definition) -> bool:
    return any("property" in ast.unparse(one) for one in node.decorator_list)


def _inherits(source: Source, name: str, *, documented: bool = False) -> bool:
    """Whether a method overrides one of a base class, and one that is documented where that is asked for."""
    owner, _, method = name.rpartition(".")
    cls = _runtime(source, owner) if owner else None
    bases = cls.__mro__[1:] if isinstance(cls, type) else ()
    overridden = [vars(base)[method] for base in bases if method in vars(base)]
    return any(inspect.getdoc(one) for one in overridden) if documented else bool(overridden)


def _runtime(source: Source, name: str) -> object:
    return getattr(importlib.import_module(source.module), name, None)
