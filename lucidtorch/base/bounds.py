"""Bounds of arguments, for their annotations: what `checked` reads beside the type."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

from torch import Tensor

from lucidtorch.base.errors import ImageError


@dataclass(frozen=True)
class Within:
    """Bounds of a number, for `Annotated[int, Within(1, 8192)]`.

    Args:
        low: The smallest number that fits.
        high: The largest number that fits.
        above: Whether numbers must be larger than `low`.
        below: Whether numbers must be smaller than `high`.
    """

    low: float = -math.inf
    high: float = math.inf
    above: bool = False
    below: bool = False

    def holds(self, number: Any) -> bool:
        """Say whether a number lies within the bounds."""
        at_border = (self.above and number == self.low) or (self.below and number == self.high)
        return bool(self.low <= number <= self.high and not at_border)

    def __str__(self) -> str:
        if self.low == -math.inf:
            return "" if self.high == math.inf else f" up to {_written(self.high)}"
        start = f" {'above' if self.above else 'from'} {_written(self.low)}"
        end = f"{'up ' * self.above}to {'below ' * self.below}{_written(self.high)}"
        return start if self.high == math.inf else f"{start} {end}"


NotNegative: TypeAlias = Annotated[float, Within(0)]
Share: TypeAlias = Annotated[float, Within(0, 1)]
AtLeastOne: TypeAlias = Annotated[float, Within(1)]
Positive: TypeAlias = Annotated[float, Within(0, above=True)]
Count: TypeAlias = Annotated[int, Within(1)]
Threads: TypeAlias = Annotated[int, Within(1, 1024)]
Iterations: TypeAlias = Annotated[int, Within(1, 1_000_000)]
Numbers: TypeAlias = Annotated[Tensor, "..."]
Images: TypeAlias = Annotated[Tensor, ImageError]
Picture: TypeAlias = Annotated[Tensor, "c h w", ImageError]
Maps: TypeAlias = Annotated[Tensor, "b c h w"]
Rows: TypeAlias = Annotated[Tensor, "n d"]
Plane: TypeAlias = Annotated[Tensor, "h w"]


def _written(number: float) -> str:
    return str(number) if isinstance(number, int) else f"{number:g}"
