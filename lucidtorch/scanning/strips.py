"""What a unit sees in several images, side by side in one picture."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from lucidtorch.base.images import GAP, shrunk, visible

LARGEST = 112  # pixels on the longer side of a patch; a larger one is made smaller


def strip(patches: Sequence[Tensor], largest: int = LARGEST) -> Tensor:
    """Lay patches out in a row, with narrow gaps that one can see through."""
    shown = torch.stack([visible(one) for one in patches]).float()
    shown = shrunk(shown, largest)
    opaque = torch.cat([shown, torch.ones_like(shown[:, :1])], 1)
    spaced = functional.pad(opaque, (0, GAP))
    return torch.cat(list(spaced), 2)[..., :-GAP]
