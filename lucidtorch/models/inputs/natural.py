"""Pictures with the statistics of natural ones, made on the spot: for trying what a network makes of its input."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Generator, Tensor

from lucidtorch.base.natural_images import IMAGENET_MEAN, IMAGENET_ROOT, amplitudes

SHARED, OWN = 0.25, 0.08  # of the pixels' standard deviation: what all bands have in common, and what each has alone
FASTEST = 2  # pixels per frame


def natural_images(channels: int, sides: Sequence[int], count: int, *, seed: int = 0) -> Tensor:
    """Draw pictures with nature's spectrum, 1 / f, and ImageNet's colours; other channels mostly share brightness."""
    generator = torch.Generator().manual_seed(seed)
    mixing, mean = _colours(channels)
    fields = _fields(count, mixing.shape[1], (sides[-2], sides[-1]), generator)
    pictures = (torch.einsum("ij,bjhw->bihw", mixing, fields) + mean.view(-1, 1, 1)).clamp(0, 1).float()
    return pictures if len(sides) == 2 else _moving(pictures, sides[0], generator)


def _colours(channels: int) -> tuple[Tensor, Tensor]:
    """The axes along which the channels vary together, as columns, and their mean."""
    if channels == len(IMAGENET_MEAN):
        return torch.tensor(IMAGENET_ROOT, dtype=torch.float64), torch.tensor(IMAGENET_MEAN, dtype=torch.float64)
    shared = torch.full((channels, 1), SHARED, dtype=torch.float64)
    own = torch.eye(channels, dtype=torch.float64) * OWN
    grey = sum(IMAGENET_MEAN) / len(IMAGENET_MEAN)
    return torch.cat([shared, own], dim=1), torch.full((channels,), grey, dtype=torch.float64)


def _fields(count: int, axes: int, plane: tuple[int, int], generator: Generator) -> Tensor:
    """Random fields with nature's spectrum, of mean 0 and standard deviation 1 over all."""
    weights = amplitudes(plane, 1.0)
    noise = torch.randn(count, axes, *weights.shape, 2, dtype=torch.float64, generator=generator)
    fields: Tensor = torch.fft.irfft2(torch.view_as_complex(noise) * weights, s=plane, norm="ortho")
    return fields / fields.square().mean().sqrt()


def _moving(pictures: Tensor, frames: int, generator: Generator) -> Tensor:
    speeds = torch.randint(-FASTEST, FASTEST + 1, (len(pictures), 2), generator=generator).tolist()
    clips = [
        torch.stack([picture.roll((down * frame, right * frame), (1, 2)) for frame in range(frames)], dim=1)
        for picture, (down, right) in zip(pictures, speeds, strict=True)
    ]
    return torch.stack(clips)
