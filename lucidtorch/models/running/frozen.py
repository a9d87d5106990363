"""A network held still: evaluation mode, no weight gradients, no checkpoints, everything restored afterwards."""

from __future__ import annotations

import contextlib
import threading
from collections import Counter
from collections.abc import Iterable, Iterator
from types import TracebackType
from typing import Any

import torch
import torch.utils.checkpoint as torch_checkpoint
from torch import Tensor, nn

from lucidtorch.base.errors import LucidtorchError
from lucidtorch.base.surroundings import one_at_a_time

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
LONGEST_REASON = 200


@contextlib.contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Hold a network still while the block runs.

    Every module is in evaluation mode and no weight asks for a gradient; afterwards, after an error or an interrupt
    too, each training flag, each `requires_grad` and each buffer is what it was. Blocks may overlap, in several threads
    too: flags are given back at the end of the last one.
    """
    parts = list(module.modules())
    weights = [one for one in module.parameters() if not one.is_inference()]  # these never ask for a gradient
    with one_at_a_time():
        buffers = [_Buffers(one) for one in parts if one._buffers]
        _TRAINING.hold(parts)
        _LEARNING.hold(weights)
    try:
        yield
    finally:
        with one_at_a_time():
            _TRAINING.release(parts)
            _LEARNING.release(weights)
            for kept in buffers:
                kept.restore()


class _Held:
    """A flag that is off on everything that any block holds."""

    def __init__(self, flag: str) -> None:
        self._flag = flag
        self._lock = threading.Lock()
        self._blocks: Counter[int] = Counter()  # how many hold a thing, by its id: they keep it alive
        self._was: dict[int, bool] = {}

    def hold(self, things: Iterable[object]) -> None:
        with self._lock:
            for one in things:
                if not self._blocks[id(one)]:
                    self._was[id(one)] = getattr(one, self._flag)
                self._blocks[id(one)] += 1
                if getattr(one, self._flag):
                    setattr(one, self._flag, False)

    def release(self, things: Iterable[object]) -> None:
        with self._lock:
            for one in things:
                self._blocks[id(one)] -= 1
                if not self._blocks[id(one)]:
                    del self._blocks[id(one)]
                    if self._was.pop(id(one)):
                        setattr(one, self._flag, True)


_TRAINING, _LEARNING = _Held("training"), _Held("requires_grad")


class _Buffers:
    """The buffers of one module as they were: some networks count, cache or observe in them."""

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self.own = dict(module._buffers)
        self.copies = {name: one.clone() for name, one in self.own.items() if one is not None and _is_plain(one)}

    def restore(self) -> None:
        self.module._buffers.update(self.own)
        for name, copy in self.copies.items():
            buffer = self.own[name]
            # Compared by contents, since fused observers write without counting a new version.
            if buffer is None or torch.equal(buffer, copy):
                continue
            if buffer.shape != copy.shape:  # observers of each channel begin with none
                buffer.data = copy
            else:
                buffer.data.copy_(copy)  # no new version, so that the caller's own graphs stay valid


def _is_plain(buffer: Tensor) -> bool:
    return buffer.layout is torch.strided and not buffer.is_meta


def uncompiled() -> contextlib.AbstractContextManager[object]:
    """Let what the user compiled, a network or parts of it, run as it is in the block.

    Compiled code does not call hooks that come later, and compiles anew, with warnings, for each size and hook.
    """
    stance: contextlib.AbstractContextManager[object] = torch.compiler.set_stance("force_eager")
    return stance


@contextlib.contextmanager
def without_checkpoints() -> Iterator[None]:
    """Let checkpointed segments of networks that this thread runs in the block run as they are.

    A checkpoint runs its segment again in the backward pass: its first run gives no gradient to what is read inside
    (old style), or the second meets none of our hooks and rules (new style).
    """
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
    """Replaces torch's function of the old style."""

    @staticmethod
    def apply(function: Any, preserve: bool, *arguments: Any) -> Any:
        if getattr(_own, "depth", 0):
            return function(*arguments)
        return _kept[OLD_STYLE].apply(function, preserve, *arguments)


def _straight(*arguments: Any, **words: Any) -> Iterator[None]:
    """Replaces torch's generator of the new style, advanced before and after the segment."""
    if getattr(_own, "depth", 0):
        yield
    else:
        yield from _kept[NEW_STYLE](*arguments, **words)


class Attempt(contextlib.AbstractContextManager["Attempt"]):
    """Lets a network's forward pass raise whatever it likes, and keeps the reason instead.

    A network is the user's own code: no list of exceptions covers it. Interrupts, exhausted memory and our own errors
    pass through.
    """

    def __init__(self) -> None:
        self.reason: str | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        ours = (MemoryError, torch.cuda.OutOfMemoryError, LucidtorchError)
        if not isinstance(error, Exception) or isinstance(error, ours):
            return False
        lines = str(error).strip().splitlines() or ["no reason given"]
        said = " ".join(lines[: 2 if lines[0].endswith(":") else 1])  # of a compiler's message the next line says it
        self.reason = f"{type(error).__name__}: {said[:LONGEST_REASON]}"
        return True


@contextlib.contextmanager
def probing(module: nn.Module) -> Iterator[Attempt]:
    """Let the block run a network once: in eval mode, without gradients, whatever it raises.

    Weights, buffers, flags and the global random state are afterwards what they were.
    """
    places = {tensor.device for tensor in (*module.parameters(), *module.buffers()) if tensor.is_cuda}
    random_state = torch.random.fork_rng(devices=list(places))
    with one_at_a_time(), random_state, frozen(module), torch.no_grad(), contextlib.ExitStack() as modes:
        modes.enter_context(without_checkpoints())
        modes.enter_context(uncompiled())
        with Attempt() as attempt:
            yield attempt
