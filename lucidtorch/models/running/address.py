"""The address of one output of a network, and taking what it names out of what a module returned."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from lucidtorch.base.errors import BadInputError, RenderError, UnknownLayerError
from lucidtorch.models.layouts.layout import TOKENS, Layout

Step: TypeAlias = int | str | Callable[[Any], Any]  # into a sequence, into a mapping, or any function of the output
Parts: TypeAlias = tuple[Step, ...]
OUTPUT, HIDDEN, CELL = "output", "hidden", "cell"  # the states of recurrent layers over time
CLASS, HEADS = "class", "heads"  # words in brackets after an address, beside `tokens` and the states over time
COUNTED = {TOKENS: "tokens", HEADS: "heads", OUTPUT: "steps", HIDDEN: "steps", CELL: "steps"}
CELL_WORDS: dict[type[nn.Module], dict[str, tuple[int, ...]]] = {
    nn.LSTMCell: {HIDDEN: (0,), CELL: (1,)},
    nn.GRUCell: {HIDDEN: ()},
    nn.RNNCell: {HIDDEN: ()},
}
MAIN_KEYS = ("logits", "out", "last_hidden_state")  # in the order in which networks' own output classes mean them


def main_part(output: object) -> Parts | None:
    """Find the tensor that an output is about.

    A tuple is about its first item, as recurrent layers, attention and training heads have it; a mapping about
    `logits`, `out` or `last_hidden_state`, or about its only tensor; a list with more than one tensor about none.
    """
    if isinstance(output, Tensor):
        return ()
    items = _items(output)
    step = _main_step(output, items)
    if step is None:
        leaves = list(tensors(output))
        return leaves[0][0] if len(leaves) == 1 else None
    inner = main_part(items[step])
    return None if inner is None else (step, *inner)


def tensors(output: object) -> Iterator[tuple[Parts, Tensor]]:
    """List the tensors that an output holds."""
    if isinstance(output, Tensor):
        yield (), output
        return
    for step, item in _items(output).items():
        for inner, tensor in tensors(item):
            yield (step, *inner), tensor


def pick(output: object, parts: Parts) -> Any:
    """Go into an output."""
    for step in parts:
        if callable(step):
            output = step(output)
            continue
        items = _items(output)
        if step not in items:
            raise BadInputError(f"An output has no part {written((step,))} in this forward pass; it {gives(output)}.")
        output = items[step]
    return output


def written(parts: Parts) -> str:
    """Write the way into an output as an address does."""
    return "".join(f"[{getattr(step, '__name__', 'function') if callable(step) else step}]" for step in parts)


def gives(output: object) -> str:
    """Say what a module gives that is no tensor."""
    kind = f"gives a {type(output).__name__}"
    items = _items(output)
    if isinstance(output, Sequence) and not isinstance(output, str):
        return f"{kind} of {len(items)}"
    return f"{kind} with the keys {', '.join(map(repr, items))}" if items else kind


def _main_step(output: object, items: Mapping[Any, Any]) -> int | str | None:
    if isinstance(output, tuple):
        return 0 if items and any(True for _ in tensors(items[0])) else None
    return next((key for key in MAIN_KEYS if any(True for _ in tensors(items.get(key)))), None)


def _items(output: object) -> Mapping[Any, Any]:
    """The items of an output by key or place, without those that are None."""
    if isinstance(output, Mapping):
        return {key: value for key, value in output.items() if value is not None}
    if isinstance(output, list | tuple):
        return dict(enumerate(output))
    if dataclasses.is_dataclass(output) and not isinstance(output, type):
        fields = {field.name: getattr(output, field.name) for field in dataclasses.fields(output)}
        return {name: value for name, value in fields.items() if value is not None}
    return {}


@dataclass(frozen=True, slots=True)
class Address:
    """One output of a network, as `LayerTable.resolve` reads it from text.

    Args:
        module: The module's name in `named_modules()`; the empty text is the whole network.
        call: Which of the module's calls in one forward pass, from 0.
        softmax: Whether the softmax over the channels of this output is meant, as in `prob`.
        parts: The way to the tensor in an output that holds several.
        view: What is read of it: the activations where empty, otherwise a word such as `tokens`.
        layout: How the tensor becomes `[B, C, H, W]` or `[B, C]`; None where it is so already.
        index: Which token, head or step of the view; all of them where None.
    """

    module: str
    call: int = 0
    softmax: bool = False
    parts: Parts = ()
    view: str = ""
    layout: Layout | None = None
    index: int | None = None


@dataclass(frozen=True, slots=True)
class Pass:
    """One call of one module, as a forward hook sees it."""

    layer: nn.Module
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]
    output: object
    heads: Tensor | None = None  # what its attention heads gave, where it was watched


def read(address: Address, seen: Pass) -> Tensor:
    """Take the activations that an address names."""
    if address.view in (OUTPUT, HIDDEN, CELL):
        return _state(address, seen)
    raw = seen.heads if address.view == HEADS else pick(seen.output, address.parts)
    if address.view == HEADS and raw is None:
        raise RenderError(f"Layer {address.module!r} computed no attention in this forward pass.")
    if not isinstance(raw, Tensor):
        raise RenderError(f"Layer {address.module!r} {gives(raw)}, not one tensor; name a part of it.")
    layout = address.layout
    if layout is None:
        return raw
    if address.view == CLASS:
        return layout.tokens(raw)[:, :, 0]
    if address.view == TOKENS:
        return _selected(layout.tokens(raw), 2, address)
    values = layout.apply(raw)
    if address.view != HEADS or address.index is None:
        return values
    return _selected(torch.unflatten(values, 1, (-1, channels_of_head(raw, layout))), 1, address)


def channels_of_head(heads: Tensor, layout: Layout) -> int:
    """Count the channels of one attention head."""
    return heads.shape[layout.channel_axes[-1]]


def _state(address: Address, seen: Pass) -> Tensor:
    """States over time `[B, C, 1, T]`, or one step `[B, C]`."""
    layer: Any = seen.layer
    axis = time_axis(layer)
    if address.view == CELL:
        given = dict(zip(("input", "hx"), seen.args, strict=False)) | dict(seen.kwargs)
        values = cell_states(layer, given["input"], given.get("hx"))
    else:
        values = pick(seen.output, (0,))
    if address.index is not None:
        return _selected(values, axis, address)
    return values.permute(1 - axis, 2, axis)[:, :, None]


def _selected(values: Tensor, axis: int, address: Address) -> Tensor:
    index, count = address.index, values.shape[axis]
    if index is None:
        return values
    if not -count <= index < count:
        raise UnknownLayerError(
            f"'{address.module}[{address.view}]' has {count} {COUNTED[address.view]} for images of this size, [0] to "
            f"[{count - 1}], but [{index}] was given."
        )
    return values.select(axis, index)


def words_of_cell(layer: nn.Module) -> Mapping[str, tuple[int, ...]]:
    """Name the states that a recurrent cell gives, which is called once per time step."""
    return next((words for kind, words in CELL_WORDS.items() if isinstance(layer, kind)), {})


def time_axis(layer: nn.RNNBase) -> int:
    """The axis of time in the sequences of a recurrent layer."""
    return 1 if layer.batch_first else 0


def directions(layer: nn.RNNBase) -> int:
    """Count the directions in which a recurrent layer reads its sequences."""
    return 2 if layer.bidirectional else 1


def cell_states(layer: nn.LSTM, sequence: Tensor, start: tuple[Tensor, Tensor] | None = None) -> Tensor:
    """Compute the cell states of an LSTM's last layer over time, which the LSTM itself gives for the last step only.

    The layers below run as usual, the last one step by step; differentiable.
    """
    ways, below = directions(layer), layer.num_layers - 1
    steps = sequence.transpose(0, 1) if layer.batch_first else sequence
    rows = (layer.num_layers * ways, steps.shape[1])
    zeros = (steps.new_zeros(*rows, layer.proj_size or layer.hidden_size), steps.new_zeros(*rows, layer.hidden_size))
    hidden, cell = zeros if start is None else start
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
    """Run one layer in one direction, `[T, B, C]`."""
    found = []
    for step in torch.split(steps, 1):
        _, *after = torch.lstm(step, states, list(weights), bias, 1, 0.0, False, False, False)
        states = (after[0], after[1])
        found.append(after[1])
    return torch.cat(found)
