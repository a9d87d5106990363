"""What a network expects of its input: channels, size, range, mean and standard deviation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real
from pathlib import Path
from typing import Literal, TypeAlias

import torch
from torch import Tensor, nn

from lucidtorch.base.arrays import Array
from lucidtorch.base.checks import is_whole
from lucidtorch.base.errors import BadInputError, ImageError
from lucidtorch.base.files import user_path
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import size_sides
from lucidtorch.base.surroundings import pinned
from lucidtorch.models.inputs.mean_image import read_mean, resized_mean

MOST_CHANNELS = 65_536
ChannelOrder: TypeAlias = Literal["rgb", "bgr"]
ORDERS: tuple[ChannelOrder, ...] = ("rgb", "bgr")
COLOURS = 3
GREY = 0.5
USUAL_SIDE = 224
USUAL_CLIP = (16, 112, 112)


@dataclass(frozen=True, slots=True)
class InputConvention:
    """How an image in [0, 1] becomes the network's input: ``((x * (hi - lo) + lo) - mean) / std``.

    Images are RGB everywhere. A network whose channel order is ``bgr`` gets their channels reversed before all else,
    so that mean and std stand in the network's own order, as its training script wrote them.

    Args:
        channels: The number of image channels.
        size: Height and width in pixels that the network was made for; (time, height, width) for clips and volumes.
        value_range: The pair (lo, hi) that [0, 1] is stretched to before mean and std.
        mean: One number per channel, in units of `value_range`, in the network's channel order.
        std: One positive number per channel, in units of `value_range`, in the network's channel order.
        stated: Whether somebody said so (the weights, the network's card or the caller); otherwise it is a guess.
        channel_order: ``rgb`` or ``bgr``.
        mean_image: A mean for each pixel, `[C, H, W]` or for clips `[C, T, H, W]`, which stands in the place of
            `mean`; `mean` is then its colour.

    Raises:
        BadInputError: The numbers of mean and std do not fit the channels, or a value is out of its range.
        SizeError: The size is not positive.
    """

    channels: int = COLOURS
    size: tuple[int, ...] = (224, 224)
    value_range: tuple[float, float] = (0.0, 1.0)
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    stated: bool = True
    channel_order: ChannelOrder = "rgb"
    mean_image: Array | None = None

    def __post_init__(self) -> None:
        _check_channels(self.channels)
        size_sides(self.size)
        low, high = self.value_range
        if not (math.isfinite(low) and math.isfinite(high) and low < high):
            raise BadInputError(
                f"value_range is (lo, hi) with lo below hi, but {self.value_range} was given; write (0, 1)."
            )
        _check_per_channel("mean", self.mean, self.channels)
        _check_per_channel("std", self.std, self.channels)
        if min(self.std) <= 0:
            raise BadInputError(f"std divides the image, so each number must be above 0, but {self.std} was given.")
        if _order(self.channel_order) == "bgr" and self.channels != COLOURS:
            raise BadInputError(f"channel_order='bgr' is for images of 3 channels, not {self.channels}; leave it out.")
        if self.mean_image is not None:
            _check_mean_image(self.mean_image.shape, self.channels, self.dims)

    @property
    def dims(self) -> int:
        """The number of axes beside batch and channels: 2 for images, 3 for clips and volumes."""
        return len(self.size)

    @property
    def mean_colour(self) -> tuple[float, ...]:
        """The mean colour of the images that it learned from, in [0, 1] and RGB order; grey where nobody stated it."""
        if not self.stated:
            return (GREY,) * self.channels
        low, high = self.value_range
        mean = self.mean[::-1] if self.channel_order == "bgr" else self.mean
        return tuple(min(1.0, max(0.0, (one - low) / (high - low))) for one in mean)

    def columns(
        self, device: torch.device, dtype: torch.dtype, sides: Sequence[int] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Fold range, mean and std into one factor and one summand, both in the network's channel order.

        Args:
            device: Where the two tensors shall live.
            dtype: Their type.
            sides: The size of the images, to which a mean image is brought; the convention's own where None.

        Returns:
            Scale and shift, so that the network's input is ``images * scale + shift``: `[1, C, 1, 1]`, with one axis
            more for clips; where there is a mean image, the shift is of its shape, brought to `sides`.
        """
        low, high = self.value_range
        shape = (1, -1, *(1 for _ in self.size))
        with pinned():  # the tensors outlive the caller's mode
            std = torch.tensor(self.std, dtype=torch.float64).view(shape)
            mean = torch.tensor(self.mean, dtype=torch.float64).view(shape)
            if self.mean_image is not None:
                mean = resized_mean(self.mean_image, self.size if sides is None else sides)
            scale, shift = (high - low) / std, (low - mean) / std
            return scale.to(dtype).to(device), shift.to(dtype).to(device)

    def overridden(
        self,
        *,
        mean: float | Sequence[float] | str | Path | None = None,
        std: float | Sequence[float] | None = None,
        value_range: Sequence[float] | None = None,
        channel_order: str | None = None,
        size: int | Sequence[int] | None = None,
        channels: int | None = None,
    ) -> InputConvention:
        """Put the caller's words in the place of what was known.

        Args:
            mean: One number per channel, one for all, or the path of a mean image or of a file of numbers.
            std: One positive number per channel, or one for all.
            value_range: The pair (lo, hi) that [0, 1] is stretched to.
            channel_order: ``rgb`` or ``bgr``.
            size: One side of a square, height and width, or (time, height, width). One side, or two, of a network for
                clips leaves their length as it was.
            channels: The number of image channels.

        Returns:
            The convention with what was given replaced.

        Raises:
            BadInputError: The numbers or the file do not fit.
            SizeError: The size is not positive.
        """
        count = self.channels if channels is None else channels
        _check_channels(count)
        stretch = self.value_range if value_range is None else _pair_of_numbers(value_range)
        order = _order(self.channel_order if channel_order is None else channel_order)
        numbers, image = (self.mean, self.mean_image) if mean is None else (mean, None)
        if isinstance(numbers, str | Path):
            values = read_mean(user_path(numbers), count, stretch, order)
            numbers = tuple(values.numpy().astype(float).reshape(values.shape[0], -1).mean(1).tolist())
            image = None if len(values.shape) == 1 else values
        sides = self.size if size is None else size_sides(size)
        return replace(
            self,
            channels=count,
            size=(*self.size[: max(0, self.dims - len(sides))], *sides),
            value_range=stretch,
            mean=_per_channel("mean", numbers, count, given=mean is not None),
            std=_per_channel("std", self.std if std is None else std, count, given=std is not None),
            stated=self.stated or any(given is not None for given in (mean, std, value_range)),
            channel_order=order,
            mean_image=image,
        )


def _check_channels(channels: object) -> None:
    if not is_whole(channels) or not 1 <= channels <= MOST_CHANNELS:
        raise BadInputError(f"channels is a whole number from 1 to {MOST_CHANNELS}, but {shown(channels)} was given.")


def _order(order: str) -> ChannelOrder:
    for known in ORDERS:
        if order == known:
            return known
    raise BadInputError(f"channel_order is 'rgb' or 'bgr', but {shown(order)} was given.")


def _check_mean_image(shape: Sequence[int], channels: int, dims: int) -> None:
    if shape[0] != channels or len(shape) - 1 not in (2, dims):
        axes = "[C, T, H, W] or [C, H, W]" if dims == 3 else "[C, H, W]"
        raise BadInputError(
            f"A mean image is {axes} with {channels} channels here, but one of shape {list(shape)} was given."
        )


def _check_per_channel(name: str, values: Sequence[float], channels: int) -> None:
    if len(values) != channels:
        raise BadInputError(f"{name} has {len(values)} numbers for {channels} channels; give one per channel.")
    if not all(isinstance(value, Real) and math.isfinite(value) for value in values):
        raise BadInputError(f"{name} is one finite number per channel, but {tuple(values)} was given.")


def _per_channel(name: str, values: float | Sequence[float], channels: int, *, given: bool) -> tuple[float, ...]:
    numbers = (values,) if isinstance(values, int | float) else tuple(values)
    if len(set(numbers)) == 1 and (len(numbers) == 1 or not given):
        numbers = numbers[:1] * channels
    _check_per_channel(name, numbers, channels)
    return tuple(float(number) for number in numbers)


def _pair_of_numbers(values: Sequence[float]) -> tuple[float, float]:
    numbers = tuple(values)
    if len(numbers) != 2:
        raise BadInputError(f"value_range is a pair (lo, hi), but {shown(values)} was given; write (0, 1).")
    return float(numbers[0]), float(numbers[1])


class Normalization:
    """A convention at work: it keeps its factor and summand, made once per device and type."""

    def __init__(self, convention: InputConvention, name: str) -> None:
        self._convention = convention
        self._name = name
        self._columns: dict[tuple[torch.device, torch.dtype], tuple[Tensor, Tensor]] = {}
        self._sides: dict[tuple[torch.device, torch.dtype], tuple[int, ...]] = {}  # that a mean image is brought to

    def __call__(self, images: Tensor) -> Tensor:
        """Turn images in [0, 1] into the network's input; differentiable."""
        check_images(images, self._convention, self._name)
        key = (images.device, images.dtype)
        sides = () if self._convention.mean_image is None else tuple(images.shape[2:])
        if key not in self._columns or self._sides[key] != sides:
            self._columns[key] = self._convention.columns(*key, sides or None)
            self._sides[key] = sides
        scale, shift = self._columns[key]
        ordered = images.flip(1) if self._convention.channel_order == "bgr" else images
        return torch.mul(ordered, scale).add_(shift)  # `addcmul` of columns is not vectorized on a CPU


def check_images(images: Tensor, convention: InputConvention, name: str) -> None:
    """Refuse what is no batch of images for a network."""
    if not isinstance(images, Tensor):
        raise ImageError(f"Images are a tensor, but {type(images).__name__} was given; write torch.as_tensor(images).")
    channels = convention.channels
    if images.dim() != convention.dims + 2:
        axes = "Images are [B, C, H, W]" if convention.dims == 2 else f"{name} takes clips or volumes [B, C, T, H, W]"
        other = " For clips and volumes, load it with size=(t, h, w)." * (images.dim() == 5)
        raise ImageError(f"{axes}, but a tensor of shape {list(images.shape)} was given.{other}")
    if images.shape[1] != channels:
        given = f"images of {images.shape[1]} were given"
        raise ImageError(f"{name} takes images of {channels} channel{'s' * (channels != 1)}, but {given}.")
    if not images.is_floating_point():
        raise ImageError(f"Images are numbers from 0 to 1, but {images.dtype} was given; write `images / 255`.")


def guess(channels: int, size: tuple[int, ...]) -> InputConvention:
    """Write down a convention that nobody stated."""
    return InputConvention(channels, size, (0.0, 1.0), (0.0,) * channels, (1.0,) * channels, stated=False)


def guessed_input(module: nn.Module) -> tuple[int, tuple[int, ...]]:
    """Guess what a network takes, from its first convolution or a dense layer that takes all pixels of a square."""
    kinds = nn.Conv2d | nn.Conv3d | nn.Linear
    first = next((part for part in module.modules() if isinstance(part, kinds)), None)
    if isinstance(first, nn.Conv2d):
        return first.in_channels, (USUAL_SIDE, USUAL_SIDE)
    if isinstance(first, nn.Conv3d):
        return first.in_channels, USUAL_CLIP
    if isinstance(first, nn.Linear):
        for channels in (1, COLOURS):
            side = math.isqrt(first.in_features // channels)
            if channels * side * side == first.in_features:
                return channels, (side, side)
    return COLOURS, (USUAL_SIDE, USUAL_SIDE)
