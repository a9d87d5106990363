"""Checkpointed networks: their segments run straight through, with all that is inside in the one forward pass.

A checkpoint runs a segment again on the way back. Its first run gives no gradient to what is read inside (old style),
or the second one meets none of our hooks and rules (new style).
"""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Iterator
from typing import Any

import torch.utils.checkpoint as torch_checkpoint

_own = threading.local()  # other threads may train their checkpointed networks meanwhile
_lock = threading.Lock()
_users = 0
_kept: dict[str, Any] = {}


@contextlib.contextmanager
def without_checkpoints() -> Iterator[None]:
    """Let checkpointed segments of networks that this thread runs in the block run as they are.

    Yields:
        Nothing.
    """
    global _users  # noqa: PLW0603  # one name of torch's is replaced for as long as anybody needs it
    with _lock:
        if not _users:
            _kept["reentrant"] = torch_checkpoint.CheckpointFunction
            _kept["other"] = torch_checkpoint._checkpoint_without_reentrant_generator
            torch_checkpoint.CheckpointFunction = _Straight  # type: ignore[misc, assignment]
            torch_checkpoint._checkpoint_without_reentrant_generator = _straight
        _users += 1
    depth = getattr(_own, "depth", 0)
    _own.depth = depth + 1
    try:
        yield
    finally:
        _own.depth = depth
        with _lock:
            _users -= 1
            if not _users:
                torch_checkpoint.CheckpointFunction = _kept["reentrant"]  # type: ignore[misc]
                torch_checkpoint._checkpoint_without_reentrant_generator = _kept["other"]


class _Straight:
    """Stands for torch's function of the old style."""

    @staticmethod
    def apply(function: Any, preserve: bool, *arguments: Any) -> Any:
        if getattr(_own, "depth", 0):
            return function(*arguments)
        return _kept["reentrant"].apply(function, preserve, *arguments)


def _straight(*arguments: Any, **words: Any) -> Iterator[None]:
    """Stands for torch's generator of the new style, which is advanced before the segment runs and after it."""
    if getattr(_own, "depth", 0):
        yield
    else:
        yield from _kept["other"](*arguments, **words)
