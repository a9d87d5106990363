"""The receptive fields of the results of each tensor op; those of other ops are the whole image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, TypeAlias

from torch import Tensor

from lucidtorch.models.layouts.receptive_field import Factor, MismatchError, Window

FRONT = 2  # the axes of batch and channels, before the spatial dimensions of a convolution
# The parameter names of the factors of matrix products.
FACTORS = (("mat1", "mat2"), ("batch1", "batch2"), ("self", "mat2"), ("self", "other"))


@dataclass(frozen=True, slots=True)
class TensorOp:
    """One executed tensor op."""

    name: str  # in ATen, without overload and in-place underscore
    given: dict[str, Any]  # its arguments by name, with defaults filled in
    sources: Sequence[tuple[Tensor, Window]]  # the tensors among the arguments that depend on the image
    outputs: Sequence[Tensor]

    @property
    def tensor(self) -> Tensor:
        """The first tensor that depends on the image."""
        return self.sources[0][0]

    @property
    def window(self) -> Window:
        """Its window."""
        return self.sources[0][1]

    @property
    def shape(self) -> Sequence[int]:
        """The shape of the first result."""
        return self.outputs[0].shape

    def only(self) -> Window:
        """The window of the one tensor that depends on the image."""
        if len(self.sources) > 1:
            raise MismatchError
        return self.window

    def joined(self) -> Window:
        """The window of an elementwise result of all the tensors."""
        return self.window.joined(window for _, window in self.sources[1:])

    def place(self, name: str = "dim", rank: int | None = None) -> int:
        """Return an argument that is one dimension, as a non-negative index."""
        value: int = self.given[name]
        return value % (rank or self.tensor.dim())

    def places(self, name: str = "dim") -> list[int]:
        """Return an argument that lists dimensions of the first tensor; all if it is None or empty."""
        rank = max(self.tensor.dim(), 1)
        value = self.given.get(name)
        listed = [value] if isinstance(value, int) else list(value or range(rank))
        return [dimension % rank for dimension in listed]


Rule: TypeAlias = Callable[[TensorOp], Window | Sequence[Window]]


def _same(op: TensorOp) -> Window:
    return op.window


def elementwise(op: TensorOp) -> Window:
    """Broadcast tensors; dimensions that only constants have become channel dimensions."""
    return op.joined().broadcast(op.shape)


def _reshape(op: TensorOp) -> Window:
    if op.tensor.numel() != op.outputs[0].numel():
        raise MismatchError
    return op.window.reshaped(op.shape)


def _permutation(op: TensorOp) -> Window:
    rank = op.tensor.dim()
    order = list(range(rank))
    if op.name == "permute":
        order = [dimension % rank for dimension in op.given["dims"]]
    else:
        first, second = (0, rank - 1) if op.name == "t" else (op.place("dim0"), op.place("dim1"))
        order[first], order[second] = order[second], order[first]
    window = op.window
    return Window(tuple(window.dimensions[place] for place in order), window.starts, window.sizes)


def _squeeze(op: TensorOp) -> Window:
    return op.window.over(place for place in op.places() if op.tensor.shape[place] == 1)


def _unsqueeze(op: TensorOp) -> Window:
    return op.window.put(op.place(rank=len(op.shape)), (), instead_of=0)


def _turned(op: TensorOp) -> Window:
    if any(not op.window.is_still(place) for place in op.places("dims")):
        raise MismatchError
    return op.window


def _restrided(op: TensorOp) -> Window:
    """`as_strided`, if it only changes the memory layout."""
    steps = [step for size, step in zip(op.shape, op.outputs[0].stride(), strict=True) if size > 1]
    if op.tensor.shape != op.shape or steps != sorted(steps, reverse=True):
        raise MismatchError
    return op.window


def _slice(op: TensorOp) -> Window:
    place = op.place()
    span = slice(op.given["start"], op.given["end"], op.given["step"])
    taken = range(*span.indices(op.tensor.shape[place]))
    return op.window.through(place, len(taken), stride=taken.step, padding=-taken.start)


def _split(op: TensorOp) -> list[Window]:
    place = op.place()
    sizes = [output.shape[place] for output in op.outputs]
    starts = accumulate(sizes, initial=0)
    return [op.window.through(place, size, padding=-start) for start, size in zip(starts, sizes, strict=False)]


def _select(op: TensorOp) -> Window:
    place = op.place()
    return op.window.picked(place, op.given["index"] % op.tensor.shape[place])


def _unbind(op: TensorOp) -> list[Window]:
    place = op.place()
    return [op.window.picked(place, index) for index in range(op.tensor.shape[place])]


def _stack(op: TensorOp) -> Window:
    place, window = op.place(rank=len(op.shape)), op.joined()
    return window.put(place, window.still(len(op.given["tensors"])), instead_of=0)


def _concatenation(op: TensorOp) -> Window:
    """Concatenate channels; constants may pad rows or columns, but not tokens."""
    tensors = [tensor for tensor in op.given["tensors"] if tensor.numel()]
    found = [next((window for one, window in op.sources if one is tensor), None) for tensor in tensors]
    place, total = op.place(rank=len(op.shape)), op.shape[op.place()]
    known = [window for window in found if window is not None]
    moving = [window for window in known if not window.is_still(place)]
    elsewhere = [factor for one in known for at, dim in enumerate(one.dimensions) if at != place for factor in dim]
    if len(known) == len(moving) == 1 and any(map(_moves_in_image, elsewhere)):
        before = sum(tensor.shape[place] for tensor in tensors[: found.index(known[0])])
        return known[0].through(place, total, padding=before)
    if any(_moves_in_image(factor) for window in moving for factor in window.dimensions[place]):
        raise MismatchError
    first, *rest = [window.put(place, window.still(total)) for window in known]
    return first.joined(rest)


def _moves_in_image(factor: Factor) -> bool:
    return any(factor.steps[1:])


def _gathering(op: TensorOp) -> Window:
    if op.name == "index_select":
        place = op.place()
    else:
        indices = op.given["indices"]
        place = next(place for place, index in enumerate(indices) if index is not None)
        if indices[place].dim() != 1 or any(index is not None for index in indices[place + 1 :]):
            raise MismatchError
    return _of_channels(op, place)


def _of_channels(op: TensorOp, place: int) -> Window:
    """Change the number of channels, each a function of some of the input channels."""
    if not op.window.is_still(place):
        raise MismatchError
    return op.window.through(place, op.shape[place])


def _padding(op: TensorOp) -> Window:
    window = op.window
    amounts = op.given.get("pad") or op.given["padding"]
    for back, before in enumerate(amounts[::2], 1):
        place = op.tensor.dim() - back
        window = window.through(place, op.shape[place], padding=before)
    return window


def _convolution(op: TensorOp) -> Window:
    given, window = op.given, op.only()
    kernel = given["weight"].shape[FRONT:]
    is_other = given["input"] is not op.tensor or len(kernel) != len(op.shape) - FRONT
    if given.get("transposed", False) or is_other:
        raise MismatchError
    made = window.weighted(1, op.shape[1])
    return _windows(made, op.shape, kernel, given["stride"], given["padding"], given["dilation"])


def _pooling(op: TensorOp) -> Window:
    given = op.given
    kernel = given["kernel_size"]
    stride, dilation = given["stride"] or kernel, given.get("dilation", [1])
    return _windows(op.window, op.shape, kernel, stride, given["padding"], dilation)


def _windows(window: Window, shape: Sequence[int], *amounts: Sequence[int]) -> Window:
    """Apply windows to the last dimensions."""
    count = max(*map(len, amounts), len(shape) - FRONT if len(amounts[0]) == 1 else 1)
    each = [list(values) * (count if len(values) == 1 else 1) for values in amounts]
    for place, kernel, stride, padding, dilation in zip(range(-count, 0), *each, strict=True):
        at = place % len(shape)
        window = window.through(at, shape[at], kernel=kernel, stride=stride, padding=padding, dilation=dilation)
    return window


def _adaptive_pooling(op: TensorOp) -> Window:
    count = len(op.given["output_size"])
    sides = list(zip(op.tensor.shape[-count:], op.shape[-count:], strict=True))
    if any(side % wanted or (wanted == 1 and side > 1) for side, wanted in sides):
        raise MismatchError
    kernel = [side // wanted for side, wanted in sides]
    return _windows(op.window, op.shape, kernel, kernel, [0], [1])


def _unshuffling(op: TensorOp) -> Window:
    factor = [op.given["downscale_factor"]] * 2
    window = op.window.weighted(len(op.shape) - 3, op.shape[-3])
    return _windows(window, op.shape, factor, factor, [0], [1])


def _unfolding(op: TensorOp) -> Window:
    """`im2col`: windows of `[B, C, H, W]` as `[B, C k k, N]`."""
    settings = [op.given[name] for name in ("kernel_size", "stride", "padding", "dilation")]
    counts = [
        (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for size, kernel, stride, padding, dilation in zip(op.tensor.shape[-2:], *settings, strict=True)
    ]
    batch, channels = op.shape[:2]
    window = op.window.weighted(1, channels)
    return _windows(window, [batch, channels, *counts], *settings).reshaped(op.shape)


def _linear(op: TensorOp) -> Window:
    window = op.only()
    return window.weighted(len(window.dimensions) - 1, op.shape[-1])


def _product(op: TensorOp) -> Window:
    """Matrix products with one constant factor."""
    first, second = next(pair for pair in FACTORS if op.given.keys() >= set(pair))
    last = len(op.shape) - 1
    summed = next(place for name, place in ((first, last), (second, last - 1)) if op.given[name] is op.tensor)
    return op.only().weighted(summed, op.shape[summed])


def _reduction(op: TensorOp) -> Window:
    if "other" in op.given:
        return elementwise(op)
    return op.window.over(op.places(), keep=bool(op.given.get("keepdim", False)))


def _layer_norm(op: TensorOp) -> Window:
    shape = op.given.get("normalized_shape") or op.tensor.shape[-1:]
    rank = op.tensor.dim()
    return op.window.mixed(range(rank - len(shape), rank))


def _batch_norm(op: TensorOp) -> Window:
    if op.given.get("training", False):
        raise MismatchError
    return op.only()


RULES: dict[str, Rule] = {
    name: rule
    for rule, names in (
        (_same, "clone alias detach contiguous _to_copy lift_fresh _conj native_dropout fill zero channel_shuffle"),
        (_same, "native_channel_shuffle"),
        (elementwise, "copy hardswish hardsigmoid _prelu_kernel rrelu_with_noise"),
        (_reshape, "view _unsafe_view _reshape_alias reshape flatten unflatten"),
        (_permutation, "permute transpose t"),
        (_unsqueeze, "unsqueeze"),
        (_squeeze, "squeeze"),
        (lambda one: one.window.broadcast(one.shape), "expand repeat"),
        (_turned, "roll flip"),
        (_restrided, "as_strided"),
        (_slice, "slice"),
        (_split, "split split_with_sizes unsafe_split unsafe_split_with_sizes chunk unsafe_chunk"),
        (_select, "select"),
        (_unbind, "unbind"),
        (_stack, "stack"),
        (_concatenation, "cat"),
        (_gathering, "index index_select"),
        (_padding, "constant_pad_nd reflection_pad1d reflection_pad2d reflection_pad3d"),
        (_padding, "replication_pad1d replication_pad2d replication_pad3d"),
        (_convolution, "convolution _convolution mkldnn_convolution cudnn_convolution"),
        (_pooling, "max_pool1d max_pool2d max_pool3d avg_pool1d avg_pool2d avg_pool3d"),
        (_pooling, "max_pool2d_with_indices max_pool3d_with_indices"),
        (_adaptive_pooling, "_adaptive_avg_pool2d _adaptive_avg_pool3d adaptive_max_pool2d adaptive_max_pool3d"),
        (_unshuffling, "pixel_unshuffle"),
        (_unfolding, "im2col"),
        (_linear, "linear mkldnn_linear _mkldnn_linear"),
        (_product, "mm addmm _addmm_activation bmm baddbmm _scaled_mm"),
        (lambda one: one.only().over([1]), "mv"),
        (_reduction, "mean sum amax amin max min var std var_mean std_mean prod logsumexp linalg_vector_norm norm"),
        (_reduction, "nansum median aminmax"),
        (lambda one: one.window.mixed(one.places()), "_softmax _log_softmax _safe_softmax softmax log_softmax"),
        (lambda one: one.window.mixed(one.places()), "cumsum cumprod logcumsumexp"),
        (_layer_norm, "native_layer_norm _fused_rms_norm rms_norm layer_norm"),
        (lambda one: _of_channels(one, one.place()), "glu"),
        (_batch_norm, "native_batch_norm _native_batch_norm_legit _native_batch_norm_legit_no_training"),
        (_batch_norm, "cudnn_batch_norm miopen_batch_norm"),
    )
    for name in names.split()
}
