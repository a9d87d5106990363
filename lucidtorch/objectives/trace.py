"""What an evaluation reads, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeAlias

from torch import Tensor

Activations: TypeAlias = Mapping[str, Tensor]  # address to `[B, C, H, W]` or `[B, C]`; "input" is the image


class Trace(dict[Hashable, Tensor]):
    """The values of the parts of one evaluation, `[B]` each: of every term, `each`, `interpolate` and `on`."""

    def keep(self, part: Hashable, value: Tensor) -> Tensor:
        """Note the value of a part.

        Args:
            part: The part.
            value: `[B]`.

        Returns:
            The value.
        """
        self[part] = value
        return value
