"""Computing the same whatever surrounds the call: the caller's autocast, torch's defaults, and other threads."""

from __future__ import annotations

import contextlib
import struct
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextvars import ContextVar
from typing import Any, Generic, NamedTuple, TypeVar

import torch
from torch.overrides import TorchFunctionMode
from torch.utils._device import DeviceContext

AUTOCAST_DEVICES = ("cpu", "cuda", "mps", "xpu")
HIGHEST = "highest"  # precision of matrix products; "high" and "medium" allow TF32 and bfloat16 inside
ROUNDED = ("tf32", "bf16")  # what `fp32_precision`, of torch since 2.9, allows inside of float32 operations
(SMALLEST,) = struct.unpack("d", bytes([1]).ljust(8, b"\0"))  # denormal; a literal could be flushed when it is read
State = TypeVar("State")
_PASS = threading.RLock()
_USERS: ContextVar[torch.device | None] = ContextVar("the caller's default device", default=None)


@contextlib.contextmanager
def pinned() -> Iterator[None]:
    """Let the block compute as in a fresh program; the caller's surroundings are back afterwards.

    Inside, no autocast is on, the default type is float32, the default device is the CPU (in passes of a network:
    `default_device_of_network`), and tensors are made outside of inference mode. Whether gradients are taken stays as
    it is. Float32 is computed as precisely as by default (matrix products in float32, cuDNN's convolutions in TF32),
    cuDNN chooses no algorithms by timing, and denormal numbers are kept. Deterministic algorithms, which the caller may
    ask for, stay: they compute the same up to rounding.

    The default type, the precision and cuDNN's choice belong to the whole process: other threads see them as they are
    here as long as any such block runs.
    """
    with contextlib.ExitStack() as held:
        for setting in _OF_THE_PROCESS:
            held.enter_context(setting)
        if SMALLEST * 1.0 == 0.0:  # this thread flushes them
            torch.set_flush_denormal(False)
            held.callback(torch.set_flush_denormal, True)
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


class _Setting(Generic[State]):
    """A setting of the process as in a fresh program, while any thread is inside; afterwards the user's own is back."""

    def __init__(
        self, read: Callable[[], State], write: Callable[[State], object], fresh: Callable[[State], State]
    ) -> None:
        self._read, self._write, self._fresh = read, write, fresh
        self._lock = threading.Lock()
        self._inside = 0
        self._users: list[State] = []

    def __enter__(self) -> None:
        with self._lock:
            self._inside += 1
            users = self._read()
            if (fresh := self._fresh(users)) != users:
                self._users = [users]
                self._write(fresh)

    def __exit__(self, *error: object) -> None:
        with self._lock:
            self._inside -= 1
            if self._inside == 0 and self._users:
                self._write(self._users.pop())


class _Precision(NamedTuple):
    """How precisely float32 is computed; None for what cannot be read, since the user set it by torch's other words."""

    products: str | None
    cudnn_tf32: bool | None
    parts: tuple[str, ...]  # by torch's words since 2.9, in the order of `_parts`

    @classmethod
    def read(cls) -> _Precision:
        products = cudnn_tf32 = None
        with contextlib.suppress(RuntimeError):
            products = torch.get_float32_matmul_precision()
        with contextlib.suppress(RuntimeError):
            cudnn_tf32 = bool(torch.backends.cudnn.allow_tf32)
        return cls(products, cudnn_tf32, tuple(part.fp32_precision for part in _parts()))

    def fresh(self) -> _Precision:
        """The precision of a fresh program: TF32 in the convolutions and recurrences of cuDNN alone."""
        parts = ["ieee" if one in ROUNDED else one for one in self.parts]
        parts[-CUDNN_PARTS:] = ["tf32"] * len(parts[-CUDNN_PARTS:])
        return _Precision(self.products and HIGHEST, self.cudnn_tf32 is not None or None, tuple(parts))

    def write(self) -> None:
        """Set it by the words that it was read by, so that both kinds go on fitting each other."""
        now = _Precision.read()
        if self.products not in (None, now.products):
            torch.set_float32_matmul_precision(self.products)
        if self.cudnn_tf32 not in (None, now.cudnn_tf32):
            torch.backends.cudnn.allow_tf32 = self.cudnn_tf32
        for part, precision in zip(_parts(), self.parts, strict=True):
            if part.fp32_precision != precision:
                part.fp32_precision = precision


CUDNN_PARTS = 2  # at the end of `_parts`


def _parts() -> tuple[Any, ...]:
    """The kinds of operations whose precision torch sets one by one, since version 2.9."""
    backends: Any = torch.backends
    if not hasattr(backends.cudnn, "conv"):
        return ()
    own = backends.mkldnn
    return backends.cuda.matmul, own.matmul, own.conv, own.rnn, backends.cudnn.conv, backends.cudnn.rnn


def _benchmark() -> bool:
    return bool(torch.backends.cudnn.benchmark)


def _set_benchmark(on: bool) -> None:
    torch.backends.cudnn.benchmark = on


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


_OF_THE_PROCESS: tuple[_Setting[Any], ...] = (
    _Setting(torch.get_default_dtype, torch.set_default_dtype, lambda _: torch.float32),
    _Setting(_Precision.read, _Precision.write, _Precision.fresh),
    _Setting(_benchmark, _set_benchmark, lambda _: False),
)
