"""The project's own Python files, read and parsed once."""

from __future__ import annotations

import ast
import functools
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = "lucidtorch"
Function = ast.FunctionDef | ast.AsyncFunctionDef
Definition = Function | ast.ClassDef


@dataclass(frozen=True)
class Source:
    """One file: where it is, the name it is imported by, and its syntax tree."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def place(self) -> str:
        return self.path.relative_to(ROOT).as_posix()

    @property
    def module(self) -> str:
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def row(self) -> str:
        """The part of the package that it belongs to."""
        return row_of(self.module)

    def at(self, node: ast.AST) -> str:
        return f"{self.place}:{getattr(node, 'lineno', 1)}"


def row_of(module: str) -> str:
    """The part of the package that a module belongs to; empty for the public face."""
    return [*module.split("."), ""][1]


@functools.cache
def library() -> tuple[Source, ...]:
    """The files of the package."""
    return _read(PACKAGE)


@functools.cache
def everything() -> tuple[Source, ...]:
    """The files of the package, of training, the tests and the benchmarks."""
    return (*library(), *_read("training"), *_read("tests"), *_read("benchmarks"))


def definitions(source: Source) -> Iterator[tuple[str, Definition]]:
    """Go through the public functions, classes and methods of a file, with their names inside it."""
    for node in statements(source.tree.body):
        if not isinstance(node, Definition) or node.name.startswith("_"):
            continue
        yield node.name, node
        if isinstance(node, ast.ClassDef):
            methods = (one for one in node.body if isinstance(one, Function))
            yield from ((f"{node.name}.{one.name}", one) for one in methods if not one.name.startswith("_"))


def functions(source: Source) -> Iterator[Function]:
    """Go through all functions of a file, inner and private ones too."""
    return (node for node in ast.walk(source.tree) if isinstance(node, Function))


def documented(source: Source) -> Iterator[tuple[ast.Module | Definition, str]]:
    """Go through everything in a file that has a docstring."""
    for node in ast.walk(source.tree):
        if isinstance(node, ast.Module | Definition):
            text = ast.get_docstring(node, clean=False)
            if text is not None:
                yield node, text


def statements(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """Go through the statements of a body and of the branches in it, `if TYPE_CHECKING:` for one."""
    for node in body:
        yield node
        if isinstance(node, ast.If | ast.Try):
            yield from statements([*node.body, *node.orelse])


def _read(folder: str) -> tuple[Source, ...]:
    texts = {path: path.read_text(encoding="utf-8") for path in sorted((ROOT / folder).rglob("*.py"))}
    return tuple(Source(path, text, ast.parse(text)) for path, text in texts.items())
