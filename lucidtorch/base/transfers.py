"""Numbers on their way between the CPU and another device, without anyone waiting for them."""

from __future__ import annotations

import torch
from torch import Tensor


def sent(values: Tensor, device: torch.device) -> Tensor:
    """Send numbers to a device; to a GPU by way of memory that it reads by itself, while Python goes on."""
    if device.type == "cuda" and values.device.type == "cpu":
        return values.pin_memory().to(device, non_blocking=True)
    return values.to(device)


def fetched(values: Tensor) -> Tensor:
    """Let numbers come to the CPU; from a GPU they arrive when it has done all that it was told before."""
    if values.device.type != "cuda":
        return values.cpu()
    place = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    return place.copy_(values, non_blocking=True)
