"""One dry run of a network: every call of a module, the tensors it returned, and what is known of them."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from lucidtorch.models.layers.layout_finder import Key, LayoutFinder
from lucidtorch.models.layers.views import LayerView, head_view, state_views
from lucidtorch.models.layouts.field_tracer import FieldTracer
from lucidtorch.models.layouts.layout import Layout
from lucidtorch.models.layouts.receptive_field import ReceptiveField, as_receptive_field
from lucidtorch.models.layouts.stamps import GREY, stamps, unmixed
from lucidtorch.models.running.address import HEADS, Parts, gives, main_part, pick, tensors
from lucidtorch.models.running.capture import AttentionWatch
from lucidtorch.models.running.frozen import probing
from lucidtorch.models.running.traced_layer import TracedLayer

SMALL, STRIDE = 96, 32  # pixels: below that a smaller image may vanish; most networks take multiples of the stride
UNKNOWN_AXES = ", not channels at places of the image"
ROOT = ""  # the name that named_modules() gives to the whole network
RELU_KINDS = (nn.ReLU, nn.ReLU6)
TRACED_RELUS = ("ReLU", "ReLU6", "relu", "relu_", "relu6")
# The sides to try, by the number of axes, for networks whose size nobody stated.
SIZES_TO_TRY: dict[int, tuple[tuple[int, ...], ...]] = {
    2: tuple((side, side) for side in (224, 128, 96, 64, 48, 32, 28, 256, 299, 384)),
    3: ((16, 112, 112), (32, 32, 32), (64, 64, 64), (16, 224, 224), (8, 32, 32), (16, 16, 16), (96, 96, 96)),
}


@dataclass(frozen=True, slots=True)
class Leaf:
    """One tensor that a call returned."""

    shape: tuple[int, ...]  # as an activation, without the batch; as the network has it where it cannot be one
    receptive_field: ReceptiveField | None  # None for the whole image
    layout: Layout | None  # how it becomes an activation
    refused: str | None  # why it cannot be a target
    raw: tuple[int, ...]  # the shape as the network has it, with the batch

    @property
    def is_unordered(self) -> bool:
        """Whether its channels are known, but not the order of its places."""
        return self.layout is not None and not self.layout.is_ordered


@dataclass(frozen=True, slots=True)
class ModuleCall:
    """One call of one module, noted when it returned."""

    module: str  # its name in `named_modules()`
    number: int  # which of its calls this was, from 0
    leaves: dict[Parts, Leaf]  # the tensors it returned, by the way to each
    main: Parts | None  # the way to the one that is meant when nobody says which
    gives: str  # what it returned, in words, where that was no single tensor
    fed_by: tuple[str, int] | None  # of a ReLU, the module and number of the call whose very output it took
    flops: int  # for one image, up to here
    views: tuple[LayerView, ...] = ()  # of attention heads or states over time


@dataclass(frozen=True, slots=True)
class DryRun:
    """What a dry run noted."""

    size: tuple[int, ...]  # of the image
    calls: list[ModuleCall]  # in the order in which they returned
    broken: str | None  # what the network raised


def dry_run(
    module: nn.Module,
    size: tuple[int, ...],
    *,
    channels: int,
    batch: int,
    normalize: Callable[[Tensor], Tensor],
    run: Callable[[Tensor], object],
    output: Parts = (),
) -> DryRun:
    """Run a network in eval mode, without gradients, and note every call of a module.

    A first pass of one image of another size says which axes follow the image. Where that does not settle what every
    axis is, the images of the pass that is noted have stamps, and nothing is mixed on the way.
    Weights, flags, hooks and the global random state are afterwards as they were.
    """
    other = _other_size(size)
    others, whole = _shapes(module, normalize(torch.full((1, channels, *other), GREY)), run)
    named = dict(module.named_modules())
    parents = {name: named[name.rpartition(".")[0]] for name in named if name}
    is_meta = any(weight.is_meta for weight in module.parameters())
    stamped = batch > 1 and not is_meta and not (whole and all(_is_map(*one) for one in others.items()))
    for marked in (stamps(module, size, channels), None) if stamped else (None,):
        images = torch.full((batch, channels, *size), GREY) if marked is None else marked.images
        finder = LayoutFinder(size, len(images), other, others, marked, parents)
        found = _noted(module, normalize(images), run, output, finder)
        if found.broken is None:
            break
    return found


def _noted(
    module: nn.Module, images: Tensor, run: Callable[[Tensor], object], output: Parts, finder: LayoutFinder
) -> DryRun:
    notes = _Notes(FieldTracer(images), finder, output)
    apart = contextlib.nullcontext(bool) if finder.stamps is None else unmixed(module, len(images))
    with (
        _hooked(module, notes.before, notes.after),
        probing(module) as attempt,
        _attention_in_full(),
        apart as finder.has_queries,
        notes.tracer,
        notes.watch,
    ):
        run(images)
    return DryRun(tuple(images.shape[2:]), notes.calls, attempt.reason)


def _other_size(size: tuple[int, ...]) -> tuple[int, ...]:
    """Choose another size, each side in another proportion and of whole strides."""
    *frames, height, width = size
    if min(height, width) < SMALL:
        sides = [height * 2, width * 3]
    else:
        sides = [max(round(side * part / STRIDE), 1) * STRIDE for side, part in ((height, 0.55), (width, 0.75))]
    return (*(max(1, frame // 2) for frame in frames), *sides)


def _shapes(
    module: nn.Module, image: Tensor, run: Callable[[Tensor], object]
) -> tuple[dict[Key, tuple[int, ...]], bool]:
    """Note the shapes of all outputs, and whether the network took the image."""
    shapes: dict[Key, tuple[int, ...]] = {}
    numbers: Counter[str] = Counter()
    watch = AttentionWatch()

    def before(_: str, layer: nn.Module, inputs: object) -> None:
        watch.enter(layer)

    def after(name: str, layer: nn.Module, _: object, output: object) -> None:
        for parts, tensor in tensors(output):
            shapes[name, numbers[name], parts] = tuple(tensor.shape)
        if (heads := watch.leave(layer)) is not None:
            shapes[name, numbers[name], HEADS] = tuple(heads.shape)
        numbers[name] += 1

    with _hooked(module, before, after), probing(module) as attempt, _attention_in_full(), watch:
        run(image)
    return shapes, attempt.reason is None


def _is_map(key: Key, shape: tuple[int, ...]) -> bool:
    """Whether a tensor that one image gave may be one of maps or of vectors with the batch in front.

    An axis of one beside sides may be anything.
    """
    sure = 1 not in shape[1:] or set(shape[2:]) <= {1}
    return key[-1] != HEADS and len(shape) in (2, 4, 5) and shape[0] == 1 and sure


@contextlib.contextmanager
def _hooked(module: nn.Module, before: Callable[..., None], after: Callable[..., None]) -> Iterator[None]:
    """Call a function before, and one after, every call of a module, with its name first."""
    with contextlib.ExitStack() as hooks:
        for name, child in module.named_modules():
            hooks.callback(child.register_forward_pre_hook(partial(before, name)).remove)
            hooks.callback(child.register_forward_hook(partial(after, name)).remove)
        yield


@contextlib.contextmanager
def _attention_in_full() -> Iterator[None]:
    """Disable fused attention, which only passes without gradients take and which hides its operations."""
    fused = torch.backends.mha.get_fastpath_enabled()
    torch.backends.mha.set_fastpath_enabled(False)
    try:
        yield
    finally:
        torch.backends.mha.set_fastpath_enabled(fused)


class _Notes:
    """What the hooks of a dry run note."""

    def __init__(self, tracer: FieldTracer, finder: LayoutFinder, output: Parts) -> None:
        self.calls: list[ModuleCall] = []
        self.tracer = tracer
        self.watch = AttentionWatch()
        self._finder = finder
        self._output = output
        self._numbers: Counter[str] = Counter()
        self._makers: Any = WeakTensorKeyDictionary()  # of each output, the call and the version that it left
        self._feeders: dict[str, tuple[str, int] | None] = {}

    def before(self, name: str, layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        """Note whose output a ReLU takes."""
        self.watch.enter(layer)
        if isinstance(layer, RELU_KINDS):
            taken = inputs[0] if inputs else None
            maker, version = self._makers.get(taken, (None, -1)) if isinstance(taken, Tensor) else (None, -1)
            self._feeders[name] = maker if isinstance(taken, Tensor) and taken._version == version else None

    def after(self, name: str, layer: nn.Module, inputs: tuple[Any, ...], output: object) -> None:
        number = self._numbers[name]
        self._numbers[name] += 1
        given = inputs[0] if len(inputs) == 1 else None
        leaves = {
            parts: self._leaf((name, number, parts), tensor, layer, None if parts else given)
            for parts, tensor in tensors(output)
        }
        main = main_part(output)
        if name == ROOT and self._output:
            inner = main_part(pick(output, self._output))
            main = None if inner is None else (*self._output, *inner)
            if main is not None and main not in leaves:
                leaves[main] = self._leaf((name, number, main), pick(output, main), layer, None)
        flops = self.tracer.flops // self._finder.batch
        feeder, views = self._feeder(layer, name), self._views(name, number, layer, output)
        self.calls.append(ModuleCall(name, number, leaves, main, gives(output), feeder, flops, views))
        known = self._makers.get(output) if isinstance(output, Tensor) else None
        if isinstance(output, Tensor) and (known is None or known[1] != output._version):
            self._makers[output] = ((name, number), output._version)

    def _feeder(self, layer: nn.Module, name: str) -> tuple[str, int] | None:
        """The call whose very output a ReLU took; a traced view knows it."""
        if isinstance(layer, TracedLayer) and layer.kind in TRACED_RELUS and layer.fed_by is not None:
            return layer.fed_by, 0
        return self._feeders.pop(name, None)

    def _views(self, name: str, number: int, layer: nn.Module, output: object) -> tuple[LayerView, ...]:
        heads = self.watch.leave(layer)
        layout = None if heads is None else self._finder.find((name, number, HEADS), heads, layer)
        of_heads = None if heads is None else head_view(heads, layout)
        return (*([] if of_heads is None else [of_heads]), *state_views(layer, output, self._finder.batch))

    def _leaf(self, key: Key, tensor: Tensor, layer: nn.Module, given: object) -> Leaf:
        field = self.tracer.field(tensor)
        layout = None if field is None else self._finder.find(key, tensor, layer, given)
        refused = self._refusal(tensor, layout, depends=field is not None)
        seen = as_receptive_field(field) if layout is None or len(layout.grid or ()) == len(field or ()) else None
        if layout is None or refused is not None:
            return Leaf(tuple(tensor.shape[1:]), seen, None, refused, tuple(tensor.shape))
        return Leaf(tuple(layout.apply(tensor).shape[1:]), seen, layout, None, tuple(tensor.shape))

    def _refusal(self, tensor: Tensor, layout: Layout | None, *, depends: bool) -> str | None:
        if not tensor.is_floating_point():
            return f"gives {tensor.dtype}"
        if layout is not None:
            return None
        if not depends:
            return "gives what does not depend on the image"
        return f"gives a tensor {list(tensor.shape)} for {self._finder.batch} images{UNKNOWN_AXES}"
