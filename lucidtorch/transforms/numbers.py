"""Numbers: drawing them, and refusing those that do not fit."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor


def uniform(generators: Sequence[Generator], count: int) -> Tensor:
    """Draw numbers from [0, 1), each image from its own generator."""
    return torch.stack([torch.rand(count, generator=one, dtype=torch.float64) for one in generators])
