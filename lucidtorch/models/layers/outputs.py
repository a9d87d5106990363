"""Outputs that are not one tensor: which tensors they hold, which of them is meant, and how each is written."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from torch import Tensor

from lucidtorch.base.errors import BadInputError

Step: TypeAlias = int | str | Callable[[Any], Any]  # into a sequence, into a mapping, or any function of the output
Parts: TypeAlias = tuple[Step, ...]
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
    """The items of an output by key or place; a field that is None is as good as absent."""
    if isinstance(output, Mapping):
        return {key: value for key, value in output.items() if value is not None}
    if isinstance(output, list | tuple):
        return dict(enumerate(output))
    if dataclasses.is_dataclass(output) and not isinstance(output, type):
        fields = {field.name: getattr(output, field.name) for field in dataclasses.fields(output)}
        return {name: value for name, value in fields.items() if value is not None}
    return {}
