"""Computing the same whatever surrounds the call: the caller's autocast, torch's defaults, and other threads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._device import DeviceContext

AUTOCAST_DEVICES = ("cpu", "cuda", "mps", "xpu")
_PASS = threading.RLock()


@contextlib.contextmanager
def pinned() -> Iterator[None]:
    """Let the block compute as in a fresh program; the caller's surroundings are back afterwards.

    Inside, no autocast is on, the default type is float32, the default device is the CPU, and tensors are made outside
    of inference mode. Whether gradients are taken stays as it is. The default type belongs to the whole process: other
    threads see float32 as long as any such block runs.
    """
    with contextlib.ExitStack() as held:
        held.enter_context(_FLOAT32)
        if torch.is_inference_mode_enabled():
            held.enter_context(torch.inference_mode(False))
            held.enter_context(torch.no_grad())  # leaving inference mode turns gradients on
        for kind in AUTOCAST_DEVICES:
            if torch.is_autocast_enabled(kind):
                held.enter_context(torch.autocast(kind, enabled=False))
        if torch.empty(0).device.type != "cpu":  # `get_default_device` of torch 2.6 misses `with torch.device(...)`
            held.enter_context(_OnCPU())
        yield


@contextlib.contextmanager
def one_at_a_time() -> Iterator[None]:
    """Let no other thread run such a block meanwhile; a thread may enter again what it is in.

    Hooks on a network and the global random states belong to the whole process. Such a block is one pass or one update,
    never a whole render, and calls no code of the user's but networks, objectives, params and transforms.
    """
    with _PASS:
        yield


class _Float32:
    """The default type float32, while any thread is inside; the user's own is back when the last one leaves."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._inside = 0
        self._users: torch.dtype | None = None

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            if (users := torch.get_default_dtype()) is not torch.float32:
                self._users = users
                torch.set_default_dtype(torch.float32)

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._users is not None:
                torch.set_default_dtype(self._users)
                self._users = None


class _OnCPU(TorchFunctionMode):
    """The CPU as the default device.

    It lies above the caller's own default and so comes before it; in torch 2.6 an inner `with torch.device(...)` does
    not, since each goes to the bottom of the stack.
    """

    def __init__(self) -> None:
        super().__init__()
        self._cpu = DeviceContext(torch.device("cpu"))

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        return self._cpu.__torch_function__(func, types, args, dict(kwargs or {}))  # type: ignore[no-untyped-call]


_FLOAT32 = _Float32()
