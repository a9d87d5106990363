"""From pixels to images in [0, 1]: colour, bounds, a mask, and held channels; and back."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import BadInputError, ImageError
from lucidtorch.base.natural_images import IMAGENET_ROOT
from lucidtorch.base.sizes import PLANE, Size

CENTRE = 0.5
COLOUR_MEAN = (0.48, 0.46, 0.41)  # Lucid's, about that of ImageNet
RGB = len(COLOUR_MEAN)
EDGE = 1e-4  # the smallest distance of an initial image to 0 and 1, where the inverse of the sigmoid is infinite
LARGEST_CONDITION = 1e6  # of a colour root; a larger condition number has no inverse in float32


class Decorrelated(nn.Module):
    """A linear map from decorrelated channels to colours, and its inverse.

    `root`, `[C, C]`, is a square root of the covariance of the images' colours. It is divided by the norm of its
    longest column (Lucid). ImageNet's three axes are about brightness, blue to orange, and green to purple.
    """

    matrix: Tensor

    def __init__(self, root: object = IMAGENET_ROOT) -> None:
        super().__init__()
        axes = torch.from_numpy(np.array(Array.of(root).numpy(), dtype=np.float64))
        if axes.ndim != 2 or axes.shape[0] != axes.shape[1]:
            raise BadInputError(f"A colour root is a matrix [C, C], but its shape is {list(axes.shape)}.")
        if not torch.linalg.cond(axes) < LARGEST_CONDITION:
            raise BadInputError("This colour root has no inverse: its columns must be linearly independent.")
        self.register_buffer("matrix", (axes / axes.norm(dim=0).max()).float(), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Convert decorrelated channels to colours."""
        return _multiplied(self.matrix, pixels)

    def inverse(self, pixels: Tensor) -> Tensor:
        """Convert colours to decorrelated channels."""
        return _multiplied(torch.linalg.inv(self.matrix.double()).to(self.matrix.dtype), pixels)


def _multiplied(matrix: Tensor, pixels: Tensor) -> Tensor:
    """Multiply the colour of every pixel; as a batch of products, which needs no permuted copy."""
    return torch.bmm(matrix.expand(len(pixels), -1, -1), pixels.flatten(2)).reshape(pixels.shape)


class Sigmoid(nn.Module):
    """The sigmoid: 0 is grey, and 0 and 1 are never reached."""

    def forward(self, pixels: Tensor) -> Tensor:
        """Map pixels into (0, 1)."""
        return torch.sigmoid(pixels)

    def inverse(self, images: Tensor) -> Tensor:
        """Compute the pixels of images; exact except within 1e-4 of 0 and 1."""
        return torch.logit(images.clamp(EDGE, 1 - EDGE))


class Clip(nn.Module):
    """Clipping of pixels around a mean colour; outside [0, 1] only gradients that lead back into it pass."""

    centre: Tensor

    def __init__(self, centre: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("centre", torch.tensor(centre), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Map pixels into [0, 1]."""
        images: Tensor = _Clipped.apply(pixels + self._centre(pixels))
        return images

    def inverse(self, images: Tensor) -> Tensor:
        """Compute the pixels of images, exactly."""
        return images - self._centre(images)

    def _centre(self, images: Tensor) -> Tensor:
        return self.centre.view(-1, *(1 for _ in images.shape[2:]))


class _Clipped(torch.autograd.Function):
    """Clip to [0, 1]; the gradient is that of a loss, so that a step moves against it: up below 0, down above 1."""

    @staticmethod
    def forward(context: Any, pixels: Tensor) -> Tensor:
        context.save_for_backward(pixels)
        return pixels.clamp(0, 1)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        (pixels,) = context.saved_tensors
        outwards = ((pixels < 0) & (gradient > 0)) | ((pixels > 1) & (gradient < 0))
        return gradient.masked_fill(outwards, 0)


class Finish(nn.Module):
    """The map from pixels to images, as the arguments of `image` state it."""

    start: Tensor | None  # the free channels of `init`
    mask: Tensor | None  # `[B or 1, 1, *size]`: 0 where the image equals `init`
    values: Tensor | None  # of the held channels, `[B, n, *size]`
    order: Tensor  # the index of each channel among the free channels followed by the held ones

    def __init__(self, arguments: Mapping[str, Any], batch: int, channels: int, size: Size) -> None:
        super().__init__()
        self.batch, self.channels, self.size = batch, channels, size
        hold = arguments["hold"] or {}
        self.held = tuple(sorted(hold))
        self.free = channels - len(self.held)
        self.painted = self.free - (bool(arguments["alpha"]) and channels - 1 not in self.held)
        self.register_buffer("values", self._values(hold), persistent=False)
        self._free = [channel for channel in range(channels) if channel not in self.held]
        self.register_buffer("order", torch.tensor([*self._free, *self.held]).argsort(), persistent=False)
        self.colour = self._colour(arguments["colour"], arguments["decorrelate"])
        self.bounds = self._bounds(arguments["bounds"], natural=self.colour is not None and arguments["colour"] is None)
        self.register_buffer("start", self._start(arguments["init"]), persistent=False)
        self.register_buffer("mask", self._mask(arguments["mask"]), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Convert pixels to images."""
        if self.colour is not None:
            pixels = self._coloured(self.colour, pixels)
        images: Tensor = self.bounds(pixels)
        if self.mask is not None and self.start is not None:
            mask = self.mask.to(images.dtype)
            images = torch.where(mask > 0, mask * images + (1 - mask) * self.start, self.start)
        if self.values is not None:
            images = torch.cat([images, self.values.to(images.dtype)], 1).index_select(1, self.order)
        return images

    def inverse(self, images: Tensor) -> Tensor:
        """Compute the pixels of images, which may lack the held channels; with a mask, valid inside it."""
        pixels: Tensor = self.bounds.inverse(self._free_channels(images))
        return pixels if self.colour is None else self._coloured(self.colour.inverse, pixels)

    def check_size(self, size: Size) -> None:
        """Raise an error if held channels or a mask do not have this size."""
        if (self.held or self.mask is not None) and size != self.size:
            raise BadInputError(f"Held channels and a mask have one size, {list(self.size)}, not {list(size)}.")

    def _coloured(self, mixed: Callable[[Tensor], Tensor], pixels: Tensor) -> Tensor:
        """Convert the colours; a free opacity channel is the last one and stays as it is."""
        if self.painted == self.free:
            return mixed(pixels)
        return torch.cat([mixed(pixels[:, : self.painted]), pixels[:, self.painted :]], 1)

    def _free_channels(self, images: Tensor) -> Tensor:
        """Select the free channels of images."""
        return images if images.shape[1] == self.free else images[:, self._free]

    def _colour(self, root: object, decorrelate: bool) -> Decorrelated | None:
        if root is None:
            return Decorrelated() if decorrelate and self.painted == RGB else None
        if not decorrelate:
            raise BadInputError("colour= states how colours are decorrelated; leave it out, or decorrelate=False.")
        colour = Decorrelated(root)
        if len(colour.matrix) != self.painted:
            raise BadInputError(
                f"colour= is a root of {len(colour.matrix)} colours, but there are {self.painted} channels to colour."
            )
        return colour

    def _bounds(self, name: str, *, natural: bool) -> Sigmoid | Clip:
        if name == "sigmoid":
            return Sigmoid()
        centre = COLOUR_MEAN if natural else (CENTRE,) * self.painted
        return Clip((*centre, *(CENTRE,) * (self.free - self.painted)))

    def _values(self, hold: Mapping[int, object]) -> Tensor | None:
        """Check the values of the held channels, and stack them."""
        wrong = [channel for channel in self.held if not 0 <= channel < self.channels]
        if wrong:
            raise ImageError(f"hold= names channel {wrong[0]}, but the {self.channels} channels count from 0.")
        if not self.free:
            raise ImageError(
                f"hold= names all {self.channels} channels; leave at least one free, or there is nothing to render."
            )
        planes = [self._plane(hold[channel], channel) for channel in self.held]
        return torch.stack(planes, 1) if planes else None

    def _plane(self, given: object, channel: int) -> Tensor:
        """Expand the value of one held channel over all images, `[B, *size]`."""
        batch, size = self.batch, self.size
        shapes = [("a number", ()), ("[H, W]", size[-PLANE:]), (self._axes(), size), ("[B]", (batch,))]
        values = _given(given, f"hold={{{channel}: ...}}", [*shapes, (self._axes("B"), (batch, *size))])
        if values.ndim == 1:
            values = values.view(-1, *(1 for _ in size))
        return values.expand(batch, *size)

    def _start(self, init: object) -> Tensor | None:
        """Check `init`, and select its free channels, `[B, F, *size]`."""
        if init is None:
            return None
        single = [(self._axes("C"), (count, *self.size)) for count in (self.channels, self.free)]
        images = _given(init, "init", [*single, *((self._axes("B", "C"), (self.batch, *one)) for _, one in single)])
        return self._free_channels(images.expand(self.batch, *images.shape[-1 - len(self.size) :]))

    def _mask(self, mask: object) -> Tensor | None:
        """Check the mask, `[B or 1, 1, *size]`."""
        if mask is None:
            return None
        if self.start is None:
            raise BadInputError("A mask states where init= stays as it is; give that image as init=, too.")
        size = self.size
        shapes = [("[H, W]", size[-PLANE:]), (self._axes(), size), (self._axes("B"), (self.batch, *size))]
        values = _given(mask, "mask", shapes)
        if values.ndim <= len(size):
            values = values.expand(1, *size)
        if not bool(values.flatten(1).any(1).all()):
            raise ImageError(
                "mask is 0 everywhere, which leaves nothing to render; it is 1 where the picture may change."
            )
        return values[:, None].clone()

    def _axes(self, *before: str) -> str:
        """Write the names of the axes of an image or a clip."""
        return f"[{', '.join((*before, *'THW'[-len(self.size) :]))}]"


def _given(numbers: object, name: str, shapes: Sequence[tuple[str, Size]]) -> Tensor:
    """Check an image argument against possible shapes, each with the names of its axes."""
    array = Array.of(numbers)
    if array.shape not in [shape for _, shape in shapes]:
        words = dict.fromkeys(f"{axes} = {list(shape)}" if shape else axes for axes, shape in shapes)
        raise ImageError(f"{name} must be {' or '.join(words)}; its shape is {list(array.shape)}.")
    low, high = array.span
    if low < 0 or high > 1:
        raise ImageError(f"{name} must lie in [0, 1], but it runs from {low:.3g} to {high:.3g}.")
    return array.tensor(torch.zeros(()))
