"""How many threads compute: part of what decides the last bits of a picture."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import torch


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Let the block compute with a number of threads; the user's own number is back afterwards.

    Args:
        count: The number of threads, from 1.

    Yields:
        Nothing.
    """
    users = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(users)
