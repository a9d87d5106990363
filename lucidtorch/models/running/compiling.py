"""Compiled networks: the way to what is read of a network, by torch.compile, where that gives the same numbers."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable, Hashable, Iterator, Mapping
from dataclasses import dataclass, replace
from types import CodeType, FunctionType, MethodType
from typing import Any

import torch
from torch import Tensor, nn

from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.models.layouts.layout import TOKENS
from lucidtorch.models.running.address import CLASS, Address, Pass, pick, read
from lucidtorch.models.running.capture import Run, capture, widened
from lucidtorch.models.running.frozen import Attempt
from lucidtorch.models.running.private import HOOKS

PROGRAMS = 64  # how many are kept: one per network, layers, size and way of computing
SMALL_PASS = 2**19  # pixels; a GPU is done with fewer before Python has asked for the next operation
ROUNDING, COARSE_ROUNDING = 0.01, 0.2  # of the length of all numbers, in float32 and in half precision
# Ends a forward pass once everything asked for is there. torch.compile before 2.8 follows only exceptions that are
# built in and derive from Exception; of these no network raises this one.
ENOUGH = StopAsyncIteration
# Whether what was compiled for one copy of a network fits another; before, other numbers of hooks were another program.
SHARES = tuple(map(int, torch.__version__.split(".")[:2])) >= (2, 14)
OWN_VIEWS = ("", CLASS, TOKENS)  # what is read of a layer's output alone


@contextlib.contextmanager
def compiled(
    module: nn.Module, addresses: Mapping[str, Address], feed: Callable[[Tensor], object], plain: Run, name: str
) -> Iterator[Run]:
    """Run a network as compiled code while the block runs, up to the deepest layer that is read.

    The first pass of each size is made both ways, forward and back. Where the network cannot be compiled as a whole, or
    gives more than a rounding other numbers then, a warning says why, and it runs as it is.

    No gradient of one layer to another can be taken of what it gives, and no ReLU redirected.
    """
    if not addresses or any(address.view not in OWN_VIEWS for address in addresses.values()):
        if addresses:
            _say(name, "what is asked for is read from inside of a layer")
        yield plain
        return
    shareable = SHARES and not any(_foreign_hooks(module))
    cut = _Cut(module, addresses, feed)
    try:
        cut.attach()
        yield _Compiled(cut, plain, name, shareable).run
    finally:
        cut.detach()


class _Cut:
    """A network up to the deepest layer that is read, in plain steps that torch.compile follows to the end."""

    def __init__(self, module: nn.Module, addresses: Mapping[str, Address], feed: Callable[[Tensor], object]) -> None:
        self.module = module
        self.feed = feed
        self.addresses = addresses
        self.parts = [(one.module, one.call, one.parts) for one in addresses.values()]
        self.counts: dict[str, int] = {}
        self.taken: dict[int, Tensor] = {}
        self.running = False
        self.handles: list[Any] = []

    def attach(self) -> None:
        for name in dict.fromkeys(name for name, _, _ in self.parts):
            self.handles.append(self.module.get_submodule(name).register_forward_hook(self._hook_of(name)))

    def detach(self) -> None:
        for handle in self.handles:
            handle.remove()

    def forward(self, images: Tensor) -> dict[int, Tensor]:
        """What is compiled: the tensors that the addresses name, by their places in the list."""
        self.counts = {name: 0 for name, _, _ in self.parts}
        self.taken = {}
        self.running = True
        try:  # noqa: SIM105  # torch.compile before 2.8 does not follow contextlib.suppress
            self.feed(images)
        except ENOUGH:
            pass
        self.running = False
        found = self.taken
        self.taken = {}
        return found

    def given(self, found: Mapping[int, Tensor]) -> dict[str, Tensor]:
        """Read what the addresses mean in these tensors."""
        read_out = {}
        for place, (text, address) in enumerate(self.addresses.items()):
            seen = Pass(self.module.get_submodule(address.module), (), {}, found[place])
            values = widened(read(replace(address, parts=()), seen))
            read_out[text] = torch.softmax(values, dim=1) if address.softmax else values
        return read_out

    def _hook_of(self, name: str) -> Callable[[nn.Module, object, object], None]:
        def hook(layer: nn.Module, inputs: object, output: object) -> None:
            if not self.running:
                return
            call = self.counts[name]
            self.counts[name] = call + 1
            for place, (own, number, parts) in enumerate(self.parts):
                if own == name and number == call:
                    self.taken[place] = pick(output, parts).clone()  # the network may go on in place
            if len(self.taken) == len(self.parts):
                raise ENOUGH

        return hook


@dataclass(eq=False)
class _Program:
    """A function of its own for the compiler, which keeps what it makes with the code; and why it could not."""

    code: CodeType
    refusal: str | None = None

    def on(self, cut: _Cut, settings: Mapping[str, Any]) -> Callable[[Tensor], dict[int, Tensor]]:
        """The compiled network; what was compiled for another copy of it is used again."""
        forward = MethodType(FunctionType(self.code, _Cut.forward.__globals__), cut)
        return torch.compile(forward, fullgraph=True, dynamic=False, **settings)


def _new_program() -> _Program:
    return _Program(_Cut.forward.__code__.replace())


@functools.lru_cache(maxsize=PROGRAMS)
def _kept_program(*facts: Hashable) -> _Program:
    """One program for each network and way of running it, so that a gallery compiles once and not for every batch."""
    return _new_program()


class _Compiled:
    """Runs a network as compiled code wherever that was seen to work."""

    def __init__(self, cut: _Cut, plain: Run, name: str, shareable: bool) -> None:
        self.cut = cut
        self.plain = plain
        self.name = name
        self.shape = _shape_of(cut.module) if shareable else None
        self.programs: dict[Hashable, tuple[_Program, Callable[[Tensor], dict[int, Tensor]]]] = {}

    def run(self, images: Tensor) -> dict[str, Tensor]:
        way = (tuple(images.shape), images.dtype, images.requires_grad, torch.is_grad_enabled(), *_computing(images))
        if way not in self.programs:
            self._try(way, images)
        program, fast = self.programs[way]
        if program.refusal is None:
            with Attempt() as attempt:
                return self._given(fast, images)
            self._refuse(program, str(attempt.reason))
        return self.plain(images)

    def _try(self, way: Hashable, images: Tensor) -> None:
        """Compile, and compare once with what is not compiled."""
        program = _new_program() if self.shape is None else _kept_program(self.shape, tuple(self.cut.parts), way)
        fast = program.on(self.cut, _settings(images))
        self.programs[way] = (program, fast)
        if program.refusal is not None:
            _say(self.name, program.refusal)
            return
        expected = _both_ways(self.plain, images)
        with warnings.catch_warnings(), Attempt() as attempt:
            warnings.simplefilter("ignore")  # of compilers and coming versions
            found = _both_ways(lambda given: self._given(fast, given), images)
        if attempt.reason is not None:
            self._refuse(program, attempt.reason)
        elif not _alike(expected, found, images):
            self._refuse(program, "it gave other numbers")

    def _given(self, fast: Callable[[Tensor], dict[int, Tensor]], images: Tensor) -> dict[str, Tensor]:
        found = fast(images)
        if images.is_cuda:  # the memory of a replayed graph is written to again at the next pass
            found = {place: one.clone() for place, one in found.items()}
        return self.cut.given(found)

    def _refuse(self, program: _Program, reason: str) -> None:
        program.refusal = reason
        self.cut.running = False
        _say(self.name, reason)


def _both_ways(run: Run, images: Tensor) -> list[Tensor]:
    """The outputs, and the gradient of a fixed mixture of them where gradients are wanted."""
    leaf = images.detach().clone().requires_grad_(images.requires_grad)
    found = list(run(leaf).values())
    reached = [one for one in found if one.requires_grad]
    if not reached:
        return [one.detach() for one in found]
    source = torch.Generator().manual_seed(0)
    mixture = [torch.randn(one.shape, generator=source).to(one) for one in reached]
    (gradient,) = torch.autograd.grad(reached, [leaf], mixture, allow_unused=True)
    return [one.detach() for one in found] + ([] if gradient is None else [gradient])


def _alike(expected: list[Tensor], found: list[Tensor], images: Tensor) -> bool:
    most = COARSE_ROUNDING if _computing(images)[0] else ROUNDING
    pairs = list(zip(expected, found, strict=False))
    return len(expected) == len(found) and all(
        one.shape == other.shape
        and bool(_length(one - other) <= most * _length(one))
        and torch.equal(one.isfinite(), other.isfinite())
        for one, other in pairs
    )


def _length(values: Tensor) -> Tensor:
    found: Tensor = torch.linalg.vector_norm(values.nan_to_num(posinf=0, neginf=0))
    return found


def _computing(images: Tensor) -> tuple[bool, torch.dtype, str, int]:
    """What decides the code beside the network and the size."""
    kind = images.device.type
    return torch.is_autocast_enabled(kind), torch.get_autocast_dtype(kind), str(images.device), torch.get_num_threads()


def _settings(images: Tensor) -> dict[str, Any]:
    """How torch.compile works: as graphs that a GPU replays by itself where passes are small."""
    if images.is_cuda:
        pixels = images.numel() // images.shape[1]
        return {"mode": "reduce-overhead" if pixels <= SMALL_PASS else "default"}
    return {"options": {"cpp.threads": torch.get_num_threads()}} if images.device.type == "cpu" else {}


def _shape_of(module: nn.Module) -> Hashable:
    """What a network is made of."""
    return tuple((name, type(part), "forward" in vars(part)) for name, part in module.named_modules())


def _foreign_hooks(module: nn.Module) -> Iterator[object]:
    """The hooks that are not ours: the compiler does not look whether they are still the same."""
    for part in module.modules():
        for kind in HOOKS:
            yield from (hook for hook in getattr(part, kind).values() if not _is_ours(hook))


def _is_ours(hook: object) -> bool:
    return getattr(hook, "__module__", None) in (__name__, capture.__module__)


def _say(name: str, reason: str) -> None:
    message = f"{name} is not compiled ({reason}); it runs as it is."
    warnings.warn(message, LucidtorchWarning, stacklevel=3)
