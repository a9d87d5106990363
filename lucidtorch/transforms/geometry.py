"""Transforms that move pixels: each is a matrix per image, so that a run of them becomes one warp."""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Generator, Tensor

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.sizes import PLANE, Size
from lucidtorch.transforms.transform import GREY, Transform, check_number, uniform


class Geometric(Transform):
    """A transform that moves pixels by a matrix, and may change the size of the canvas."""

    fusion = "geometry"

    @property
    def is_shift(self) -> bool:
        """Whether it moves every image by whole pixels and nothing else."""
        return True

    @abstractmethod
    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        """Say where each pixel goes.

        Args:
            draws: What `sample` gave, `[B, n]`.
            size: The height and width of the images that go in.

        Returns:
            `[B, 3, 3]` in float64: from pixel (x, y, 1) of the image that goes in to pixel (x, y, 1) of the one that
            comes out.
        """

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return torch.zeros(len(generators), 0, dtype=torch.float64)

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        return self.apply_run(images, [self], [draws], GREY if self.fill is None else self.fill)

    def apply_run(self, images: Tensor, steps: Sequence[Transform], draws: Sequence[Tensor], fill: float) -> Tensor:
        """Compose neighbours into one matrix per image and resample once, the frames of a clip as further channels."""
        frames = images.shape[2:-PLANE]
        if frames:
            moved = self.apply_run(images.flatten(1, 2), steps, draws, fill)
            return moved.reshape(*images.shape[:2], *frames, *moved.shape[-PLANE:])
        size: Size = tuple(images.shape[-PLANE:])
        matrix = torch.eye(3, dtype=torch.float64).repeat(len(images), 1, 1)
        shift = True
        for step, drawn in zip(steps, draws, strict=True):
            if isinstance(step, Geometric):
                matrix, shift = step.matrix(drawn, size) @ matrix, shift and step.is_shift
            size = step.output_size(size)
        if shift:
            return shifted(images, matrix[:, :2, 2], size, fill)
        from lucidtorch.transforms.warp import warped  # loads kornia, which only a warp needs

        return warped(images, matrix, size, fill)

    def output_size(self, size: Size) -> Size:
        return size


@dataclass(frozen=True, repr=False)
class pad(Geometric):  # noqa: N801  # a word of the notation
    """Put a border around the image, so that the network sees more than the picture.

    Args:
        pixels: The width of the border on every side.
        value: What stands in it, and beyond the edge of everything that later transforms move; 0.5 is grey.

    Raises:
        BadInputError: The width is no whole number from 0.
    """

    pixels: int
    value: float = GREY

    def __post_init__(self) -> None:
        check_number(self.pixels, "pad(pixels)", low=0, whole=True)
        check_number(self.value, "pad(value=)", low=-math.inf)

    @property
    def fill(self) -> float:
        """The value of the border."""
        return self.value

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        return shifts(torch.full((len(draws), 2), float(self.pixels), dtype=torch.float64))

    def output_size(self, size: Size) -> Size:
        return (*size[:-PLANE], *(side + 2 * self.pixels for side in size[-PLANE:]))


@dataclass(frozen=True, repr=False)
class jitter(Geometric):  # noqa: N801  # a word of the notation
    """Shift the image by whole pixels, a different way at every step.

    Each axis moves by one of the ``pixels + 1`` steps around 0, all equally likely: -4 ... 4 for 8, as Lucid's random
    crop does.

    Args:
        pixels: The width of the range of shifts.

    Raises:
        BadInputError: The width is no whole number from 0.
    """

    pixels: int

    def __post_init__(self) -> None:
        check_number(self.pixels, "jitter(pixels)", low=0, whole=True)

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return (uniform(generators, 2) * (self.pixels + 1)).floor() - self.pixels // 2

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        return shifts(draws)


@dataclass(frozen=True, repr=False)
class Ranged(Geometric):
    """A transform that resamples by one number, drawn evenly from a range for every image.

    Args:
        low: The smallest number.
        high: The largest number.
    """

    low: float
    high: float

    @property
    def is_shift(self) -> bool:
        """It resamples."""
        return False

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return self.low + uniform(generators, 1) * (self.high - self.low)


@dataclass(frozen=True, repr=False)
class scale(Ranged):  # noqa: N801  # a word of the notation
    """Enlarge or shrink the image around its centre, by a factor drawn evenly from a range.

    Args:
        low: The smallest factor.
        high: The largest factor.

    Raises:
        BadInputError: The factors are not positive, or in the wrong order.
    """

    def __post_init__(self) -> None:
        for value in (self.low, self.high):
            check_number(value, "scale(low, high)", low=0)
        if not 0 < self.low <= self.high:
            raise BadInputError(f"scale(low, high) takes 0 < low <= high, but {self.low} and {self.high} were given.")

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        linear = torch.eye(2, dtype=torch.float64) * draws[:, :, None]
        return about_centre(linear, size)


@dataclass(frozen=True, repr=False)
class rotate(Ranged):  # noqa: N801  # a word of the notation
    """Turn the image around its centre, by an angle drawn evenly from a range.

    Args:
        low: The smallest angle in degrees, counter-clockwise.
        high: The largest angle in degrees.

    Raises:
        BadInputError: The angles are in the wrong order.
    """

    def __post_init__(self) -> None:
        for value in (self.low, self.high):
            check_number(value, "rotate(low, high)", low=-math.inf)
        if self.low > self.high:
            raise BadInputError(f"rotate(low, high) takes low <= high, but {self.low} and {self.high} were given.")

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        angle = torch.deg2rad(draws[:, 0])
        sine, cosine = angle.sin(), angle.cos()
        linear = torch.stack([torch.stack([cosine, sine], 1), torch.stack([-sine, cosine], 1)], 1)  # rows point down
        return about_centre(linear, size)


@dataclass(frozen=True, repr=False)
class crop_or_pad_to(Geometric):  # noqa: N801  # a word of the notation
    """Bring the image to a fixed size by cutting or padding it evenly on all sides.

    Args:
        height: The height that comes out.
        width: The width that comes out.

    Raises:
        BadInputError: A size is no whole number from 1.
    """

    height: int
    width: int
    fusion = ""  # what it cuts off is gone: nothing that follows may bring it back

    def __post_init__(self) -> None:
        for value in (self.height, self.width):
            check_number(value, "crop_or_pad_to(height, width)", low=1, whole=True)

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        row, column = (self.height - size[0]) // 2, (self.width - size[1]) // 2
        return shifts(torch.tensor([[float(column), float(row)]], dtype=torch.float64).expand(len(draws), 2))

    def output_size(self, size: Size) -> Size:
        return (*size[:-PLANE], self.height, self.width)


def shifts(offsets: Tensor) -> Tensor:
    """Make matrices that move by an offset.

    Args:
        offsets: `[B, 2]`, to the right and down.

    Returns:
        `[B, 3, 3]`.
    """
    matrix = torch.eye(3, dtype=torch.float64).repeat(len(offsets), 1, 1)
    matrix[:, :2, 2] = offsets
    return matrix


def about_centre(linear: Tensor, size: Size) -> Tensor:
    """Make matrices that turn or stretch around the centre of the canvas.

    Args:
        linear: `[B, 2, 2]`.
        size: The height and width of the canvas.

    Returns:
        `[B, 3, 3]`.
    """
    centre = torch.tensor([(size[1] - 1) / 2, (size[0] - 1) / 2], dtype=torch.float64)
    matrix = torch.eye(3, dtype=torch.float64).repeat(len(linear), 1, 1)
    matrix[:, :2, :2] = linear
    matrix[:, :2, 2] = centre - linear @ centre
    return matrix


def shifted(images: Tensor, offsets: Tensor, size: Size, fill: float) -> Tensor:
    """Move images by whole pixels onto a canvas, copying every pixel exactly.

    Args:
        images: `[B, C, H, W]`.
        offsets: `[B, 2]`, to the right and down.
        size: The height and width of the canvas.
        fill: The value of what lies outside the image.

    Returns:
        `[B, C, h, w]`.
    """
    height, width = images.shape[-2:]
    canvas = images.new_full((*images.shape[:2], *size), fill)
    for place, (right, down) in enumerate(offsets.long().tolist()):
        rows, columns = (
            slice(max(0, down), min(size[0], down + height)),
            slice(max(0, right), min(size[1], right + width)),
        )
        if rows.start < rows.stop and columns.start < columns.stop:
            seen = images[place, :, rows.start - down : rows.stop - down, columns.start - right : columns.stop - right]
            canvas[place, :, rows, columns] = seen
    return canvas
