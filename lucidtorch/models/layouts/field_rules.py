"""What each tensor operation makes of the windows that its numbers see; all others may see the whole image."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, TypeAlias

from torch import Tensor

from lucidtorch.models.layouts.receptive_field import Factor, MismatchError, Window

FRONT = 2  # the batch and the channels, in front of the dimensions that convolutions run over
FACTORS = (("mat1", "mat2"), ("batch1", "batch2"), ("self", "mat2"), ("self", "other"))  # what products call theirs


@dataclass(frozen=True, slots=True)
class Operation:
    """One tensor operation as it ran."""

    name: str  # in ATen, without overload and without the underscore of the in-place form
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
        """What numbers see that are made of all the tensors, number by number."""
        return self.window.joined(window for _, window in self.sources[1:])

    def place(self, name: str = "dim", rank: int | None = None) -> int:
        """Read an argument that names one dimension, counted from the front."""
        value: int = self.given[name]
        return value % (rank or self.tensor.dim())

    def places(self, name: str = "dim") -> list[int]:
        """Read an argument that names dimensions of the first tensor; all where it is None or empty."""
        rank = max(self.tensor.dim(), 1)
        value = self.given.get(name)
        listed = [value] if isinstance(value, int) else list(value or range(rank))
        return [dimension % rank for dimension in listed]


Rule: TypeAlias = Callable[[Operation], Window | Sequence[Window]]


def _same(operation: Operation) -> Window:
    """A copy, or what changes every number by itself."""
    return operation.window


def elementwise(operation: Operation) -> Window:
    """Tensors that are broadcast together; what only constants have is added as dimensions of channels."""
    return operation.joined().broadcast(operation.shape)


def _reshape(operation: Operation) -> Window:
    if operation.tensor.numel() != operation.outputs[0].numel():
        raise MismatchError
    return operation.window.reshaped(operation.shape)


def _permutation(operation: Operation) -> Window:
    rank = operation.tensor.dim()
    order = list(range(rank))
    if operation.name == "permute":
        order = [dimension % rank for dimension in operation.given["dims"]]
    else:
        first, second = (0, rank - 1) if operation.name == "t" else (operation.place("dim0"), operation.place("dim1"))
        order[first], order[second] = order[second], order[first]
    window = operation.window
    return Window(tuple(window.dimensions[place] for place in order), window.starts, window.sizes)


def _squeeze(operation: Operation) -> Window:
    return operation.window.over(place for place in operation.places() if operation.tensor.shape[place] == 1)


def _unsqueeze(operation: Operation) -> Window:
    return operation.window.put(operation.place(rank=len(operation.shape)), (), instead_of=0)


def _turned(operation: Operation) -> Window:
    """`roll` and `flip`, which change nothing where the window is the same at all places."""
    if any(not operation.window.is_still(place) for place in operation.places("dims")):
        raise MismatchError
    return operation.window


def _restrided(operation: Operation) -> Window:
    """`as_strided` where it only fits the steps in memory to another order of dimensions of one place."""
    steps = [step for size, step in zip(operation.shape, operation.outputs[0].stride(), strict=True) if size > 1]
    if operation.tensor.shape != operation.shape or steps != sorted(steps, reverse=True):
        raise MismatchError
    return operation.window


def _slice(operation: Operation) -> Window:
    place = operation.place()
    span = slice(operation.given["start"], operation.given["end"], operation.given["step"])
    taken = range(*span.indices(operation.tensor.shape[place]))
    return operation.window.through(place, len(taken), stride=taken.step, padding=-taken.start)


def _split(operation: Operation) -> list[Window]:
    place = operation.place()
    sizes = [output.shape[place] for output in operation.outputs]
    starts = accumulate(sizes, initial=0)
    return [operation.window.through(place, size, padding=-start) for start, size in zip(starts, sizes, strict=False)]


def _select(operation: Operation) -> Window:
    place = operation.place()
    return operation.window.picked(place, operation.given["index"] % operation.tensor.shape[place])


def _unbind(operation: Operation) -> list[Window]:
    place = operation.place()
    return [operation.window.picked(place, index) for index in range(operation.tensor.shape[place])]


def _stack(operation: Operation) -> Window:
    place, window = operation.place(rank=len(operation.shape)), operation.joined()
    return window.put(place, window.still(len(operation.given["tensors"])), instead_of=0)


def _concatenation(operation: Operation) -> Window:
    """Channels from channels; constants may stand around rows or columns, but not around tokens."""
    tensors = [tensor for tensor in operation.given["tensors"] if tensor.numel()]
    found = [next((window for one, window in operation.sources if one is tensor), None) for tensor in tensors]
    place, total = operation.place(rank=len(operation.shape)), operation.shape[operation.place()]
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


def _gathering(operation: Operation) -> Window:
    """A list of indices into one dimension."""
    if operation.name == "index_select":
        place = operation.place()
    else:
        indices = operation.given["indices"]
        place = next(place for place, index in enumerate(indices) if index is not None)
        if indices[place].dim() != 1 or any(index is not None for index in indices[place + 1 :]):
            raise MismatchError
    return _of_channels(operation, place)


def _of_channels(operation: Operation, place: int) -> Window:
    """Another number of channels, each of some of those before: also `glu`, half of them times the other half."""
    if not operation.window.is_still(place):
        raise MismatchError
    return operation.window.through(place, operation.shape[place])


def _padding(operation: Operation) -> Window:
    window = operation.window
    amounts = operation.given.get("pad") or operation.given["padding"]
    for back, before in enumerate(amounts[::2], 1):
        place = operation.tensor.dim() - back
        window = window.through(place, operation.shape[place], padding=before)
    return window


def _convolution(operation: Operation) -> Window:
    given, window = operation.given, operation.only()
    kernel = given["weight"].shape[FRONT:]
    is_other = given["input"] is not operation.tensor or len(kernel) != len(operation.shape) - FRONT
    if given.get("transposed", False) or is_other:
        raise MismatchError
    made = window.weighted(1, operation.shape[1])
    return _windows(made, operation.shape, kernel, given["stride"], given["padding"], given["dilation"])


def _pooling(operation: Operation) -> Window:
    given = operation.given
    kernel = given["kernel_size"]
    stride, dilation = given["stride"] or kernel, given.get("dilation", [1])
    return _windows(operation.window, operation.shape, kernel, stride, given["padding"], dilation)


def _windows(window: Window, shape: Sequence[int], *amounts: Sequence[int]) -> Window:
    """Look through windows over the last dimensions: their taps, strides, paddings and dilations."""
    count = max(*map(len, amounts), len(shape) - FRONT if len(amounts[0]) == 1 else 1)
    each = [list(values) * (count if len(values) == 1 else 1) for values in amounts]
    for place, kernel, stride, padding, dilation in zip(range(-count, 0), *each, strict=True):
        at = place % len(shape)
        window = window.through(at, shape[at], kernel=kernel, stride=stride, padding=padding, dilation=dilation)
    return window


def _adaptive_pooling(operation: Operation) -> Window:
    count = len(operation.given["output_size"])
    sides = list(zip(operation.tensor.shape[-count:], operation.shape[-count:], strict=True))
    if any(side % wanted or (wanted == 1 and side > 1) for side, wanted in sides):
        raise MismatchError
    kernel = [side // wanted for side, wanted in sides]
    return _windows(operation.window, operation.shape, kernel, kernel, [0], [1])


def _unshuffling(operation: Operation) -> Window:
    """`pixel_unshuffle`: windows whose pixels become channels."""
    factor = [operation.given["downscale_factor"]] * 2
    window = operation.window.weighted(len(operation.shape) - 3, operation.shape[-3])
    return _windows(window, operation.shape, factor, factor, [0], [1])


def _unfolding(operation: Operation) -> Window:
    """`im2col`: windows of `[B, C, H, W]` written out as `[B, C k k, N]`."""
    settings = [operation.given[name] for name in ("kernel_size", "stride", "padding", "dilation")]
    counts = [
        (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for size, kernel, stride, padding, dilation in zip(operation.tensor.shape[-2:], *settings, strict=True)
    ]
    batch, channels = operation.shape[:2]
    window = operation.window.weighted(1, channels)
    return _windows(window, [batch, channels, *counts], *settings).reshaped(operation.shape)


def _linear(operation: Operation) -> Window:
    window = operation.only()
    return window.weighted(len(window.dimensions) - 1, operation.shape[-1])


def _product(operation: Operation) -> Window:
    """`mm`, `bmm` and what adds to them, where one factor is constant."""
    first, second = next(pair for pair in FACTORS if operation.given.keys() >= set(pair))
    last = len(operation.shape) - 1
    summed = next(
        place for name, place in ((first, last), (second, last - 1)) if operation.given[name] is operation.tensor
    )
    return operation.only().weighted(summed, operation.shape[summed])


def _reduction(operation: Operation) -> Window:
    if "other" in operation.given:
        return elementwise(operation)
    return operation.window.over(operation.places(), keep=bool(operation.given.get("keepdim", False)))


def _layer_norm(operation: Operation) -> Window:
    shape = operation.given.get("normalized_shape") or operation.tensor.shape[-1:]
    rank = operation.tensor.dim()
    return operation.window.mixed(range(rank - len(shape), rank))


def _batch_norm(operation: Operation) -> Window:
    if operation.given.get("training", False):
        raise MismatchError
    return operation.only()


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
