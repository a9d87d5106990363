"""Where a network computes."""

from __future__ import annotations

import torch
from torch import nn

from lucidtorch.base.errors import BadInputError


def read_device(device: str | torch.device) -> torch.device | None:
    """Read a device, and make sure that it is there."""
    if device == "auto":
        return None
    try:
        place = torch.device(device)
        torch.zeros(1, device=place).cpu()
    except (RuntimeError, AssertionError, ImportError) as error:
        raise BadInputError(f"The device {str(device)!r} cannot be used here; write 'cpu' or 'auto'.") from error
    return place


def move(module: nn.Module, place: torch.device | None, *, own: bool) -> None:
    """Put a network where it was asked for, in eval mode."""
    if not own:
        module.eval()
    if place is None and not own and torch.cuda.is_available():
        place = torch.device("cuda")
    if place is not None:
        module.to(place)
