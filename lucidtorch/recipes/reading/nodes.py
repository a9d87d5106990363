"""Values with the place where each was written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from lucidtorch.recipes.blame import Key
from lucidtorch.recipes.reading.yaml_scalars import Scalar


@dataclass(frozen=True)
class Place:
    """Where something was written.

    Args:
        file: The file as messages name it, or an option of the command line.
        line: From 1; 0 where there are no lines.
        column: From 1; 0 where there are none.
    """

    file: str
    line: int = 0
    column: int = 0

    @property
    def typed(self) -> bool:
        """Whether it was an option of the command line: what stands in a file has a line."""
        return self.line == 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


@dataclass(frozen=True)
class Node:
    """A value and its place.

    Args:
        value: A word, or the nodes of a list, or those of a mapping by their key.
        place: Where the value was written.
        key_place: Where its key was written, if it stands in a mapping.
    """

    value: Scalar | tuple[Node, ...] | dict[str, Node]
    place: Place
    key_place: Place | None = None

    @property
    def plain(self) -> Any:
        """The value without places: words, lists and mappings."""
        if isinstance(self.value, dict):
            return {key: one.plain for key, one in self.value.items()}
        return [one.plain for one in self.value] if isinstance(self.value, tuple) else self.value

    def walk(self) -> Iterator[Node]:
        """Go through this value and all that stand in it."""
        yield self
        inner = tuple(self.value.values()) if isinstance(self.value, dict) else self.value
        for one in inner if isinstance(inner, tuple) else ():
            yield from one.walk()

    def find(self, key: Key) -> tuple[Node, int]:
        """Go along a key as far as there are values."""
        node = self
        for count, part in enumerate(key):
            below = node.at(part)
            if below is None:
                return node, count
            node = below
        return node, len(key)

    def at(self, part: str | int) -> Node | None:
        """Look one level down."""
        if isinstance(self.value, dict):
            return self.value.get(str(part))
        if isinstance(self.value, tuple) and isinstance(part, int) and 0 <= part < len(self.value):
            return self.value[part]
        return None

    def merged(self, other: Node) -> Node:
        """Lay another value over this one: mappings are merged at every depth, all else is replaced."""
        if not isinstance(self.value, dict) or not isinstance(other.value, dict):
            return other
        both = dict(self.value)
        for key, one in other.value.items():
            both[key] = both[key].merged(one) if key in both else one
        return replace(other, value=both)

    def put(self, key: tuple[str, ...], node: Node) -> Node:
        """Put a value at a key; mappings on the way that are missing are made."""
        if not key:
            return node
        if not isinstance(self.value, dict):
            raise ValueError(f"{key[0]!r} is to stand in a mapping, but there is {self.plain!r}")
        below = self.value.get(key[0], Node({}, node.place, node.place))
        if below.value is None:
            below = replace(below, value={})
        return replace(self, value={**self.value, key[0]: below.put(key[1:], node)})
