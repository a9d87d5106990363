"""Sums over images that are seen once: of colours, and of how strong each frequency is."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor
from torch.nn.functional import interpolate

from lucidtorch.base.errors import ImageError
from lucidtorch.base.sizes import PLANE

DEAD = 1e-12  # a variance below it is rounding
DEPENDENT = 1e-10  # the least share of the largest variance that an axis of colour may have


class Moments:
    """First and second moments of images, each of which counts the same whatever its size.

    The memory that it takes depends on the number of channels and the side alone. It computes in float64.

    Args:
        channels: The number of channels.
        side: The side of the square that images are brought to before their frequencies are looked at.
    """

    def __init__(self, channels: int, side: int) -> None:
        self.channels = channels
        self.side = side
        self.count = 0
        self._sums = torch.zeros(channels, dtype=torch.float64)
        self._products = torch.zeros(channels, channels, dtype=torch.float64)
        self._powers = torch.zeros(channels, channels, side, side // 2 + 1, dtype=torch.float64)

    def add(self, image: Tensor) -> None:
        """Take one image in."""
        pixels = image.flatten(1)
        self.count += 1
        self._sums += pixels.mean(1)
        self._products += pixels @ pixels.T / pixels.shape[1]
        spectrum = torch.fft.rfft2(squared(image, self.side))
        self._powers += (spectrum[:, None] * spectrum[None].conj()).real

    def mean(self) -> np.ndarray:
        """The mean colour, `[C]`."""
        return np.asarray(self._sums / self.count)

    def root(self) -> np.ndarray:
        """The root of the covariance of the colours."""
        mean = self.mean()
        covariance = np.asarray(self._products / self.count) - np.outer(mean, mean)
        dead = [channel for channel in range(self.channels) if covariance[channel, channel] < DEAD]
        if dead:
            raise ImageError(f"Channel {dead[0]} is the same everywhere in these images; leave it out.")
        variances, axes = np.linalg.eigh(covariance)
        if variances[0] < DEPENDENT * variances[-1]:
            raise ImageError(
                "The channels of these images repeat each other, as where grey pictures are stored in three colours; "
                "give each only once, for example image[:1]."
            )
        axes = axes * np.where(axes[0] < 0, -1, 1)
        return np.ascontiguousarray((axes * np.sqrt(variances))[:, ::-1])

    def magnitude(self, root: np.ndarray) -> np.ndarray:
        """How strong each frequency is in decorrelated colours."""
        inverse = np.linalg.inv(root / np.linalg.norm(root, axis=0).max())
        powers = np.einsum("ki,kj,ijhw->khw", inverse, inverse, np.asarray(self._powers / self.count))
        strengths: np.ndarray = np.sqrt(np.maximum(powers, 0))
        return strengths


def squared(image: Tensor, side: int) -> Tensor:
    """Cut the middle square out of an image and scale it."""
    height, width = image.shape[-PLANE:]
    shorter = min(height, width)
    top, left = (height - shorter) // 2, (width - shorter) // 2
    square = image[:, top : top + shorter, left : left + shorter]
    if shorter == side:
        return square
    return interpolate(square[None], (side, side), mode="bilinear", antialias=True)[0]
