"""From images in [0, 1] to what a network takes."""

from __future__ import annotations

import torch
from torch import Tensor

from lucidtorch.base.errors import ImageError
from lucidtorch.models.convention import InputConvention


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

    def __call__(self, images: Tensor) -> Tensor:
        """Turn images in [0, 1] into the network's input; differentiable.

        Args:
            images: `[B, C, H, W]`.

        Returns:
            A new tensor `[B, C, H, W]`, never `images` itself, since a network may work in place.

        Raises:
            ImageError: The images have another number of dimensions or channels, or are whole numbers.
        """
        check_images(images, self._convention.channels, self._name)
        key = (images.device, images.dtype)
        if key not in self._columns:
            self._columns[key] = self._convention.columns(*key)
        scale, shift = self._columns[key]
        return torch.addcmul(shift, images, scale)


def check_images(images: Tensor, channels: int, name: str) -> None:
    """Refuse what is no batch of images for a network.

    Args:
        images: What was given, which should be `[B, C, H, W]` of floating-point numbers.
        channels: How many channels the network takes.
        name: The network's name, for the message.

    Raises:
        ImageError: It is something else.
    """
    if images.dim() != 4:
        raise ImageError(f"Images are [B, C, H, W], but a tensor of shape {list(images.shape)} was given.")
    if images.shape[1] != channels:
        given = f"images of {images.shape[1]} were given"
        raise ImageError(f"{name} takes images of {channels} channel{'s' * (channels != 1)}, but {given}.")
    if not images.is_floating_point():
        raise ImageError(f"Images are numbers from 0 to 1, but {images.dtype} was given; write `images / 255`.")
