"""Reading the notation: a walk over Python's syntax tree that knows a few nodes and refuses all others."""

from __future__ import annotations

import ast
import contextlib
import keyword
import operator
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lucidtorch.base.arrays import load_array
from lucidtorch.base.checks import is_whole
from lucidtorch.base.defaults import with_defaults
from lucidtorch.base.errors import BadInputError, ExpressionError, suggestion
from lucidtorch.base.images import photo
from lucidtorch.base.notation import usage
from lucidtorch.base.shown import cut_lines, shown

OPERATORS: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.Pow: ("**", operator.pow),
    ast.BitOr: ("|", operator.or_),
}
LONGEST_TEXT = 1_000_000  # letters
DEEPEST_SYNTAX = 4000  # Python's parser goes three times as deep as this limit says
# A text in quotes, or `layer:unit`, where the layer may hold dots, slashes and the number of a call.
SHORTHAND = re.compile(
    r"""(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"""|(?<!\w)(?P<layer>[A-Za-z0-9_]+(?:[./][A-Za-z0-9_]+)*(?:@[0-9]+)?(?:\[(?:-?[0-9]+|[A-Za-z0-9_]+)\])*):(?P<unit>[0-9]+(?!\w|\.[0-9])|\[[0-9,\s]*\])"""
    r"""|(?<!\w)[A-Za-z0-9_]+(?:[./][A-Za-z0-9_]+)*+"""  # a name that no unit follows, passed over as a whole
)


@dataclass(frozen=True)
class Vocabulary:
    """The words that a text may use.

    Args:
        what: What the text stands for, for messages: ``objective``, ``param`` or ``transforms``.
        names: The functions that may be called.
        operators: The operators that may be used, as they are written.
        methods: The methods that may be called on a value, such as ``on``.
        shorthand: Writes ``layer:unit`` as a call; None where that form has no meaning.
        mappings: Whether ``{3: 1.0}``, things by whole number, may be written.
    """

    what: str
    names: Mapping[str, Callable[..., Any]]
    operators: frozenset[str]
    methods: frozenset[str] = frozenset()
    shorthand: str | None = None
    mappings: bool = False


def parse_text(text: str, vocabulary: Vocabulary, folder: Path | None = None) -> Any:
    """Read a text of the notation without running any Python."""
    if not isinstance(text, str):
        raise ExpressionError(f"{vocabulary.what} is written as a text, but {shown(text)} was given.")
    if len(text) > LONGEST_TEXT:
        raise ExpressionError(f"{vocabulary.what} has at most {LONGEST_TEXT} letters, but {len(text)} were given.")
    if not text.strip():
        raise ExpressionError(f"The text is empty where {vocabulary.what} should stand.")
    if any(0xD800 <= ord(letter) <= 0xDFFF for letter in text):
        raise ExpressionError(f"{shown(text)} holds a character that is no Unicode text; write it in UTF-8.")
    reader = _Reader(text, vocabulary, folder or Path())
    return reader.read()


@contextlib.contextmanager
def _room() -> Iterator[None]:
    """Let Python's parser go as deep as a long sum needs, whose syntax tree has a level for each term."""
    usual = sys.getrecursionlimit()
    sys.setrecursionlimit(max(usual, DEEPEST_SYNTAX))
    try:
        yield
    finally:
        sys.setrecursionlimit(usual)


class _Reader:
    """One reading of one text; knows where each column of the expanded text came from."""

    def __init__(self, text: str, vocabulary: Vocabulary, folder: Path) -> None:
        self.text = text
        self.vocabulary = vocabulary
        self.folder = folder
        self.moves: list[tuple[int, int, int]] = []  # (from, to, column in the user's text) of expanded shorthand
        self.expanded = self._expand()

    def read(self) -> Any:
        try:
            with _room():
                tree = ast.parse(self.expanded.strip("\n"), mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            offset = getattr(error, "offset", None)
            column = len((self.expanded[: offset - 1] if offset else self.expanded).encode())
            raise self._error(f"This does not parse as {self.vocabulary.what}", column) from error
        try:
            return self._value(tree.body)
        except RecursionError as error:
            raise self._error("This is nested too deeply", 0) from error

    def _expand(self) -> str:
        if "\n" in self.text.strip("\n"):
            self.text = " ".join(self.text.split("\n"))
        self.text = self.text.strip()
        pieces, end, length = [], 0, 0
        for found in SHORTHAND.finditer(self.text):
            if found["layer"] is None or (self.vocabulary.mappings and found["layer"].isdigit()):
                continue
            call = self._shorthand_call(found["layer"], found["unit"], found.start())
            pieces += [self.text[end : found.start()], call]
            length += found.start() - end
            self.moves.append((length, length + len(call), found.start()))
            length += len(call)
            end = found.end()
        return "".join([*pieces, self.text[end:]])

    def _shorthand_call(self, layer: str, unit: str, column: int) -> str:
        name = self.vocabulary.shorthand
        if name is None:
            raise self._plain_error(f"'{layer}:{unit}' has no meaning in {self.vocabulary.what}", column)
        if keyword.iskeyword(layer):
            raise self._plain_error(f"'{layer}' is a word of Python; write {name}('{layer}', {unit})", column)
        return f"{name}('{layer}', {unit})"

    def _value(self, node: ast.expr) -> Any:
        match node:
            case ast.Constant(value=value) if value is None or isinstance(value, bool | int | float | str):
                return value
            case ast.List() | ast.Tuple():
                return [self._value(item) for item in node.elts]
            case ast.Dict() if self.vocabulary.mappings:
                return self._mapping(node)
            case ast.UnaryOp(op=ast.USub()):
                return self._apply(operator.neg, node, self._value(node.operand))
            case ast.UnaryOp(op=ast.UAdd()):
                return self._value(node.operand)
            case ast.BinOp():
                return self._operation(node)
            case ast.Call():
                return self._call(node)
            case ast.Name(id=name):
                hint = f"write it in quotes, or as {name}:0" if self.vocabulary.shorthand else "write it in quotes"
                raise self._error(f"'{name}' stands alone: {hint}", node.col_offset)
        raise self._error(f"This form has no meaning in {self.vocabulary.what}", node.col_offset)

    def _mapping(self, node: ast.Dict) -> dict[int, Any]:
        found: dict[int, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            number = None if key is None else self._value(key)
            if not is_whole(number):
                raise self._error("What stands before a colon in braces is a whole number", value.col_offset)
            if number in found:
                raise self._error(f"{number} stands twice in these braces", value.col_offset)
            found[number] = self._value(value)
        return found

    def _operation(self, node: ast.BinOp) -> Any:
        spine = [node]
        while isinstance(spine[-1].left, ast.BinOp):  # a long sum is a deep tree: walk it, do not recurse
            spine.append(spine[-1].left)
        value = self._value(spine[-1].left)
        for step in reversed(spine):
            sign, function = OPERATORS.get(type(step.op), ("", operator.add))
            column = step.right.col_offset
            if sign not in self.vocabulary.operators:
                known = " ".join(sorted(self.vocabulary.operators)) or "no operators"
                raise self._error(f"Here {self.vocabulary.what} knows only {known}", column)
            right = self._value(step.right)
            if any(isinstance(side, str | list | dict | bool | None) for side in (value, right)):
                raise self._error("Operators do not join texts, lists or truth values", column)
            if sign == "**" and isinstance(value, int) and isinstance(right, int):
                value = float(value)  # a whole number to a huge power would take all memory
            value = self._apply(function, step, value, right)
        return value

    def _call(self, node: ast.Call) -> Any:
        args = [self._value(item) for item in node.args if not isinstance(item, ast.Starred)]
        kwargs = {item.arg: self._value(item.value) for item in node.keywords if item.arg is not None}
        if len(args) < len(node.args) or len(kwargs) < len(node.keywords):
            raise self._error("Stars have no meaning here: write the arguments out", node.col_offset)
        if isinstance(node.func, ast.Attribute):
            return self._method(node.func, node, args, kwargs)
        if not isinstance(node.func, ast.Name):
            raise self._error("Only the names of functions can be called", node.col_offset)
        name = node.func.id
        if name == "array":
            return self._apply(self._array, node, *args, **kwargs)
        if name == "photo":
            return self._apply(self._photo, node, *args, **kwargs)
        if name not in self.vocabulary.names:
            hint = suggestion(name, self.vocabulary.names)
            raise self._error(f"There is no '{name}' in {self.vocabulary.what}. {hint}", node.col_offset)
        return self._apply(with_defaults(name, self.vocabulary.names[name]), node, *args, **kwargs)

    def _method(self, function: ast.Attribute, node: ast.Call, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if function.attr not in self.vocabulary.methods:
            raise self._error(f"There is no '.{function.attr}(...)' in {self.vocabulary.what}", node.col_offset)
        owner = self._value(function.value)
        if not hasattr(owner, function.attr):
            raise self._error(f"'.{function.attr}(...)' cannot follow {shown(owner)}", node.col_offset)
        return self._apply(getattr(owner, function.attr), node, *args, **kwargs)

    def _array(self, name: str, sha256: str) -> Any:
        if Path(name).name != name:
            raise ExpressionError(f"An array file stands beside the picture; {name!r} is no plain file name.")
        return load_array(self.folder / name, sha256)

    def _photo(self, path: str, size: Any = None) -> Any:
        if not isinstance(path, str):
            raise ExpressionError(f"A photo is named by the path of its file, but {shown(path)} was given.")
        return photo(self.folder / path, size)

    def _apply(self, function: Callable[..., Any], node: ast.expr, *args: Any, **kwargs: Any) -> Any:
        try:
            return function(*args, **kwargs)
        except ExpressionError:
            raise
        except TypeError as error:
            raise self._error(self._misfit(node, function, error), node.col_offset) from error
        except ArithmeticError as error:
            raise self._error(f"This cannot be computed ({type(error).__name__})", node.col_offset) from error
        except (BadInputError, ValueError) as error:
            raise self._error(str(error).rstrip("."), node.col_offset) from error

    def _misfit(self, node: ast.expr, function: Callable[..., Any], error: TypeError) -> str:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            if node.func.id == "array":
                return "write array('NAME.npy', sha256='...')"
            if node.func.id == "photo":
                return "write photo('FILE.jpg', 128)"
            return f"{error}; write {usage(node.func.id, self.vocabulary.names[node.func.id])}"
        return f"{error}"

    def _error(self, message: str, column: int) -> ExpressionError:
        """Point at a column of the expanded text, in UTF-8 bytes as `ast` counts, where the user wrote it."""
        column = len(self.expanded.encode()[:column].decode(errors="ignore"))
        shift = 0
        for start, end, origin in self.moves:
            if start <= column < end:
                return self._plain_error(message, origin)
            if end <= column:
                shift = origin + self._length_at(origin) - end
        return self._plain_error(message, max(0, min(column + shift, len(self.text))))

    def _length_at(self, origin: int) -> int:
        found = SHORTHAND.match(self.text, origin)
        return found.end() - found.start() if found else 0

    def _plain_error(self, message: str, column: int) -> ExpressionError:
        return ExpressionError(f"{message} (column {column + 1}):\n  {cut_lines(self.text, column)}")
