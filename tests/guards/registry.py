"""Keeping what an example defines to itself."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from lucidtorch.objectives.term import DEFINITIONS


@contextlib.contextmanager
def own_objectives() -> Iterator[None]:
    """Let the block define objectives, and forget them afterwards."""
    before = dict(DEFINITIONS)
    try:
        yield
    finally:
        DEFINITIONS.clear()
        DEFINITIONS.update(before)
