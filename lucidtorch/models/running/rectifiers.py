"""The rectifiers of a forward pass, as modules, functions or methods: ReLU and ReLU6, and their smooth relatives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True, eq=False)
class Rectifying:
    """One call of a ReLU.

    Args:
        values: What it is called on.
        ceiling: What it cuts off above; nothing where None.
        in_place: Whether it overwrites the values.
    """

    values: Tensor
    ceiling: float | None
    in_place: bool

    def given(self, result: Tensor) -> Tensor:
        """Give a result as the call would: in the place of the values where it works in place.

        Args:
            result: Of the shape of the values.

        Returns:
            What the network goes on with.
        """
        return self.values.copy_(result) if self.in_place else result


def rectifying(
    function: Callable[..., Any], arguments: Sequence[Any], words: Mapping[str, Any] | None = None
) -> Rectifying | None:
    """Read a call that a `TorchFunctionMode` sees.

    Args:
        function: What is called.
        arguments: Its arguments by position.
        words: Its arguments by name.

    Returns:
        The call; None where it is no ReLU, no ReLU6, and no hardtanh that begins at zero.
    """
    known = _FUNCTIONS.get(function)
    if known is None:
        return None
    words = words or {}
    ceiling, in_place = known
    if function in (F.hardtanh, F.hardtanh_):
        low = arguments[1] if len(arguments) > 1 else words.get("min_val", -1.0)
        ceiling = arguments[2] if len(arguments) > 2 else words.get("max_val", 1.0)
        if low != 0:
            return None
    asked = bool(words.get("inplace")) or (len(arguments) > 1 and arguments[-1] is True)
    return Rectifying(arguments[0] if arguments else words["input"], ceiling, in_place or asked)


def smoothly_rectified(
    function: Callable[..., Any], arguments: Sequence[Any], words: Mapping[str, Any] | None = None
) -> Tensor | None:
    """Read a call of a rectifier that bends smoothly into its flat low side, such as GELU.

    Args:
        function: What is called.
        arguments: Its arguments by position.
        words: Its arguments by name.

    Returns:
        What it is called on; None where it is no such function.
    """
    if function not in _SMOOTH:
        return None
    found: Tensor = arguments[0] if arguments else (words or {})["input"]
    return found


# Flat far below zero and never flat above: their slope falls below a tenth from about -0.6 (GELU) to -3 (hardswish).
_SMOOTH: frozenset[Callable[..., Any]] = frozenset(
    {
        F.gelu,
        F.silu,
        F.mish,
        F.softplus,
        F.hardswish,
        F.elu,
        F.elu_,
        F.celu,
        F.celu_,
        F.selu,
        F.selu_,
        torch.celu,
        torch.celu_,
        torch.selu,
        torch.selu_,
    }
)
# Each function with its ceiling, and whether it always works in place.
_FUNCTIONS: dict[Callable[..., Any], tuple[float | None, bool]] = {
    F.relu: (None, False),
    F.relu_: (None, True),
    torch.relu: (None, False),
    torch.relu_: (None, True),
    Tensor.relu: (None, False),
    Tensor.relu_: (None, True),
    F.relu6: (6.0, False),
    F.hardtanh: (None, False),
    F.hardtanh_: (None, True),
}
