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

OLD_STYLE = "CheckpointFunction"
NEW_STYLE = next(  # torch 2.14 renamed it
    name
    for name in ("_checkpoint_without_reentrant_generator_impl", "_checkpoint_without_reentrant_generator")
    if hasattr(torch_checkpoint, name)
)
_own = threading.local()  # other threads may train their checkpointed networks meanwhile
_lock = threading.Lock()
_users: list[int] = []
_kept: dict[str, Any] = {}


@contextlib.contextmanager
def without_checkpoints() -> Iterator[None]:
    """Let checkpointed segments of networks that this thread runs in the block run as they are."""
    depth = getattr(_own, "depth", 0)
    with _lock:
        if not _users:
            for name, straight in ((OLD_STYLE, _Straight), (NEW_STYLE, _straight)):
                _kept[name] = getattr(torch_checkpoint, name)
                setattr(torch_checkpoint, name, straight)
        _users.append(depth)
    _own.depth = depth + 1
    try:
        yield
    finally:
        _own.depth = depth
        with _lock:
            _users.remove(depth)
            for name, own in _kept.items() if not _users else ():
                setattr(torch_checkpoint, name, own)


class _Straight:
    """Stands for torch's function of the old style."""

    @staticmethod
    def apply(function: Any, preserve: bool, *arguments: Any) -> Any:
        if getattr(_own, "depth", 0):
            return function(*arguments)
        return _kept[OLD_STYLE].apply(function, preserve, *arguments)


def _straight(*arguments: Any, **words: Any) -> Iterator[None]:
    """Stands for torch's generator of the new style, which is advanced before the segment runs and after it."""
    if getattr(_own, "depth", 0):
        yield
    else:
        yield from _kept[NEW_STYLE](*arguments, **words)
