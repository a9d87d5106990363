"""What an evaluation reads, and what it leaves behind."""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from typing import TypeAlias

from torch import Tensor

Activations: TypeAlias = Mapping[str, Tensor]  # address to `[B, C, H, W]` or `[B, C]`; "input" is the image
Memory: TypeAlias = dict[str, Tensor]  # what one term keeps from update to update


class Trace(dict[Hashable, Tensor]):
    """The values of the parts of one evaluation, `[B]` each: of every term, `each`, `interpolate`, `on` and the like.

    Args:
        step: How many updates were made before this evaluation; None where all of them were, as on a finished picture.
        memories: What the terms of a render keep from update to update; a fresh one where None.
    """

    def __init__(self, step: int | None = None, memories: dict[Hashable, Memory] | None = None) -> None:
        super().__init__()
        self.step = step
        self.memories = {} if memories is None else memories

    def keep(self, part: Hashable, value: Tensor) -> Tensor:
        """Note the value of a part."""
        self[part] = value
        return value

    def memory_of(self, part: Hashable) -> Memory:
        """Open what a part keeps from update to update."""
        return self.memories.setdefault(part, {})
