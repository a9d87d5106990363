"""YAML as recipes read it: plain data, every value with its place, and nothing that grows, runs or hides."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeAlias

import yaml

from lucidtorch.base.errors import RecipeError
from lucidtorch.base.shown import shown
from lucidtorch.recipes.reading.nodes import Node, Place
from lucidtorch.recipes.reading.yaml_faults import explained
from lucidtorch.recipes.reading.yaml_scalars import plain_value

LARGEST_FILE = 1_000_000  # bytes
DEEPEST = 32  # lists and mappings inside each other
MOST_COPIES = 10_000  # values that aliases repeat
MERGE = "<<"
LISTED = "`lucidtorch recipes` lists the kinds."
BROKEN = "This is no text, but the letter {letter!r}; take it out."

PlaceOf: TypeAlias = Callable[[int, int], Place]  # from line and column, both from 0


def read_yaml_file(path: Path, name: str) -> Node:
    """Read a file that holds one mapping."""
    try:
        with path.open("rb") as file:
            data = file.read(LARGEST_FILE + 1)
    except OSError as error:
        raise RecipeError(
            f"{name} cannot be read: {error.strerror}. Give the path of a recipe, a YAML file."
        ) from error
    if len(data) > LARGEST_FILE:
        raise RecipeError(
            f"{name}: No recipe is larger than {LARGEST_FILE:,} bytes, and this file is; name another one."
        )
    found = read_yaml(_decoded(data, name), lambda line, column: Place(name, line + 1, column + 1))
    if found.value is None:
        raise RecipeError(
            f"{name}: The file is empty; write `recipe:` with a kind, and its fields. `lucidtorch recipes` lists them."
        )
    if not isinstance(found.value, dict):
        raise RecipeError(f"{found.place}: A recipe is a mapping, such as `recipe: render`; there is none here.")
    return found


def read_yaml(text: str, place: PlaceOf) -> Node:
    """Read a text that holds one document."""
    try:
        loader = _Composer(text)
        try:
            root = loader.get_single_node()
        except ValueError as error:  # an escape such as \\U00110000
            raise _NoLetter from error
        finally:
            loader.dispose()
        return Node(None, place(0, 0)) if root is None else _Tree(place).node(root)
    except _Refused as error:
        raise RecipeError(f"{place(error.mark.line, error.mark.column)}: {error.problem}") from error
    except yaml.MarkedYAMLError as error:
        sentence, mark = explained(error)
        where = place(0, 0) if mark is None else place(mark.line, mark.column)
        raise RecipeError(f"{where}: {sentence}") from error
    except _NoLetter as error:
        raise RecipeError(f"{place(0, 0)}: A letter in it is no Unicode text; write it in UTF-8.") from error
    except yaml.reader.ReaderError as error:
        before = text[: error.position]
        where = place(before.count("\n"), error.position - before.rfind("\n") - 1)
        raise RecipeError(f"{where}: {BROKEN.format(letter=text[error.position])}") from error


class _NoLetter(Exception):  # noqa: N818  # told by whoever knows the place
    """An escape that stands for no letter."""


class _Refused(yaml.YAMLError):
    """What no recipe holds.

    Args:
        problem: What it is, and what to write instead.
        mark: Where it stands.
    """

    def __init__(self, problem: str, mark: yaml.Mark) -> None:
        super().__init__(problem)
        self.problem, self.mark = problem, mark


class _Composer(yaml.SafeLoader):
    """Composes nodes without tags, and not too deep."""

    depth = 0

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        event: Any = self.peek_event()  # type: ignore[no-untyped-call]
        if getattr(event, "tag", None) is not None:
            raise _Refused(
                f"A recipe holds no tags, but {shown(event.tag)} was given; leave it out, and put a text in quotes.",
                event.start_mark,
            )
        if self.depth == DEEPEST:
            raise _Refused(f"Lists and mappings stand more than {DEEPEST} deep in each other.", event.start_mark)
        self.depth += 1
        try:
            return super().compose_node(parent, index)
        finally:
            self.depth -= 1


class _Tree:
    """Makes plain values of nodes.

    Args:
        place: Makes the place of a line and a column.
    """

    def __init__(self, place: PlaceOf) -> None:
        self.place = place
        self.seen: set[int] = set()
        self.open: set[int] = set()
        self.copies = 0
        self.entry: yaml.Mark | None = None  # where the entry of the whole mapping stands that is being converted

    def node(self, raw: yaml.Node, key_place: Place | None = None) -> Node:
        """Convert a node with all that is in it."""
        self._count(raw)
        place = self._at(raw)
        if isinstance(raw, yaml.ScalarNode):
            return Node(self._scalar(raw), place, key_place)
        self.open.add(id(raw))
        value = self._mapping(raw) if isinstance(raw, yaml.MappingNode) else tuple(map(self.node, raw.value))
        self.open.discard(id(raw))
        return Node(value, place, key_place)

    def _count(self, raw: yaml.Node) -> None:
        if id(raw) in self.open:
            raise _Refused("This anchor holds itself; write its values out.", raw.start_mark)
        self.copies += id(raw) in self.seen
        self.seen.add(id(raw))
        if self.copies > MOST_COPIES:
            mark = self.entry or raw.start_mark
            raise _Refused(f"Anchors repeat more than {MOST_COPIES:,} values here; write out what is meant.", mark)

    def _scalar(self, raw: yaml.ScalarNode) -> Any:
        if raw.style is not None:
            return raw.value
        try:
            return plain_value(raw.value)
        except ValueError as error:
            raise _Refused(str(error), raw.start_mark) from error

    def _mapping(self, raw: yaml.MappingNode) -> dict[str, Node]:
        found: dict[str, Node] = {}
        for key, value in raw.value:
            name = self._key(key)
            self.entry = key.start_mark if len(self.open) == 1 else self.entry
            if name in found:
                first = found[name].key_place
                raise _Refused(
                    f"{name!r} is here a second time; it stands at {first} already. Leave one out.", key.start_mark
                )
            found[name] = self.node(value, self._at(key))
        return found

    def _key(self, raw: yaml.Node) -> str:
        if not isinstance(raw, yaml.ScalarNode):
            raise _Refused("A key is a text, but a list or a mapping stands here.", raw.start_mark)
        if raw.style is None and raw.value == MERGE:
            raise _Refused("<< merges nothing in a recipe; write `extends:` with the name of a file.", raw.start_mark)
        key = self._scalar(raw)
        if not isinstance(key, str):
            raise _Refused(f"A key is a text, but {shown(raw.value)} was given; put it in quotes.", raw.start_mark)
        return key

    def _at(self, raw: yaml.Node) -> Place:
        return self.place(raw.start_mark.line, raw.start_mark.column)


def _decoded(data: bytes, name: str) -> str:
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data[: error.start].count(b"\n") + 1
        raise RecipeError(f"{Place(name, line, 1)}: This is no text in UTF-8; save the file as UTF-8.") from error
