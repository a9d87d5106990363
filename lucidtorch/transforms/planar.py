"""What changes the values of pixels: each frame of a clip on its own, all alike."""

from __future__ import annotations

from abc import abstractmethod

from torch import Tensor

from lucidtorch.base.machine import sent
from lucidtorch.base.sizes import PLANE, Size
from lucidtorch.transforms.transform import Transform


class Planar(Transform):
    """A transform that changes the values of pixels and keeps the size."""

    @abstractmethod
    def change(self, images: Tensor, draws: Tensor) -> Tensor:
        """Change images, each with its own draws."""

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        if images.ndim == 2 + PLANE:
            return self.change(images, draws)
        frames = images.shape[2]
        changed = self.change(images.transpose(1, 2).flatten(0, 1), draws.repeat_interleave(frames, dim=0))
        return changed.reshape(len(images), frames, *changed.shape[1:]).transpose(1, 2)

    def output_size(self, size: Size) -> Size:
        return size


def along(draws: Tensor, images: Tensor) -> Tensor:
    """Bring draws to where the images are, and to their precision."""
    return sent(draws.to(images.dtype), images.device)
