"""The weights of the first layer as pictures: what each of its filters multiplies the image by."""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lucidtorch.base.images import BEHIND, sheet
from lucidtorch.models.model import Model

COLOURS = (1, 3)  # numbers of channels that are shown as one picture
TILE = 56  # pixels that a kernel is enlarged to at most
FAINT = 0.01  # of the largest norm: below it the picture of a kernel is noise blown up


@dataclass(frozen=True)
class Kernels:
    """The kernels of a layer that sees the image itself.

    Args:
        layer: Its address.
        weights: `[F, C, h, w]`.
    """

    layer: str
    weights: Tensor

    @property
    def norms(self) -> Tensor:
        """`[F]`: the root of the sum of squares of each filter's weights."""
        return self.weights.double().square().sum((1, 2, 3)).sqrt()

    @property
    def dead(self) -> list[int]:
        """The filters whose weights are all zero."""
        return [int(one) for one in (self.norms == 0).nonzero()[:, 0]]

    @property
    def faint(self) -> list[int]:
        """The filters that are not zero, and smaller than a hundredth of the largest."""
        norms = self.norms
        return [int(one) for one in ((norms > 0) & (norms < FAINT * norms.max())).nonzero()[:, 0]]

    @property
    def by_channel(self) -> bool:
        """Whether each filter is a row of grey pictures, one per channel of the image."""
        return self.weights.shape[1] not in COLOURS

    @property
    def columns(self) -> int:
        """How many pictures stand in a row of the sheet."""
        count, channels = self.weights.shape[:2]
        return channels if self.by_channel else wide_columns(count)

    def picture(self) -> Tensor:
        """Lay the kernels out in a sheet, filter after filter, each around middle grey.

        Formula: 0.5 + w / (2 max |w|), the maximum over the filter; middle grey where all weights are zero.
        """
        peaks = self.weights.abs().amax((1, 2, 3), keepdim=True)
        shown = BEHIND + self.weights / (2 * torch.where(peaks > 0, peaks, torch.ones_like(peaks)))
        times = max(1, TILE // max(shown.shape[2:]))
        large = shown.repeat_interleave(times, 2).repeat_interleave(times, 3)
        return sheet(large.flatten(0, 1)[:, None] if self.by_channel else large, self.columns)


def wide_columns(count: int) -> int:
    """Choose how many of some square pictures stand in a row."""
    return max((one for one in (1, 2, 4, 8, 16, 32) if one * one <= 3 * count), default=1)


def first_kernels(model: Model) -> Kernels | None:
    """Find the kernels of the first convolution, where it sees the image itself."""
    table = model.layers
    for address, record in table.items():
        module = model.module.get_submodule(table.resolve(address).module) if record.channels else None
        if isinstance(module, nn.Conv2d):
            reach = tuple((side - 1) * gap + 1 for side, gap in zip(module.kernel_size, module.dilation, strict=True))
            field = record.receptive_field
            seen = None if field is None else (field.size,) * 2 if isinstance(field.size, int) else field.size
            direct = seen == reach and module.weight.shape[1] == model.convention.channels
            weights = module.weight.detach().cpu().float()
            flipped = weights.flip(1) if model.convention.channel_order == "bgr" else weights
            return Kernels(address, flipped) if direct else None
    return None
