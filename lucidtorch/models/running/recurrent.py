"""Recurrent layers: their states over time."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from lucidtorch.models.layers.outputs import Parts

OUTPUT, HIDDEN, CELL = "output", "hidden", "cell"
RECURRENCES = ("lstm", "gru", "rnn_tanh", "rnn_relu")  # of torch, behind `nn.LSTM`, `nn.GRU` and `nn.RNN`
CELL_WORDS: dict[type[nn.Module], dict[str, Parts]] = {
    nn.LSTMCell: {HIDDEN: (0,), CELL: (1,)},
    nn.GRUCell: {HIDDEN: ()},
    nn.RNNCell: {HIDDEN: ()},
}


def words_of_cell(layer: nn.Module) -> Mapping[str, Parts]:
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
