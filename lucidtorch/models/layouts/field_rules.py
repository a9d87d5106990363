"""What each tensor operation makes of the windows that its numbers see; all others may see the whole image."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, TypeAlias

from torch import Tensor

from lucidtorch.models.layouts.receptive_field import Factor, MismatchError, Window

FRONT = 2  # the batch and the channels, in front of the dimensions that convolutions run over


@dataclass(frozen=True, slots=True)
class Operation:
    """One tensor operation as it ran.

    Args:
        name: Its name in ATen, without overload and without the underscore of the in-place form.
        given: Its arguments by name, with defaults filled in.
        sources: The tensors among the arguments that depend on the image, each with its window.
        outputs: Its results that are tensors.
    """

    name: str
    given: dict[str, Any]
    sources: Sequence[tuple[Tensor, Window]]
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

    def window_of(self, value: object) -> Window | None:
        """Look up the window of an argument; None where it does not depend on the image."""
        return next((window for tensor, window in self.sources if tensor is value), None)

    def only(self) -> Window:
        """The window of the one tensor that depends on the image."""
        if len(self.sources) > 1:
            raise MismatchError
        return self.window

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


def same(operation: Operation) -> Window:
    """A copy, or what changes every number by itself."""
    return operation.window


def elementwise(operation: Operation) -> Window:
    """Tensors that are broadcast together; what only constants have is added as dimensions of channels."""
    window = operation.window.joined(window for _, window in operation.sources[1:])
    return window.broadcast(operation.shape)


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
    gone = [place for place in operation.places() if operation.tensor.shape[place] == 1]
    return operation.window.over(gone)


def _unsqueeze(operation: Operation) -> Window:
    place, window = operation.place(rank=len(operation.shape)), operation.window
    return Window((*window.dimensions[:place], (), *window.dimensions[place:]), window.starts, window.sizes)


def _expansion(operation: Operation) -> Window:
    return operation.window.broadcast(operation.shape)


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
    tensors, place = operation.given["tensors"], operation.place(rank=len(operation.shape))
    window = operation.window.joined(window for _, window in operation.sources[1:])
    front, back = window.dimensions[:place], window.dimensions[place:]
    return Window((*front, window.still(len(tensors)), *back), window.starts, window.sizes)


def _concatenation(operation: Operation) -> Window:
    """Channels from channels; constants may stand around rows or columns, but not around tokens."""
    tensors = [tensor for tensor in operation.given["tensors"] if tensor.numel()]
    found = [operation.window_of(tensor) for tensor in tensors]
    place, total = operation.place(rank=len(operation.shape)), operation.shape[operation.place()]
    known = [window for window in found if window is not None]
    moving = [window for window in known if not window.is_still(place)]
    others = any(factor.steps[1:] != (0,) * len(factor.steps[1:]) for one in known for factor in _others(one, place))
    if len(known) == len(moving) == 1 and others:
        before = sum(tensor.shape[place] for tensor in tensors[: found.index(known[0])])
        return known[0].through(place, total, padding=before)
    if any(any(factor.steps[1:]) for window in moving for factor in window.dimensions[place]):
        raise MismatchError
    first, *rest = [window.with_dimension(place, window.still(total)) for window in known]
    return first.joined(rest)


def _others(window: Window, place: int) -> list[Factor]:
    return [factor for at, one in enumerate(window.dimensions) if at != place for factor in one]


def _gathering(operation: Operation) -> Window:
    """A list of indices into one dimension."""
    if operation.name == "index_select":
        place = operation.place()
    else:
        indices = operation.given["indices"]
        place = next(place for place, index in enumerate(indices) if index is not None)
        if indices[place].dim() != 1 or any(index is not None for index in indices[place + 1 :]):
            raise MismatchError
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
    if (
        given.get("transposed", False)
        or given["input"] is not operation.tensor
        or len(kernel) != len(operation.shape) - FRONT
    ):
        raise MismatchError
    made = window.over([1], keep=True).with_dimension(1, window.still(operation.shape[1]))
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
    window, factor = operation.window, [operation.given["downscale_factor"]] * 2
    window = window.mixed([len(window.dimensions) - 3])
    window = window.with_dimension(len(window.dimensions) - 3, window.still(operation.shape[-3]))
    return _windows(window, operation.shape, factor, factor, [0], [1])


def _unfolding(operation: Operation) -> Window:
    """`im2col`: windows of `[B, C, H, W]` written out as `[B, C k k, N]`."""
    given, window = operation.given, operation.window
    settings = [given[name] for name in ("kernel_size", "stride", "padding", "dilation")]
    counts = [
        (size + 2 * padding - dilation * (kernel - 1) - 1) // stride + 1
        for size, kernel, stride, padding, dilation in zip(operation.tensor.shape[-2:], *settings, strict=True)
    ]
    batch, channels = operation.shape[:2]
    window = window.over([1], keep=True).with_dimension(1, window.still(channels))
    return _windows(window, [batch, channels, *counts], *settings).reshaped(operation.shape)


def _linear(operation: Operation) -> Window:
    window = operation.only()
    return _product_of(window, len(window.dimensions) - 1, operation.shape[-1])


def _product_of(window: Window, summed: int, size: int) -> Window:
    """Weights make `size` channels out of a dimension."""
    return window.over([summed], keep=True).with_dimension(summed, window.still(size))


def _product(operation: Operation) -> Window:
    """`mm`, `bmm` and what adds to them, where one factor is constant."""
    window, given = operation.only(), operation.given
    pairs = (("mat1", "mat2"), ("batch1", "batch2"), ("self", "mat2"), ("self", "other"))
    first, second = next(pair for pair in pairs if given.keys() >= set(pair))
    last = len(operation.shape) - 1
    if given[first] is operation.tensor:
        return _product_of(window, last, operation.shape[last])
    if given[second] is not operation.tensor:
        raise MismatchError
    return _product_of(window, last - 1, operation.shape[last - 1])


def _vector_product(operation: Operation) -> Window:
    return operation.only().over([1])


def _reduction(operation: Operation) -> Window:
    if "other" in operation.given:
        return elementwise(operation)
    return operation.window.over(operation.places(), keep=bool(operation.given.get("keepdim", False)))


def _over_dimension(operation: Operation) -> Window:
    return operation.window.mixed(operation.places())


def _layer_norm(operation: Operation) -> Window:
    shape = operation.given.get("normalized_shape") or operation.tensor.shape[-1:]
    rank = operation.tensor.dim()
    return operation.window.mixed(range(rank - len(shape), rank))


def _gate(operation: Operation) -> Window:
    """`glu`: half of the channels times the gate that the other half is."""
    place = operation.place()
    if not operation.window.is_still(place):
        raise MismatchError
    return operation.window.through(place, operation.shape[place])


def _batch_norm(operation: Operation) -> Window:
    if operation.given.get("training", False):
        raise MismatchError
    return operation.only()


def _each(rule: Rule, names: Iterable[str]) -> dict[str, Rule]:
    return dict.fromkeys(names, rule)


POOLS = [f"{kind}_pool{sides}d" for kind in ("max", "avg") for sides in (1, 2, 3)]
RULES: dict[str, Rule] = {
    **_each(same, ("clone", "alias", "detach", "contiguous", "_to_copy", "lift_fresh", "_conj", "native_dropout")),
    **_each(same, ("fill", "zero", "channel_shuffle", "native_channel_shuffle")),
    **_each(elementwise, ("copy", "hardswish", "hardsigmoid", "_prelu_kernel", "rrelu_with_noise")),
    **_each(_reshape, ("view", "_unsafe_view", "_reshape_alias", "reshape", "flatten", "unflatten")),
    **_each(_permutation, ("permute", "transpose", "t")),
    "unsqueeze": _unsqueeze,
    "squeeze": _squeeze,
    **_each(_expansion, ("expand", "repeat")),
    **_each(_turned, ("roll", "flip")),
    "as_strided": _restrided,
    "slice": _slice,
    **_each(_split, ("split", "split_with_sizes", "unsafe_split", "unsafe_split_with_sizes", "chunk", "unsafe_chunk")),
    "select": _select,
    "unbind": _unbind,
    "stack": _stack,
    "cat": _concatenation,
    **_each(_gathering, ("index", "index_select")),
    "constant_pad_nd": _padding,
    **_each(_padding, (f"{kind}_pad{sides}d" for kind in ("reflection", "replication") for sides in (1, 2, 3))),
    **_each(_convolution, ("convolution", "_convolution", "mkldnn_convolution", "cudnn_convolution")),
    **_each(_pooling, (*POOLS, *(f"max_pool{sides}d_with_indices" for sides in (2, 3)))),
    **_each(
        _adaptive_pooling, (f"{kind}_pool{sides}d" for kind in ("_adaptive_avg", "adaptive_max") for sides in (2, 3))
    ),
    "pixel_unshuffle": _unshuffling,
    "im2col": _unfolding,
    **_each(_linear, ("linear", "mkldnn_linear", "_mkldnn_linear")),
    **_each(_product, ("mm", "addmm", "_addmm_activation", "bmm", "baddbmm", "_scaled_mm")),
    "mv": _vector_product,
    **_each(_reduction, ("mean", "sum", "amax", "amin", "max", "min", "var", "std", "var_mean", "std_mean", "prod")),
    **_each(_reduction, ("logsumexp", "linalg_vector_norm", "norm", "nansum", "median", "aminmax")),
    **_each(_over_dimension, ("_softmax", "_log_softmax", "_safe_softmax", "softmax", "log_softmax")),
    **_each(_over_dimension, ("cumsum", "cumprod", "logcumsumexp")),
    **_each(_layer_norm, ("native_layer_norm", "_fused_rms_norm", "rms_norm", "layer_norm")),
    "glu": _gate,
    **_each(
        _batch_norm,
        (
            *("native_batch_norm", "_native_batch_norm_legit", "_native_batch_norm_legit_no_training"),
            *("cudnn_batch_norm", "miopen_batch_norm"),
        ),
    ),
}
