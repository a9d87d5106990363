"""Mutants: small changes of the code at or below `rendering`, each of one node of a syntax tree.

A comparison, operator, sign, constant, `not`, keyword argument, result or call is another than it was, or is left out;
never in annotations or decorators, nor in what is raised or warned of.
"""

from __future__ import annotations

import ast
import contextlib
import random
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, TypeAlias

from figures import CORE, NETWORKS, File

Function = ast.FunctionDef | ast.AsyncFunctionDef
Change: TypeAlias = tuple[str, str, object]  # its kind, the field of the node, and the field's new value
LEFT_ALONE = ("annotation", "returns", "decorator_list")
QUIET = ("Error", "Warning", "warn", "add_note")  # how the names of calls end that make messages
TEXT, TEXT_BEFORE = 70, 40  # how much code is printed of a change at most, and how much of it stands before the change
OTHERS: dict[type, tuple[type, ...]] = {
    ast.Lt: (ast.LtE, ast.GtE),
    ast.LtE: (ast.Lt, ast.Gt),
    ast.Gt: (ast.GtE, ast.LtE),
    ast.GtE: (ast.Gt, ast.Lt),
    ast.Eq: (ast.NotEq,),
    ast.NotEq: (ast.Eq,),
    ast.Is: (ast.IsNot,),
    ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,),
    ast.NotIn: (ast.In,),
    ast.Add: (ast.Sub,),
    ast.Sub: (ast.Add,),
    ast.Mult: (ast.Div,),
    ast.Div: (ast.Mult,),
    ast.FloorDiv: (ast.Mult,),
    ast.Mod: (ast.Mult,),
    ast.Pow: (ast.Mult,),
    ast.And: (ast.Or,),
    ast.Or: (ast.And,),
    ast.USub: (ast.UAdd,),
}
KINDS = {ast.BinOp: "arithmetic", ast.AugAssign: "arithmetic", ast.BoolOp: "and, or", ast.UnaryOp: "sign"}


@dataclass(frozen=True, eq=False)
class Mutant:
    """One change, by which a field of a node in a file's tree gets another value.

    Args:
        file: The file.
        number: The place of the change among those of the file.
        node: The node.
        shown: The node, or the one around it where it says nothing by itself.
        lines: Those that a test runs which runs the node: of its statement, or of the function or file around a
            statement that an import runs.
        kind: What is changed.
        field: Of the node.
        value: The new value of the field.
    """

    file: File
    number: int
    node: Any
    shown: ast.AST
    lines: range
    kind: str
    field: str
    value: object

    @property
    def text(self) -> str:
        """The place, the kind, and what the change does, on one line; no two mutants have the same."""
        before = ast.unparse(self.shown).splitlines()[0]
        with self.applied():
            after = ast.unparse(self.shown).splitlines()[0]
        pairs = enumerate(zip(before, after, strict=False))
        start = max(0, next((place for place, (old, new) in pairs if old != new), 0) - TEXT_BEFORE)
        change = " -> ".join(one[start : start + TEXT] for one in (before, after))
        return f"{self.file.path}:{self.node.lineno} {self.kind} {self.number}: {change}"

    @contextlib.contextmanager
    def applied(self) -> Iterator[None]:
        """Let the tree of the file have the change in the block."""
        old = getattr(self.node, self.field)
        setattr(self.node, self.field, self.value)
        try:
            yield
        finally:
            setattr(self.node, self.field, old)


def mutants(file: File) -> Iterator[Mutant]:
    """Go through every mutant of a file."""
    everywhere = range(1, len(file.lines) + 1)
    for number, (node, shown, lines, change) in enumerate(_changes(file.tree, file.tree, everywhere, inside=False)):
        yield Mutant(file, number, node, shown, lines, *change)


def drawn(files: Iterable[File], count: int, seed: int) -> list[Mutant]:
    """Draw mutants of the core, all with the same chance; a smaller draw is the beginning of a larger one."""
    core = [one for one in files if one.is_python and one.part in CORE and not one.path.startswith(NETWORKS)]
    every = [mutant for one in core for mutant in mutants(one)]
    random.Random(seed).shuffle(every)
    return every[:count]


def _changes(
    node: ast.AST, around: ast.AST, lines: range, *, inside: bool
) -> Iterator[tuple[ast.AST, ast.AST, range, Change]]:
    """Go through the changes of a node, inside a function or not, and of all below it."""
    shown = around if isinstance(node, ast.Constant) else node
    yield from ((node, shown, lines, change) for change in (*_of_operators(node), *_of_values(node)))
    for name, held in ast.iter_fields(node):
        below = [one for one in (held if isinstance(held, list) else [held]) if isinstance(one, ast.AST)]
        for child in below if name not in LEFT_ALONE else []:
            if isinstance(child, Function):  # what stands at its head is computed where it is defined
                own = range(child.body[0].lineno, (child.end_lineno or 0) + 1)
                yield from _changes(child, node, own, inside=True)
            elif not _is_quiet(child):
                own = _lines_of(child) if inside and isinstance(child, ast.stmt) else lines
                yield from _changes(child, node, own, inside=inside)


def _of_operators(node: ast.AST) -> Iterator[Change]:
    if isinstance(node, ast.Compare):
        for place, operator in enumerate(node.ops):
            for other in OTHERS[type(operator)]:
                yield "comparison", "ops", [*node.ops[:place], other(), *node.ops[place + 1 :]]
    elif isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not):
        yield "not", "operand", ast.UnaryOp(ast.Not(), node.operand)
    elif type(node) in KINDS and not _is_of_text(node):
        for other in OTHERS.get(type(node.op), ()):
            yield KINDS[type(node)], "op", other()


def _of_values(node: ast.AST) -> Iterator[Change]:
    match node:
        case ast.Constant(value=bool() | int() | float()):
            yield "constant", "value", not node.value if isinstance(node.value, bool) else node.value + 1
        case ast.If() | ast.While() | ast.IfExp() if not isinstance(node.test, ast.Compare | ast.UnaryOp):
            yield "not", "test", ast.UnaryOp(ast.Not(), node.test)
        case ast.Return(value=ast.expr()) if not isinstance(node.value, ast.Constant):
            yield "result", "value", ast.Constant(None)
        case ast.Expr(value=ast.Call()):
            yield "call", "value", ast.Constant(None)
        case ast.Call():
            for place, keyword in enumerate(node.keywords):
                if keyword.arg is not None:
                    yield "argument", "keywords", node.keywords[:place] + node.keywords[place + 1 :]


def _is_of_text(node: Any) -> bool:
    """Whether an operator joins or fills in texts, where another makes no sense."""
    sides = [getattr(node, name, None) for name in ("left", "right", "value")]
    return any(isinstance(one, ast.JoinedStr) or isinstance(getattr(one, "value", None), str) for one in sides)


def _is_quiet(node: ast.AST) -> bool:
    """Whether a node raises, makes a message of an error or a warning, or is there for type checkers alone."""
    if isinstance(node, ast.Call):
        return ast.unparse(node.func).endswith(QUIET)
    if isinstance(node, ast.Expr):
        return _is_quiet(node.value)
    return isinstance(node, ast.Raise) or (isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING")


def _lines_of(statement: ast.stmt) -> range:
    """The lines of a statement, without those of the statements in it."""
    body = getattr(statement, "body", None)
    end = max(statement.lineno, body[0].lineno - 1) if body else statement.end_lineno or statement.lineno
    return range(statement.lineno, end + 1)
