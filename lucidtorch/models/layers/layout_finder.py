"""What each axis of a layer's output is: found by passes at other sizes and by stamps moved over the image."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from itertools import combinations
from typing import Any, TypeAlias

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from lucidtorch.models.layouts.arrangements import Energies, arrangement
from lucidtorch.models.layouts.layout import BATCH, CHANNEL, PLACES, SPACE, Dimension, Layout, Piece
from lucidtorch.models.layouts.stamps import ALIGNED, STAMPS, Stamps
from lucidtorch.models.running.address import HEADS
from lucidtorch.models.running.frozen import Attempt

Key: TypeAlias = tuple[Any, ...]  # a module's name, which of its calls, and the way into its output, or HEADS
MIXED = 0.75  # of an axis of channels, where all other axes are places in a known order
MOVED, STILL = 0.9, 0.5  # of what an axis says of two stamps: the share that lies elsewhere; a gap, not a threshold
CHANNELS_FIRST: tuple[type[nn.Module], ...] = (
    *(nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.ConvTranspose1d, nn.ConvTranspose2d, nn.ConvTranspose3d),
    *(nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d, nn.GroupNorm, nn.InstanceNorm2d, nn.InstanceNorm3d),
    *(nn.MaxPool2d, nn.MaxPool3d, nn.AvgPool2d, nn.AvgPool3d, nn.AdaptiveAvgPool2d, nn.AdaptiveAvgPool3d),
    *(nn.AdaptiveMaxPool2d, nn.AdaptiveMaxPool3d, nn.Upsample, nn.LocalResponseNorm),
    *(nn.PixelShuffle, nn.PixelUnshuffle),
)
CHANNELS_LAST: tuple[type[nn.Module], ...] = (nn.Linear, nn.LayerNorm, nn.RNNBase, nn.MultiheadAttention)
PLACE_BY_PLACE: tuple[type[nn.Module], ...] = (nn.Linear, nn.LayerNorm)
UNPADDED = 0.2  # of a side: what convolutions without padding may have cut off
HEADED = 3  # axes beside the batch of a tensor with attention heads: heads, places, the channels of each
RECURRENT = 3  # axes of sequences, and of the states after them
MAIN: tuple[Key, ...] = ((), (0,))  # the part of an output that torch's own layers are about
WITHOUT_WEIGHTS = 6  # numbers on each side on which a module shows that it works number by number


@dataclass(slots=True)
class LayoutFinder:
    """Finds the layouts of what one pass of a network gives."""

    size: tuple[int, ...]  # of the images of this pass
    batch: int
    other_size: tuple[int, ...]  # of the one image of an earlier pass
    others: Mapping[Key, tuple[int, ...]]  # the shapes that the earlier pass gave
    stamps: Stamps | None  # the images of this pass, where nothing was mixed
    parents: Mapping[str, nn.Module]  # the module that each module is a part of, by name
    has_queries: Callable[[], bool] = bool  # whether learned queries, which are no places, attended to the image
    _known: Any = field(default_factory=WeakTensorKeyDictionary, init=False)  # layouts by tensor
    _maps: set[tuple[int, ...]] = field(default_factory=set, init=False)  # the shapes of maps
    _follows: bool = field(default=False, init=False)  # whether something before this output grew with the image

    def find(self, key: Key, tensor: Tensor, layer: nn.Module, given: object = None) -> Layout | None:
        """Find out what each axis of an output is."""
        found: Layout | None = self._known.get(tensor)
        if found is None and isinstance(given, Tensor):
            found = _inherited(layer, given, self._known.get(given), tensor)
        if found is None or not found.is_ordered:
            again = self._found(key, tensor, layer)
            if again is None and key[-1] == HEADS:
                again = _of_heads(tuple(tensor.shape), self.batch, layer)
            agrees = found is None or (again is not None and again.channel_axes == found.channel_axes)
            found = (again if agrees else found) or self._like_a_map(tuple(tensor.shape))
        self._known[tensor] = found
        if found is not None and found.is_plain and found.is_ordered:
            self._maps.add(tuple(tensor.shape))
        return found

    def _found(self, key: Key, tensor: Tensor, layer: nn.Module) -> Layout | None:
        shape = tuple(tensor.shape)
        if len(shape) < 2 or not tensor.is_floating_point() or not tensor.numel():
            return None
        if isinstance(layer, nn.RNNBase) and (len(shape) != RECURRENT or (key[-1] not in MAIN and shape[0] > 1)):
            return None  # packed or unbatched sequences, and the states of several layers
        channel = by_contract = _channel_by_contract(layer, key, shape)
        other = self.others.get(key)
        other = None if other is None or len(other) != len(shape) else other
        batch, moved = (None, []) if other is None else self._moved(shape, other)
        self._follows |= bool(moved)
        by_shape = None if other is None else self._by_shape(shape, other)
        if by_shape is not None and channel in (None, by_shape[0]):
            channel = by_shape[0]
            if by_shape[1] is not None:
                return by_shape[1]
        in_front = batch == 0 or (batch is None and shape[0] == self.batch)
        if in_front and len(shape) == 2 and (self.stamps is None or other is None):
            return _plain(shape)
        last = -len(self.size)
        sides = {new == old for new, old in zip((other or ())[last:], shape[last:], strict=False) if old > 1}
        if in_front and len(shape) in (4, 5) and by_contract == 1 and len(sides) < 2:  # these layers make maps
            return _plain(shape)
        front = 0 if in_front else batch
        still = self._follows and batch is not None and not moved
        queries = len(shape) == RECURRENT and (still or (other is None and self.has_queries()))
        wide = [axis for axis, size in enumerate(shape) if axis != front and size > 1]
        if queries and front is not None and len(wide) == 1:
            return _loose(shape, front, wide[0])
        found = None if queries else self._by_content(tensor, channel, key, layer, batch)
        if found is None and in_front and len(shape) == 2:
            return _plain(shape)
        if found is None and front is not None and channel and (channel == by_contract or len(shape) == RECURRENT):
            return _loose(shape, front, channel)
        return found or (None if front is None else _by_width(shape, front, layer))

    def _batch_axes(self, shape: tuple[int, ...], other: tuple[int, ...]) -> list[int]:
        return [axis for axis, size in enumerate(shape) if size == self.batch and other[axis] == 1]

    def _moved(self, shape: tuple[int, ...], other: tuple[int, ...]) -> tuple[int | None, list[int]]:
        """The axis of the batch, where that is clear, and the axes that change with the image."""
        batches = self._batch_axes(shape, other)
        if len(batches) != 1:
            return None, []
        return batches[0], [axis for axis, size in enumerate(shape) if axis != batches[0] and size != other[axis]]

    def _by_shape(self, shape: tuple[int, ...], other: tuple[int, ...]) -> tuple[int | None, Layout | None] | None:
        """The channels are the one axis that stays; and the layout, where each side of the image is an axis."""
        batches = self._batch_axes(shape, other)
        merged = not batches and self.batch > 1 and shape[0] % self.batch == 0 and shape[0] != other[0]
        if not batches and not merged:
            return None
        batch = 0 if merged else batches[0]
        rest = [axis for axis in range(len(shape)) if axis != batch]
        still = [axis for axis in rest if shape[axis] == other[axis]]
        wide = [axis for axis in still if shape[axis] > 1]
        if len(still) == len(rest) > 1 and len(wide) != 1:
            return None
        if len(shape) == 2 and not merged:
            return (1 - batch, None if batch else _plain(shape)) if still or self.stamps is None else None
        if len(wide) > 1 or not still:
            return None
        channel = wide[0] if wide else still[0]
        if len(still) > 1 and channel not in (1, len(shape) - 1):
            return None  # axes of one may be the channels as well
        sides = [axis for axis in rest if axis != channel]
        kinds = _kinds_of(self.size)
        single = {shape[axis] == other[axis] == 1 for axis in sides}
        if merged or len(sides) != len(kinds) or len(single) > 1:
            return channel, None  # beside an axis of one there may be rows, or rows and columns one after the other
        ratios = {k: new / old for k, new, old in zip(kinds, self.other_size, self.size, strict=True)}
        fits: list[tuple[float, int, Layout]] = []
        for order in (kinds, (*kinds[:-2], *reversed(kinds[-2:]))):  # equal where a side is too short to tell
            off = [
                abs(other[axis] - shape[axis] * ratios[kind]) if shape[axis] > 1 or other[axis] > 1 else 0
                for axis, kind in zip(sides, order, strict=True)
            ]
            if all(
                one <= max(1, UNPADDED * max(shape[axis], other[axis])) for axis, one in zip(sides, off, strict=True)
            ):
                named = {batch: BATCH, channel: CHANNEL, **dict(zip(sides, order, strict=True))}
                layout = Layout(tuple(_whole(named[axis], shape[axis]) for axis in range(len(shape))))
                fits.append((round(sum(off), 3), len(fits), layout))
        return channel, min(fits)[-1] if fits else None

    def _by_content(
        self, tensor: Tensor, channel: int | None, key: Key, layer: nn.Module, batch: int | None
    ) -> Layout | None:
        """Find the layout by where the stamps arrive."""
        if self.stamps is None:
            return None
        values = tensor.detach().to("cpu", torch.float32).numpy()
        heads = key[-1] == HEADS
        owner = layer if heads else self.parents.get(key[0])
        widths = set() if owner is None else _widths(owner)
        loose = None
        for axis, before, after in _batches(tuple(tensor.shape), self.batch):
            if axis == channel or batch not in (None, axis):
                continue
            split = _Split(values, axis, before, after, self.stamps)
            found = split.layout(self.size, channel, widths, heads=heads)
            if found is not None and found.is_ordered:
                return found
            loose = loose or (found if before == after == 1 else None)
        return loose

    def _like_a_map(self, shape: tuple[int, ...]) -> Layout | None:
        """Maps of a shape that is known, and in which no side is as long as there are channels."""
        return _plain(shape) if shape in self._maps and len(shape) > 2 and shape[1] not in shape[2:] else None


class _Split:
    """What an output says of the stamps, its axes named once the batch is taken out of one of them."""

    def __init__(self, values: Any, axis: int, before: int, after: int, stamps: Stamps) -> None:
        self.shape, self.axis, self.before, self.after, self.stamps = values.shape, axis, before, after, stamps
        count = len(stamps.images)
        parted = values.reshape(*values.shape[:axis], before, count, after, *values.shape[axis + 1 :])
        self.values = np.moveaxis(parted, axis + 1, 0)
        self.energies = _energies(self.values[:STAMPS])
        self.wide = [axis for axis in range(self.energies.ndim - 1) if self.energies.shape[1 + axis] > 1]
        self.owners = [*range(axis), axis, axis, *range(axis + 1, values.ndim)]  # the raw axis of each of the others

    def layout(self, size: Sequence[int], channel: int | None, widths: set[int], *, heads: bool) -> Layout | None:
        """The one reading in which every stamp arrives at its place; or channels, and places of unknown order."""
        energies = self.energies
        if channel is not None and self.shape[channel] == 1:
            return None
        known = [axis for axis in self.wide if channel is not None and self.owners[axis] == channel]
        counts = energies.shape[1:]
        alone = [(axis,) for axis in known or self.wide if known or self._may_be_channels((axis,))]
        joint: list[tuple[int, ...]] = []
        if len(self.wide) >= HEADED:  # attention heads, which together are as wide as a weight beside them
            pairs = [pair for pair in combinations(self.wide, 2) if counts[pair[0]] * counts[pair[1]] in widths]
            joint = [pair for pair in pairs if set(known) <= set(pair)]
        none: list[tuple[int, ...]] = [()] if not known and self._may_be_channels(()) else []
        for options in (joint, alone) if heads else (alone, joint, none):
            readings = [one for option in options if (one := self._reading(option, size)) is not None]
            if readings:
                return readings[0] if len(readings) == 1 else None
        return self._unordered(known)

    @cached_property
    def _moves(self) -> dict[int, tuple[float, float]]:
        return {axis: _moves(self.energies, axis) for axis in self.wide}

    def _may_be_channels(self, chosen: Sequence[int]) -> bool:
        """Whether these axes stay while all others move."""
        moves = self._moves
        return all(moves[axis][0] < MIXED if axis in chosen else moves[axis][1] >= MOVED for axis in self.wide)

    def _reading(self, channels: Sequence[int], size: Sequence[int]) -> Layout | None:
        places = [axis for axis in self.wide if axis not in channels]
        if not places:
            return None
        gone = tuple(axis for axis in range(1, self.energies.ndim) if axis - 1 not in places)
        energies = self.energies.sum(gone).astype(np.float64)
        found = arrangement(energies, size, self.stamps, lambda: self._marked(gone))
        return None if found is None else self._named(dict(zip(places, found, strict=True)), channels)

    def _marked(self, gone: tuple[int, ...]) -> Energies:
        """How much each place differs, in the images with many patches, from what it says of grey.

        That is what two of the three images with one patch say at least, whose patches lie apart: their median.
        """
        one, two, three = self.values[:STAMPS]
        grey = np.maximum(np.minimum(one, two), np.minimum(np.maximum(one, two), three))
        apart: Energies = np.square(self.values[STAMPS:] - grey).sum(gone).astype(np.float64)
        return apart

    def _unordered(self, known: Sequence[int]) -> Layout | None:
        """Channels, and places of unknown order."""
        moves = {} if known else self._moves
        still = [axis for axis, (near, far) in moves.items() if near < STILL and far < MOVED]
        channels = known or (self.wide if len(self.wide) == 1 else still)
        others = [axis for axis in self.wide if axis not in channels]
        if self.before * self.after > 1 or len(channels) != 1 or (not known and len(others) > 1):
            return None
        if not known and any(moves[axis][1] < MOVED for axis in others):
            return None
        return _loose(self.shape, self.axis, self.owners[channels[0]]) if others else self._named({}, channels)

    def _named(self, arranged: Mapping[int, Dimension], channels: Sequence[int]) -> Layout:
        dimensions: list[Dimension] = [() for _ in self.shape]
        for axis, owner in enumerate(self.owners):
            if owner == self.axis and axis == self.axis + 1:
                dimensions[owner] += (Piece(BATCH, len(self.values)),)
            count = self.energies.shape[1 + axis]
            if axis in channels:
                dimensions[owner] += (Piece(CHANNEL, count),)
            dimensions[owner] += arranged.get(axis, ())
        return Layout(tuple(dimensions))


def _of_heads(shape: Sequence[int], batch: int, layer: nn.Module) -> Layout | None:
    """What attention gives by its convention, `[B, heads, N, d]`, or `[B heads, N, d]` in torch's own layer."""
    places, channels = ((Piece(kind, size),) for kind, size in zip((PLACES, CHANNEL), shape[-2:], strict=True))
    heads = layer.num_heads if isinstance(layer, nn.MultiheadAttention) else shape[1]
    if len(shape) == HEADED + 1 and shape[0] == batch:
        return Layout(((Piece(BATCH, batch),), (Piece(CHANNEL, heads),), places, channels))
    if isinstance(layer, nn.MultiheadAttention) and len(shape) == HEADED and shape[0] == batch * heads:
        return Layout(((Piece(BATCH, batch), Piece(CHANNEL, heads)), places, channels))
    return None


def _by_width(shape: Sequence[int], batch: int, layer: nn.Module) -> Layout | None:
    """Units without places, such as queries: the size of the last weights says which axis is the channels."""
    widths = {weight.shape[0] for weight in list(layer.parameters())[-1:]}
    named = [axis for axis, size in enumerate(shape) if axis != batch and size in widths]
    return _loose(shape, batch, named[0]) if len(shape) == RECURRENT and len(named) == 1 else None


def _batches(shape: Sequence[int], count: int) -> Iterator[tuple[int, int, int]]:
    """List the axes in which the images may stand, with what stands before and after them in the same axis."""
    exact = [axis for axis, size in enumerate(shape) if size == count]
    yield from ((axis, 1, 1) for axis in exact)
    for axis, size in enumerate(shape):
        if size % count == 0 and size > count and (axis == 0 or not exact):
            yield axis, 1, size // count
            yield axis, size // count, 1


def _energies(values: Any) -> Energies:
    """How much each number answers to each stamp, from differences of the three images."""
    first, second, third = values
    near, far, other = first - second, first - third, second - third
    answers: Energies = np.stack([near * far, -near * other, far * other])
    return np.maximum(answers, 0, out=answers)


def _moves(energies: Energies, axis: int) -> tuple[float, float]:
    """The share that moves along an axis: between two stamps whole strides apart, and between any two."""
    across = tuple(other for other in range(1, energies.ndim) if other != 1 + axis)
    profiles = energies.sum(across).astype(np.float64)
    shares = [one / np.maximum(one.sum(1, keepdims=True), 1e-30) for one in (profiles, np.square(profiles))]
    apart = [
        {pair: float(np.abs(share[pair[0]] - share[pair[1]]).sum()) / 2 for pair in combinations(range(STAMPS), 2)}
        for share in shares
    ]
    return apart[0][ALIGNED], max(apart[1].values())


def _widths(module: nn.Module) -> set[int]:
    """The sizes of the weights of a module and of its own parts."""
    weights = [*module.parameters(recurse=False)]
    weights += [one for part in module.children() for one in part.parameters(recurse=False)]
    return {size for weight in weights for size in weight.shape}


def _kinds_of(size: Sequence[int]) -> tuple[str, ...]:
    return SPACE if len(size) == 3 else SPACE[1:]


def _plain(shape: Sequence[int]) -> Layout:
    kinds = (BATCH, CHANNEL, *SPACE[len(SPACE) + 2 - len(shape) :])
    return Layout(tuple(_whole(kind, size) for kind, size in zip(kinds, shape, strict=True)))


def _loose(shape: Sequence[int], batch: int, channel: int) -> Layout:
    kinds = {batch: BATCH, channel: CHANNEL}
    return Layout(tuple(_whole(kinds.get(axis, PLACES), size) for axis, size in enumerate(shape)))


def _whole(kind: str, size: int) -> Dimension:
    return () if size == 1 and kind not in (BATCH, CHANNEL) else (Piece(kind, size),)


def _channel_by_contract(layer: nn.Module, key: Key, shape: Sequence[int]) -> int | None:
    """The channel axis of torch's own layers."""
    for kinds, axis in ((CHANNELS_FIRST, 1), (CHANNELS_LAST, len(shape) - 1)):
        kind = next((kind for kind in kinds if isinstance(layer, kind)), None)
        if kind is not None and (type(layer).forward is kind.forward or kind is nn.RNNBase):
            return axis if key[-1] in MAIN else None
    return None


def _inherited(layer: nn.Module, given: Tensor, known: Layout | None, output: Tensor) -> Layout | None:
    """What a module that works number by number, or place by place on the last axis, keeps of its input's layout."""
    if known is None:
        return None
    if given.shape == output.shape and _is_elementwise(layer, given, output):
        return known
    width = (Piece(CHANNEL, given.shape[-1]),)
    keeps_places = any(isinstance(layer, kind) and type(layer).forward is kind.forward for kind in PLACE_BY_PLACE)
    if (isinstance(layer, nn.LayerNorm) and len(layer.normalized_shape) > 1) or not keeps_places:
        return None
    return Layout((*known.axes[:-1], (Piece(CHANNEL, output.shape[-1]),))) if known.axes[-1] == width else None


def _is_elementwise(layer: nn.Module, given: Tensor, output: Tensor) -> bool:
    """Whether a module without weights commutes with permutations of its numbers."""
    if output is given:
        return True
    if any(True for _ in layer.parameters()) or any(True for _ in layer.children()):
        return False
    generator = torch.Generator().manual_seed(0)
    shape = [WITHOUT_WEIGHTS] * given.dim()
    values = torch.randn(shape, generator=generator)
    order = torch.randperm(values.numel(), generator=generator)
    with Attempt() as attempt:  # the layer is the user's own code, called with what it may not expect
        first, second = layer.forward(values.clone()), layer.forward(values.flatten()[order].view(shape))
    if attempt.reason is not None or not isinstance(first, Tensor) or first.shape != values.shape:
        return False
    # Where a number lies in memory decides how it is rounded.
    return torch.allclose(first.flatten()[order], second.flatten(), rtol=1e-4, atol=1e-6)
