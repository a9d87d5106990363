"""What is computed inside of a module: the outputs of attention heads, and the states of recurrent layers over time."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any, cast

import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

PRODUCTS = ("matmul", "__matmul__", "bmm", "einsum")
FEWEST_AXES = 3  # of attention weights: a softmax over the classes of `[B, K]` is none
OUTPUT, HIDDEN, CELL = "output", "hidden", "cell"
RECURRENCES = ("lstm", "gru", "rnn_tanh", "rnn_relu")  # of torch, behind `nn.LSTM`, `nn.GRU` and `nn.RNN`
CELL_WORDS: dict[type[nn.Module], dict[str, tuple[int, ...]]] = {
    nn.LSTMCell: {HIDDEN: (0,), CELL: (1,)},
    nn.GRUCell: {HIDDEN: ()},
    nn.RNNCell: {HIDDEN: ()},
}


class AttentionWatch(TorchFunctionMode):
    """Notes, while the block runs, what each computation of attention gives before the output projection.

    That is the result of `scaled_dot_product_attention`, or the product of a softmax with the values. Spans say which
    module computed it.
    """

    def __init__(self) -> None:
        super().__init__()
        self._spans: list[tuple[nn.Module, list[Tensor | None]]] = []  # None: computed by a module inside
        self._weights: Any = WeakTensorKeyDictionary()

    def enter(self, module: nn.Module) -> None:
        """Say that a module's forward pass begins."""
        self._spans.append((module, []))

    def leave(self, module: nn.Module) -> Tensor | None:
        """Say that a module's forward pass has ended."""
        found: list[Tensor | None] = []
        while self._spans:
            owner, found = self._spans.pop()
            if owner is module:  # the spans above it were left by an error that the network caught
                break
        if found and self._spans:
            self._spans[-1][1].append(None)
        return found[0] if len(found) == 1 else None

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        kwargs = kwargs or {}
        if func is F.multi_head_attention_forward:
            with self:  # which is off in here, and would not see what happens inside
                return _MULTI_HEAD_ATTENTION(*args, **kwargs)
        result = func(*args, **kwargs)
        if self._spans and isinstance(result, Tensor) and result.dim() >= FEWEST_AXES:
            self._note(func, (*args, *kwargs.values()), result)
        return result

    def _note(self, func: Callable[..., Any], given: tuple[Any, ...], result: Tensor) -> None:
        name = getattr(func, "__name__", "")
        if func is F.scaled_dot_product_attention:
            self._spans[-1][1].append(result.clone())
        elif name == "softmax":
            self._weights[result] = True
        elif (weights := next((one for one in _tensors(given) if one in self._weights), None)) is not None:
            if name in PRODUCTS:
                self._spans[-1][1].append(result.clone())
            elif result.shape == weights.shape:  # dropout, another type, a mask
                self._weights[result] = True


def _tensors(given: tuple[Any, ...]) -> Iterator[Tensor]:
    for one in given:
        if isinstance(one, Tensor):
            yield one
        elif isinstance(one, list | tuple):
            yield from _tensors(tuple(one))


def _unwatched(function: FunctionType) -> Callable[..., Any]:
    """Copy one of torch's functions so that it runs at once, without handing itself over to whoever watches."""
    names = {**function.__globals__, "has_torch_function": lambda _: False}
    copy = FunctionType(function.__code__, names, function.__name__, function.__defaults__)
    copy.__kwdefaults__ = function.__kwdefaults__
    return copy


_MULTI_HEAD_ATTENTION = _unwatched(cast(FunctionType, F.multi_head_attention_forward))


def words_of_cell(layer: nn.Module) -> Mapping[str, tuple[int, ...]]:
    """Name the states that a recurrent cell gives, which is called once per time step."""
    return next((words for kind, words in CELL_WORDS.items() if isinstance(layer, kind)), {})


def time_axis(layer: nn.RNNBase) -> int:
    """Say which axis of a recurrent layer's sequences is the time."""
    return 1 if layer.batch_first else 0


def state_channels(layer: nn.RNNBase, output: object, batch: int) -> tuple[dict[str, int], int] | None:
    """Say which states of a recurrent layer can be read, and over how many steps."""
    sequence = output[0] if isinstance(output, tuple) else output
    if not isinstance(sequence, Tensor) or sequence.dim() != 3 or sequence.shape[1 - time_axis(layer)] != batch:
        return None
    channels = dict.fromkeys((OUTPUT, HIDDEN), sequence.shape[2])  # the same: the last layer's states over time
    if isinstance(layer, nn.LSTM):
        channels[CELL] = layer.hidden_size * _directions(layer)
    return channels, sequence.shape[time_axis(layer)]


def cell_states(layer: nn.LSTM, sequence: Tensor, start: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """Compute the cell states of an LSTM's last layer over time, which the LSTM itself gives for the last step only.

    The layers below run as usual, the last one step by step; differentiable.
    """
    ways, below = _directions(layer), layer.num_layers - 1
    steps = sequence.transpose(0, 1) if layer.batch_first else sequence
    hidden, cell = _zeros(layer, steps) if start is None else start
    weights: Sequence[Sequence[Tensor]] = layer.all_weights
    if below:
        first = [one for group in weights[: below * ways] for one in group]
        states = (hidden[: below * ways], cell[: below * ways])
        steps = torch.lstm(steps, states, first, layer.bias, below, 0.0, False, layer.bidirectional, False)[0]
    found = []
    for way, number in enumerate(range(below * ways, layer.num_layers * ways)):
        states = (hidden[number : number + 1], cell[number : number + 1])
        cells = _stepped(steps.flip(0) if way else steps, states, weights[number], layer.bias)
        found.append(cells.flip(0) if way else cells)
    cells = torch.cat(found, 2)
    return cells.transpose(0, 1) if layer.batch_first else cells


def _stepped(steps: Tensor, states: tuple[Tensor, Tensor], weights: Sequence[Tensor], bias: bool) -> Tensor:
    """Run one layer in one direction; `[T, B, C]`."""
    found = []
    for step in torch.split(steps, 1):
        _, *after = torch.lstm(step, states, list(weights), bias, 1, 0.0, False, False, False)
        states = (after[0], after[1])
        found.append(after[1])
    return torch.cat(found)


def _directions(layer: nn.RNNBase) -> int:
    return 2 if layer.bidirectional else 1


def _zeros(layer: nn.LSTM, steps: Tensor) -> tuple[Tensor, Tensor]:
    rows = (layer.num_layers * _directions(layer), steps.shape[1])
    return steps.new_zeros(*rows, layer.proj_size or layer.hidden_size), steps.new_zeros(*rows, layer.hidden_size)


class native_recurrence(TorchFunctionMode):  # noqa: N801  # used as `with native_recurrence():`
    """While the block runs, recurrent layers do without cuDNN, which has no gradient for them in eval mode."""

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        if getattr(func, "__name__", "") not in RECURRENCES:
            return func(*args, **(kwargs or {}))
        with torch.backends.cudnn.flags(enabled=False):
            return func(*args, **(kwargs or {}))
