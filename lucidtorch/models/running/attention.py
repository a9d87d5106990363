"""What attention heads give, taken from inside the forward pass of the module that computes attention."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import FunctionType
from typing import Any, cast

import torch.nn.functional as F
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils.weak import WeakTensorKeyDictionary

PRODUCTS = ("matmul", "__matmul__", "bmm", "einsum")
FEWEST_AXES = 3  # of attention weights: a softmax over the classes of `[B, K]` is none


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
