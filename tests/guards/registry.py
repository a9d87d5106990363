"""Keeping what an example defines to itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from lucidtorch.base.registry import Registry


@contextlib.contextmanager
def own_objectives() -> Iterator[None]:
    """Let the block define objectives, and words of the other kinds, and forget them afterwards."""
    before = {group: dict(known) for group, known in Registry.groups.items()}
    try:
        yield
    finally:
        for group, known in Registry.groups.items():
            kept = before.get(group, dict(known))  # one that the block imported was empty of the block's words
            known.clear()
            known.update(kept)
