"""Mappings as values: things by whole number that can be compared, hashed, printed and read back."""

from __future__ import annotations

from collections.abc import Iterator, Mapping


class FrozenMapping(Mapping[int, object]):
    """A mapping from whole numbers that never changes, in the order of its numbers.

    Args:
        entries: The things by number; each can be hashed.
    """

    def __init__(self, entries: Mapping[int, object]) -> None:
        self._entries = dict(sorted(entries.items()))

    def __getitem__(self, number: int) -> object:
        return self._entries[number]

    def __iter__(self) -> Iterator[int]:
        return iter(self._entries)

    def __len__(self) -> int:
        return len(self._entries)

    def __hash__(self) -> int:
        return hash(tuple(self._entries.items()))

    def __repr__(self) -> str:
        return repr(self._entries)
