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
from lucidtorch.base.registry import Registry
from lucidtorch.base.shown import cut_lines, shown

OPERATORS: dict[type[ast.operator], tuple[str, Callable[[Any, Any], Any]]] = {
    ast.Add: ("+", operator.add),
    ast.Sub: ("-", operator.sub),
    ast.Mult: ("*", operator.mul),
    ast.Div: ("/", operator.truediv),
    ast.Pow: ("**", operator.pow),
    ast.BitOr: ("|", operator.or_),
}
USAGE = {"array": "write array('NAME.npy', sha256='...')", "photo": "write photo('FILE.jpg', 128)"}
LONGEST_TEXT = 1_000_000  # letters
DEEPEST_SYNTAX = 4000  # Python's parser goes three times as deep as this limit says
# A text in quotes, or `layer:unit`, where the layer may hold dots, slashes and the number of a call.
SHORTHAND = re.compile(
    r"""(?P<quoted>'(?:[^'\\]|\\.)*'|"(?:[^"\\]|\\.)*")"""
    r"""|(?<!\w)(?P<layer>[A-Za-z0-9_]+(?:[./][A-Za-z0-9_]+)*(?:@[0-9]+)?(?:\[(?:-?[0-9]+|[A-Za-z0-9_]+)\])*):(?P<unit>[0-9]+(?!\w|\.[0-9])|\[[0-9,\s]*\](?!\w))"""
    r"""|(?<!\w)[A-Za-z0-9_]+(?:[./][A-Za-z0-9_]+)*+"""  # a name that no unit follows, passed over as a whole
)


@dataclass(frozen=True)
class Vocabulary:
    """The words that a text may use."""

    what: str  # the text describes, for messages: "an objective", "a param" or "transforms"
    names: Mapping[str, Callable[..., Any]]  # the functions that may be called
    operators: frozenset[str]
    registry: Registry[Any] | None = None  # that other distributions can add names to
    called: Callable[[Any], Callable[..., Any]] = lambda entry: entry  # by a text, of an entry of the registry
    methods: frozenset[str] = frozenset()  # that may be called on a value, such as "on"
    shorthand: str | None = None  # the function that `layer:unit` calls; None where that form has no meaning
    mappings: bool = False  # whether values by whole number, `{3: 1.0}`, may be written


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
    return _Reader(text, vocabulary, folder or Path()).read()


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
    """One reading of one text.

    Shorthand such as ``conv4_1:12`` is read first: a name of the same length replaces it while Python parses the
    text, so that every column is one of the user's own text.
    """

    def __init__(self, text: str, vocabulary: Vocabulary, folder: Path) -> None:
        self.text = text.replace("\n", " ").strip()
        self.vocabulary = vocabulary
        self.words: dict[str, Callable[..., Any]] = {**vocabulary.names, "array": self._array, "photo": self._photo}
        self.folder = folder
        self.units: dict[int, tuple[str, Any]] = {}  # layer and unit, by the column where the shorthand begins
        self.plain = SHORTHAND.sub(self._read_shorthand, self.text)

    def read(self) -> Any:
        try:
            with _room():
                tree = ast.parse(self.plain, mode="eval")
        except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
            offset = getattr(error, "offset", None)
            raise self._unparsed(offset - 1 if offset else len(self.text)) from error
        try:
            return self._value(tree.body)
        except RecursionError as error:
            raise self._error_at(0, "This is nested too deeply") from error

    def _read_shorthand(self, found: re.Match[str]) -> str:
        """Note the layer and unit of a match, and give its replacement."""
        layer, unit, name = found["layer"], found["unit"], self.vocabulary.shorthand
        if layer is None or (self.vocabulary.mappings and layer.isdigit()):
            return found[0]
        if name is None:
            raise self._error_at(found.start(), f"'{layer}:{unit}' has no meaning in {self.vocabulary.what}")
        if keyword.iskeyword(layer):
            raise self._error_at(found.start(), f"'{layer}' is a word of Python; write {name}('{layer}', {unit})")
        try:
            self.units[found.start()] = layer, ast.literal_eval(unit)
        except (SyntaxError, ValueError) as error:
            raise self._unparsed(found.start()) from error
        return "_" * len(found[0])

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
            case ast.Name() if self._column(node) in self.units:
                return self._call_word(node, str(self.vocabulary.shorthand), *self.units[self._column(node)])
            case ast.Name(id=name):
                hint = f"write it in quotes, or as {name}:0" if self.vocabulary.shorthand else "write it in quotes"
                raise self._error(f"'{name}' stands alone: {hint}", node)
        raise self._error(f"This form has no meaning in {self.vocabulary.what}", node)

    def _mapping(self, node: ast.Dict) -> dict[int, Any]:
        found: dict[int, Any] = {}
        for key, value in zip(node.keys, node.values, strict=True):
            number = None if key is None else self._value(key)
            if not is_whole(number):
                raise self._error("What stands before a colon in braces is a whole number", value)
            if number in found:
                raise self._error(f"{number} stands twice in these braces", value)
            found[number] = self._value(value)
        return found

    def _operation(self, node: ast.BinOp) -> Any:
        spine = [node]
        while isinstance(spine[-1].left, ast.BinOp):  # a long sum is a deep tree: walk it, do not recurse
            spine.append(spine[-1].left)
        value = self._value(spine[-1].left)
        for step in reversed(spine):
            sign, function = OPERATORS.get(type(step.op), ("", operator.add))
            if sign not in self.vocabulary.operators:
                known = " ".join(sorted(self.vocabulary.operators)) or "no operators"
                raise self._error(f"Here {self.vocabulary.what} knows only {known}", step.right)
            right = self._value(step.right)
            if any(isinstance(side, str | list | dict | bool | None) for side in (value, right)):
                raise self._error("Operators do not join texts, lists or truth values", step.right)
            if sign == "**" and isinstance(value, int) and isinstance(right, int):
                value = float(value)  # a whole number to a huge power would take all memory
            value = self._apply(function, step, value, right)
        return value

    def _call(self, node: ast.Call) -> Any:
        args = [self._value(item) for item in node.args if not isinstance(item, ast.Starred)]
        kwargs = {item.arg: self._value(item.value) for item in node.keywords if item.arg is not None}
        if len(args) < len(node.args) or len(kwargs) < len(node.keywords):
            raise self._error("Stars have no meaning here: write the arguments out", node)
        if shorthand := [column for item in node.keywords if (column := self._column(item)) in self.units]:
            raise self._unparsed(shorthand[0])
        if isinstance(node.func, ast.Attribute):
            return self._method(node.func, node, args, kwargs)
        if not isinstance(node.func, ast.Name) or self._column(node.func) in self.units:
            raise self._error("Only the names of functions can be called", node)
        name = node.func.id
        if not self._knows(name):
            declared = self.vocabulary.registry.declared if self.vocabulary.registry is not None else ()
            hint = suggestion(name, (*self.vocabulary.names, *declared))
            raise self._error(f"There is no '{name}' in {self.vocabulary.what}. {hint}", node)
        return self._call_word(node, name, *args, **kwargs)

    def _knows(self, name: str) -> bool:
        """Whether there is a function of that name; one that an installed distribution declares is imported now."""
        if name not in self.words and self.vocabulary.registry is not None:
            found = self.vocabulary.registry.find(name)
            self.words |= {} if found is None else {name: self.vocabulary.called(found)}
        return name in self.words

    def _call_word(self, node: ast.expr, name: str, *args: Any, **kwargs: Any) -> Any:
        return self._apply(with_defaults(name, self.words[name]), node, *args, **kwargs)

    def _method(self, function: ast.Attribute, node: ast.Call, args: list[Any], kwargs: dict[str, Any]) -> Any:
        if function.attr not in self.vocabulary.methods:
            raise self._error(f"There is no '.{function.attr}(...)' in {self.vocabulary.what}", node)
        owner = self._value(function.value)
        if not hasattr(owner, function.attr):
            raise self._error(f"'.{function.attr}(...)' cannot follow {shown(owner)}", node)
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
            raise self._error(self._misfit(node, error), node) from error
        except ArithmeticError as error:
            raise self._error(f"This cannot be computed ({type(error).__name__})", node) from error
        except (BadInputError, ValueError) as error:
            raise self._error(str(error).rstrip("."), node) from error

    def _misfit(self, node: ast.expr, error: TypeError) -> str:
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            name = node.func.id
            return USAGE.get(name) or f"{error}; write {usage(name, self.words[name])}"
        return str(error)

    def _column(self, node: ast.expr | ast.keyword) -> int:
        """Where a node begins, in characters; `ast` counts bytes of UTF-8."""
        if self.plain.isascii():
            return node.col_offset
        return len(self.plain.encode()[: node.col_offset].decode(errors="ignore"))

    def _unparsed(self, column: int) -> ExpressionError:
        return self._error_at(column, f"This does not parse as {self.vocabulary.what}")

    def _error(self, message: str, node: ast.expr) -> ExpressionError:
        return self._error_at(self._column(node), message)

    def _error_at(self, column: int, message: str) -> ExpressionError:
        """Point at a column of the text."""
        column = max(0, min(column, len(self.text)))
        return ExpressionError(f"{message} (column {column + 1}):\n  {cut_lines(self.text, column)}")
