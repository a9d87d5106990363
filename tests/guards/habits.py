"""Habits that the library keeps: nothing unfinished, nothing swallowed, nothing passed on unseen, nothing long."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

from guards.sources import Source, definitions, functions

LONGEST_FILE, LONGEST_FUNCTION = 400, 50  # lines; of a function, those of its body below the docstring
PROMISE = re.compile(r"\b(" + "|".join(("TO" + "DO", "FIX" + "ME", "X" + "XX")) + r")\b")
BROAD = ("Exception", "BaseException")


def unfinished(source: Source) -> Iterator[str]:
    """Say which lines of a file promise work."""
    for number, line in enumerate(source.text.splitlines(), 1):
        if PROMISE.search(line):
            yield f"{source.place}:{number} {line.strip()}"


def asserted(source: Source) -> Iterator[str]:
    """Say where a file checks something in a way that Python may leave out."""
    return (f"{source.at(node)} asserts" for node in ast.walk(source.tree) if isinstance(node, ast.Assert))


def printed(source: Source) -> Iterator[str]:
    """Say where a file prints."""
    calls = (node for node in ast.walk(source.tree) if isinstance(node, ast.Call))
    return (
        f"{source.at(node)} prints" for node in calls if isinstance(node.func, ast.Name) and node.func.id == "print"
    )


def swallowed(source: Source) -> Iterator[str]:
    """Say where a file catches every error there is and does not raise it again."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.ExceptHandler) and _is_broad(node.type) and not isinstance(node.body[-1], ast.Raise):
            yield f"{source.at(node)} catches every error"


def passed_on(source: Source) -> Iterator[str]:
    """Say which public functions of a file take named arguments that they do not name, and hand them on."""
    for name, node in definitions(source):
        keywords = None if isinstance(node, ast.ClassDef) else node.args.kwarg
        if keywords is not None and any(_hands_on(inner, keywords.arg) for inner in ast.walk(node)):
            yield f"{source.at(node)} {name} passes **{keywords.arg} on"


def long_file(source: Source) -> Iterator[str]:
    """Say whether a file is too long."""
    length = len(source.text.splitlines())
    if length > LONGEST_FILE:
        yield f"{source.place} has {length} lines"


def long_functions(source: Source) -> Iterator[str]:
    """Say which functions of a file are too long."""
    for node in functions(source):
        body = node.body[1:] if ast.get_docstring(node, clean=False) is not None else node.body
        length = (body[-1].end_lineno or 0) - body[0].lineno + 1 if body else 0
        if length > LONGEST_FUNCTION:
            yield f"{source.at(node)} {node.name} has {length} lines"


def _is_broad(caught: ast.expr | None) -> bool:
    kinds = caught.elts if isinstance(caught, ast.Tuple) else [caught]
    return any(kind is None or (isinstance(kind, ast.Name) and kind.id in BROAD) for kind in kinds)


def _hands_on(node: ast.AST, name: str) -> bool:
    keywords = node.keywords if isinstance(node, ast.Call) else []
    return any(one.arg is None and isinstance(one.value, ast.Name) and one.value.id == name for one in keywords)
