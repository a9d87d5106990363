"""One dry run of a network that notes every module as it fires."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from lucidtorch.models.axes.field_tracer import FieldTracer
from lucidtorch.models.axes.layout import Layout
from lucidtorch.models.axes.receptive_field import ReceptiveField, as_receptive_field
from lucidtorch.models.layers.outputs import Parts, gives, main_part, pick, tensors
from lucidtorch.models.layers.views import View, head_view, state_views
from lucidtorch.models.running.attention import AttentionWatch
from lucidtorch.models.running.probe import probing
from lucidtorch.models.sources.traced_layers import TracedLayer

ROOT = ""  # the name that named_modules() gives to the whole network
RELU_KINDS = (nn.ReLU, nn.ReLU6)
TRACED_RELUS = ("ReLU", "ReLU6", "relu", "relu_", "relu6")


@dataclass(frozen=True, slots=True)
class Leaf:
    """One tensor that a call gave.

    Args:
        shape: Its shape as an activation, without the batch; as the network has it where it cannot be one.
        receptive_field: What a unit of it sees; None for the whole image.
        layout: How it becomes an activation; None where it cannot.
        refused: Why it cannot be a target, or None where it can.
    """

    shape: tuple[int, ...]
    receptive_field: ReceptiveField | None
    layout: Layout | None
    refused: str | None


@dataclass(frozen=True, slots=True)
class Firing:
    """One call of one module, noted when the call returned.

    Args:
        module: The module's name in `named_modules()`.
        call: Which of its calls this was, from 0.
        leaves: The tensors it gave, by the way to each.
        main: The way to the one that is meant when nobody says which; None where there is no such.
        gives: What it gave, in words, where that was no single tensor.
        fed_by: For a ReLU, the module and call whose very output it took.
        flops: The floating-point operations for one image up to here.
        views: How its attention heads or its states over time can be read.
    """

    module: str
    call: int
    leaves: dict[Parts, Leaf]
    main: Parts | None
    gives: str
    fed_by: tuple[str, int] | None
    flops: int
    views: tuple[View, ...] = ()


@dataclass(slots=True)
class Walk:
    """What a dry run found.

    Args:
        size: The sides of the image that was shown.
        firings: All calls in the order in which they returned.
        broken: What the network raised, or None.
    """

    size: tuple[int, ...]
    firings: list[Firing] = field(default_factory=list)
    broken: str | None = None


def walk(module: nn.Module, images: Tensor, feed: Callable[[Tensor], object] | None = None, output: Parts = ()) -> Walk:
    """Run a network once in eval mode, without gradients, and note what fires.

    Weights, flags, hooks and the global random state are afterwards as they were.

    Args:
        module: The network.
        images: Its normalized input `[B, C, H, W]`; two images tell the batch apart from axes of size one.
        feed: What runs the network on images, where it takes more than them.
        output: The way into what the network gives, where its owner says which part is meant.

    Returns:
        Every call up to the end, or up to where the network raised.
    """
    found = Walk(tuple(images.shape[2:]))
    tracer = FieldTracer(images)
    notes = _Notes(found.firings, tracer, images.shape[0], output)
    with notes.on(module), probing(module) as attempt, _attention_in_full(), tracer, notes.watch:
        (feed or module)(images)
    found.broken = attempt.reason
    return found


@contextlib.contextmanager
def _attention_in_full() -> Iterator[None]:
    """Keep attention from its fused form, which only passes without gradients take and which hides its operations."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


class _Notes:
    """The hooks of one dry run, and what they write down."""

    def __init__(self, firings: list[Firing], tracer: FieldTracer, batch: int, output: Parts) -> None:
        self._firings = firings
        self._tracer = tracer
        self._batch = batch
        self._output = output
        self._calls: Counter[str] = Counter()
        self._makers: Any = WeakTensorKeyDictionary()
        self._feeders: dict[str, tuple[str, int] | None] = {}
        self.watch = AttentionWatch()

    @contextlib.contextmanager
    def on(self, module: nn.Module) -> Iterator[None]:
        """Listen to every module of a network while the block runs."""
        with contextlib.ExitStack() as hooks:
            for name, child in module.named_modules():
                hooks.callback(child.register_forward_pre_hook(self._begin).remove)
                if isinstance(child, RELU_KINDS):
                    hooks.callback(child.register_forward_pre_hook(self._before(name)).remove)
                hooks.callback(child.register_forward_hook(self._after(name)).remove)
            yield

    def _begin(self, layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        self.watch.enter(layer)

    def _before(self, name: str) -> Any:
        def note(_: nn.Module, inputs: tuple[Any, ...]) -> None:
            taken = inputs[0] if inputs else None
            maker, version = self._makers.get(taken, (None, -1)) if isinstance(taken, Tensor) else (None, -1)
            unchanged = isinstance(taken, Tensor) and taken._version == version
            self._feeders[name] = maker if unchanged else None

        return note

    def _after(self, name: str) -> Any:
        def note(layer: nn.Module, __: tuple[Any, ...], output: object) -> None:
            call = self._calls[name]
            self._calls[name] += 1
            firing = self._firing(name, call, output, self._feeder(layer, name))
            self._firings.append(replace(firing, views=self._views(layer, output)))
            if isinstance(output, Tensor):
                self._remember_maker(output, name, call)

        return note

    def _remember_maker(self, output: Tensor, name: str, call: int) -> None:
        known = self._makers.get(output)
        if known is None or known[1] != output._version:
            self._makers[output] = ((name, call), output._version)

    def _feeder(self, layer: nn.Module, name: str) -> tuple[str, int] | None:
        """The call whose very output a ReLU took; a traced view knows it by the operations' order."""
        if isinstance(layer, TracedLayer) and layer.kind in TRACED_RELUS and layer.fed_by is not None:
            return layer.fed_by, 0
        return self._feeders.pop(name, None)

    def _firing(self, name: str, call: int, output: object, fed_by: tuple[str, int] | None) -> Firing:
        leaves = {parts: self._leaf(tensor) for parts, tensor in tensors(output)}
        main = main_part(output)
        if name == ROOT and self._output:
            meant = pick(output, self._output)
            inner = main_part(meant)
            main = None if inner is None else (*self._output, *inner)
            if main is not None and main not in leaves:
                leaves[main] = self._leaf(pick(output, main))
        flops = self._tracer.flops // self._batch
        return Firing(name, call, leaves, main, gives(output), fed_by, flops)

    def _views(self, layer: nn.Module, output: object) -> tuple[View, ...]:
        heads = self.watch.leave(layer)
        of_heads = None if heads is None else head_view(heads, self._tracer.layout(heads))
        return (*([] if of_heads is None else [of_heads]), *state_views(layer, output, self._batch))

    def _leaf(self, tensor: Tensor) -> Leaf:
        seen = as_receptive_field(self._tracer.field(tensor))
        layout = self._tracer.layout(tensor)
        refused = self._refusal(tensor, layout)
        if refused is not None:
            return Leaf(tuple(tensor.shape[1:]), seen, None, refused)
        shape = tensor.shape if layout is None else layout.apply(tensor).shape
        return Leaf(tuple(shape[1:]), seen, layout, None)

    def _refusal(self, tensor: Tensor, layout: Layout | None) -> str | None:
        """Say why a tensor cannot be a target; axes that were lost are taken for `[B, C, H, W]` or `[B, C]`."""
        if not tensor.is_floating_point():
            return f"gives {tensor.dtype}"
        if layout is not None:
            return None
        if self._tracer.field(tensor) is None:
            return "gives what does not depend on the image"
        if self._tracer.knows(tensor) or tensor.dim() not in (2, 4):
            return f"gives a tensor {list(tensor.shape)} for {self._batch} images, not channels at places of the image"
        if tensor.shape[0] != self._batch:
            return f"gives {tensor.shape[0]} rows for {self._batch} images"
        return None
