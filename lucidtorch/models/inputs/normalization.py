"""From images in [0, 1] to what a network takes."""

from __future__ import annotations

import torch
from torch import Tensor

from lucidtorch.base.errors import ImageError
from lucidtorch.models.inputs.convention import InputConvention


class Normalization:
    """A convention at work: it keeps its factor and summand, made once per device and type.

    Args:
        convention: What the network expects.
        name: The network's name, for messages.
    """

    def __init__(self, convention: InputConvention, name: str) -> None:
        self._convention = convention
        self._name = name
        self._columns: dict[tuple[torch.device, torch.dtype], tuple[Tensor, Tensor]] = {}
        self._sides: dict[tuple[torch.device, torch.dtype], tuple[int, ...]] = {}  # that a mean image is brought to

    def __call__(self, images: Tensor) -> Tensor:
        """Turn images in [0, 1] into the network's input; differentiable."""
        check_images(images, self._convention.channels, self._name, dims=self._convention.dims)
        scale, shift = self._columns_for(images)
        ordered = images.flip(1) if self._convention.channel_order == "bgr" else images
        return torch.mul(ordered, scale).add_(shift)  # `addcmul` of columns is not vectorized on a CPU

    def _columns_for(self, images: Tensor) -> tuple[Tensor, Tensor]:
        key = (images.device, images.dtype)
        sides = () if self._convention.mean_image is None else tuple(images.shape[2:])
        if key not in self._columns or self._sides[key] != sides:
            self._columns[key] = self._convention.columns(*key, sides or None)
            self._sides[key] = sides
        return self._columns[key]


def check_images(images: Tensor, channels: int, name: str, *, dims: int = 2) -> None:
    """Refuse what is no batch of images for a network."""
    if not isinstance(images, Tensor):
        raise ImageError(f"Images are a tensor, but {type(images).__name__} was given; write torch.as_tensor(images).")
    if images.dim() != dims + 2:
        axes = "Images are [B, C, H, W]" if dims == 2 else f"{name} takes clips or volumes [B, C, T, H, W]"
        other = " For clips and volumes, load it with size=(t, h, w)." * (images.dim() == 5)
        raise ImageError(f"{axes}, but a tensor of shape {list(images.shape)} was given.{other}")
    if images.shape[1] != channels:
        given = f"images of {images.shape[1]} were given"
        raise ImageError(f"{name} takes images of {channels} channel{'s' * (channels != 1)}, but {given}.")
    if not images.is_floating_point():
        raise ImageError(f"Images are numbers from 0 to 1, but {images.dtype} was given; write `images / 255`.")
