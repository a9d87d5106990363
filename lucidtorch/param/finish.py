"""From the numbers of pixels to images in [0, 1] and back: colour, bounds, a mask, channels that are held."""

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

EDGE = 1e-4  # a start image is kept this far from 0 and 1, where the sigmoid's inverse is infinite
LARGEST_CONDITION = 1e6  # a root whose axes differ more than this in length has no inverse in float32
CENTRE = 0.5
COLOUR_MEAN = (0.48, 0.46, 0.41)  # Lucid's, about that of ImageNet
RGB = len(COLOUR_MEAN)


class Decorrelated(nn.Module):
    """Colours on the independent axes of images: numbers to colours, and exactly back.

    `root`, `[C, C]`, is a root of the covariance of the images' colours. It is divided by the length of its longest
    column (Lucid). ImageNet's three axes are about brightness, blue to orange, and green to purple.
    """

    matrix: Tensor

    def __init__(self, root: object = IMAGENET_ROOT) -> None:
        super().__init__()
        axes = torch.from_numpy(np.array(Array.of(root).numpy(), dtype=np.float64))
        if axes.ndim != 2 or axes.shape[0] != axes.shape[1]:
            raise BadInputError(f"A colour root is a matrix [C, C], but its shape is {list(axes.shape)}.")
        if not torch.linalg.cond(axes) < LARGEST_CONDITION:
            raise BadInputError("This colour root has no inverse: its columns must point into different directions.")
        self.register_buffer("matrix", (axes / axes.norm(dim=0).max()).float(), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Mix the independent axes to colours."""
        return _mixed(self.matrix, pixels)

    def inverse(self, pixels: Tensor) -> Tensor:
        """Find the independent axes of colours."""
        return _mixed(torch.linalg.inv(self.matrix.double()).to(self.matrix.dtype), pixels)


def _mixed(matrix: Tensor, pixels: Tensor) -> Tensor:
    """Multiply the colour of every pixel; image by image, which moves no axis as one product for all would."""
    return torch.bmm(matrix.expand(len(pixels), -1, -1), pixels.flatten(2)).reshape(pixels.shape)


class Sigmoid(nn.Module):
    """The sigmoid: 0 is grey, and no image reaches 0 or 1."""

    def forward(self, pixels: Tensor) -> Tensor:
        """Bring pixels into (0, 1)."""
        return torch.sigmoid(pixels)

    def inverse(self, images: Tensor) -> Tensor:
        """Find the pixels of images; exact but for values within 1e-4 of 0 or 1."""
        return torch.logit(images.clamp(EDGE, 1 - EDGE))


class Clip(nn.Module):
    """Clipping of pixels around a mean colour, one value per channel; outside [0, 1] only what leads back moves."""

    centre: Tensor

    def __init__(self, centre: Sequence[float]) -> None:
        super().__init__()
        self.register_buffer("centre", torch.tensor(centre), persistent=False)

    def forward(self, pixels: Tensor) -> Tensor:
        """Bring pixels into [0, 1]."""
        images: Tensor = _Clipped.apply(pixels + self._centre(pixels))
        return images

    def inverse(self, images: Tensor) -> Tensor:
        """Find the pixels of images, exactly."""
        return images - self._centre(images)

    def _centre(self, images: Tensor) -> Tensor:
        return self.centre.view(-1, *(1 for _ in images.shape[2:]))


class _Clipped(torch.autograd.Function):
    """Clip to [0, 1]; the gradient is that of a loss, which a step goes against: back is up below 0, down above 1."""

    @staticmethod
    def forward(context: Any, pixels: Tensor) -> Tensor:
        context.save_for_backward(pixels)
        return pixels.clamp(0, 1)

    @staticmethod
    def backward(context: Any, gradient: Tensor) -> Tensor:
        (pixels,) = context.saved_tensors
        leads_on = ((pixels < 0) & (gradient > 0)) | ((pixels > 1) & (gradient < 0))
        return gradient.masked_fill(leads_on, 0)


class Finish(nn.Module):
    """What all images go through once their pixels are there, as the arguments of `image` say."""

    start: Tensor | None  # the free channels of `init`
    mask: Tensor | None  # `[B or 1, 1, *size]`: 0 where `init` comes out exactly
    values: Tensor | None  # of the channels that are held, `[B, n, *size]`
    order: Tensor  # the place of each channel among the free ones and, after them, the held ones

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
        """Make images of pixels."""
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
        """Find the pixels of images, of which held channels may be left out; under a mask, of its inside."""
        pixels: Tensor = self.bounds.inverse(self._free_channels(images))
        return pixels if self.colour is None else self._coloured(self.colour.inverse, pixels)

    def check_size(self, size: Size) -> None:
        """Refuse another size where something has one size only."""
        if (self.held or self.mask is not None) and size != self.size:
            raise BadInputError(f"What is held, and a mask, have one size, {list(self.size)}, not {list(size)}.")

    def _coloured(self, mixed: Callable[[Tensor], Tensor], pixels: Tensor) -> Tensor:
        """Mix the colours; the opacity, where it is free, is the last channel and stays as it is."""
        if self.painted == self.free:
            return mixed(pixels)
        return torch.cat([mixed(pixels[:, : self.painted]), pixels[:, self.painted :]], 1)

    def _free_channels(self, images: Tensor) -> Tensor:
        """Take the free channels out of images."""
        return images if images.shape[1] == self.free else images[:, self._free]

    def _colour(self, root: object, decorrelate: bool) -> Decorrelated | None:
        if root is None:
            return Decorrelated() if decorrelate and self.painted == RGB else None
        if not decorrelate:
            raise BadInputError("colour= says how colours are decorrelated; leave it out, or decorrelate=False.")
        colour = Decorrelated(root)
        if len(colour.matrix) != self.painted:
            raise BadInputError(
                f"colour= is a root of {len(colour.matrix)} colours, but {self.painted} channels are made."
            )
        return colour

    def _bounds(self, name: str, *, natural: bool) -> Sigmoid | Clip:
        if name == "sigmoid":
            return Sigmoid()
        centre = COLOUR_MEAN if natural else (CENTRE,) * self.painted
        return Clip((*centre, *(CENTRE,) * (self.free - self.painted)))

    def _values(self, hold: Mapping[int, object]) -> Tensor | None:
        """Check and give the values of the held channels."""
        wrong = [channel for channel in self.held if not 0 <= channel < self.channels]
        if wrong:
            raise ImageError(f"hold= names channel {wrong[0]}, but the {self.channels} channels count from 0.")
        if not self.free:
            raise ImageError(
                f"hold= names all {self.channels} channels; leave at least one free, or there is nothing to make."
            )
        planes = [self._plane(hold[channel], channel) for channel in self.held]
        return torch.stack(planes, 1) if planes else None

    def _plane(self, given: object, channel: int) -> Tensor:
        """Spread what was given for one channel over all images, `[B, *size]`."""
        batch, size, plane = self.batch, self.size, self.size[-PLANE:]
        words = f"a number, [H, W] = {list(plane)}, or one per image: [B] = {[batch]}, [B, H, W] = {[batch, *plane]}"
        if len(size) > PLANE:
            words = (
                f"a number, [H, W] = {list(plane)}, [T, H, W] = {list(size)}, or one per image: [B] = {[batch]}, "
                f"[B, T, H, W] = {[batch, *size]}"
            )
        values = _given(given, f"hold={{{channel}: ...}}", ((), (batch,), plane, size, (batch, *size)), words)
        if values.ndim == 1:
            values = values.view(-1, *(1 for _ in size))
        return values.expand(batch, *size)

    def _start(self, init: object) -> Tensor | None:
        """Check and give the free channels of `init`, `[B, F, *size]`."""
        if init is None:
            return None
        wanted = [(count, *self.size) for count in dict.fromkeys((self.channels, self.free))]
        axes = "[C, H, W]" if len(self.size) == PLANE else "[C, T, H, W]"
        words = f"{axes} = {' or '.join(str(list(one)) for one in wanted)}, or one such per image"
        images = _given(init, "init", [*wanted, *((self.batch, *one) for one in wanted)], words)
        return self._free_channels(images.expand(self.batch, *images.shape[-len(wanted[0]) :]))

    def _mask(self, mask: object) -> Tensor | None:
        """Check and give the mask."""
        if mask is None:
            return None
        if self.start is None:
            raise BadInputError("A mask says where init= stays as it is; give that image as init=, too.")
        size, plane, each = self.size, self.size[-PLANE:], (self.batch, *self.size)
        words = f"[H, W] = {list(plane)}, or one per image, {list(each)}"
        if len(size) > PLANE:
            words = f"[H, W] = {list(plane)}, [T, H, W] = {list(size)}, or one clip per image, {list(each)}"
        values = _given(mask, "mask", (plane, size, each), words)
        if values.ndim <= len(size):
            values = values.expand(1, *size)
        if not bool(values.flatten(1).any(1).all()):
            raise ImageError(
                "mask is 0 everywhere, which leaves nothing to make; it is 1 where the picture may change."
            )
        return values[:, None].clone()


def _given(numbers: object, name: str, shapes: Sequence[Size], words: str) -> Tensor:
    """Check an image that was given as an argument, and make a tensor of it."""
    array = Array.of(numbers)
    if array.shape not in shapes:
        raise ImageError(f"{name} must be {words}; its shape is {list(array.shape)}.")
    values = array.numpy()
    if values.min() < 0 or values.max() > 1:
        raise ImageError(f"{name} must lie in [0, 1], but it runs from {values.min():.3g} to {values.max():.3g}.")
    return array.tensor(torch.zeros(()))
