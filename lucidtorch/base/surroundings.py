"""Computing the same whatever surrounds the call: the caller's autocast, torch's defaults, and other threads."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._device import DeviceContext

AUTOCAST_DEVICES = ("cpu", "cuda", "mps", "xpu")
_PASS = threading.RLock()
_USERS: ContextVar[torch.device | None] = ContextVar("the caller's default device", default=None)


@contextlib.contextmanager
def pinned() -> Iterator[None]:
    """Let the block compute as in a fresh program; the caller's surroundings are back afterwards.

    Inside, no autocast is on, the default type is float32, the default device is the CPU (in passes of a network:
    `default_device_of_network`), and tensors are made outside of inference mode. Whether gradients are taken stays as
    it is. The default type belongs to the whole process: other threads see float32 as long as any such block runs.
    """
    with contextlib.ExitStack() as held:
        held.enter_context(_FLOAT32)
        if torch.is_inference_mode_enabled():
            held.enter_context(torch.inference_mode(False))
            held.enter_context(torch.no_grad())  # leaving inference mode turns gradients on
        for kind in AUTOCAST_DEVICES:
            if torch.is_autocast_enabled(kind):
                held.enter_context(torch.autocast(kind, enabled=False))
        users = torch.empty(0).device  # `get_default_device` of torch 2.6 misses `with torch.device(...)`
        if users.type != "cpu":
            token = _USERS.set(users)
            held.callback(_USERS.reset, token)
            held.enter_context(_Default(torch.device("cpu")))
        yield


@contextlib.contextmanager
def default_device_of_network(device: torch.device) -> Iterator[None]:
    """Let a network run with the default device that the caller gave it.

    A forward pass that makes tensors by the default needs that. Where the caller's default is another device than the
    network's, as `meta` for networks that are built next, the CPU stays the default.
    """
    if _USERS.get() != device:
        yield
        return
    with _Default(device):
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


class _Default(TorchFunctionMode):
    """A default device.

    It lies above the caller's own default and so comes before it; in torch 2.6 an inner `with torch.device(...)` does
    not, since each goes to the bottom of the stack.
    """

    def __init__(self, device: torch.device) -> None:
        super().__init__()
        self._context = DeviceContext(device)

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        return self._context.__torch_function__(func, types, args, dict(kwargs or {}))  # type: ignore[no-untyped-call]


_FLOAT32 = _Float32()
