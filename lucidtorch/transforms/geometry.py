"""Geometric transforms, one matrix per image, so that consecutive ones become one warp; and those by whole pixels."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import IntEnum
from typing import ClassVar, Literal, TypeAlias

import numpy as np
import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from lucidtorch.base.checks import Share
from lucidtorch.base.errors import BadInputError, SizeError
from lucidtorch.base.machine import sent
from lucidtorch.base.sizes import PLANE, Distance, Side, Size, size_text
from lucidtorch.transforms.transform import GREY, MIRROR, Outside, Transform, uniform

IDENTITY = np.eye(2)
NEARLY_ZERO = 1e-12  # the divisor of points on the horizon, so that their coordinates are finite
Line = tuple[int, int]  # a direction, 1 or -1, and the new index of pixel 0
OddCut: TypeAlias = Literal["end", "start"]
CONSTANT, RANDOM = "constant", "random"


class Motion(IntEnum):
    """The kinds of geometric transforms, from the simplest to the most general."""

    WHOLE = 0  # shifts by whole pixels and flips: pixels are copied exactly
    AFFINE = 1
    PROJECTIVE = 2


class Geometric(Transform):
    """A transform of pixel coordinates by a matrix, which may change the image size."""

    fusion = "geometry"
    motion: ClassVar[Motion] = Motion.AFFINE

    @abstractmethod
    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        """Compute the matrix of each image.

        Args:
            draws: The result of `sample`, `[B, n]`.
            size: The height and width of the input images; of clips, preceded by frames.

        Returns:
            `[B, 3, 3]` in float64, in homogeneous coordinates: from pixel (x, y, 1) of the input to pixel (x, y, 1) of
            the output.
        """

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        outside = self.outside(draws)
        return self.apply_run(images, [self], [draws], GREY if outside is None else outside)

    def apply_run(
        self, images: Tensor, steps: Sequence[Transform], draws: Sequence[Tensor], outside: Outside
    ) -> Tensor:
        """Multiply the matrices and resample once, with the frames of a clip as channels."""
        frames = images.shape[2:-PLANE]
        if frames:
            moved = self.apply_run(images.flatten(1, 2), steps, draws, outside)
            return moved.reshape(*images.shape[:2], *frames, *moved.shape[-PLANE:])
        size: Size = tuple(images.shape[-PLANE:])
        matrix = np.eye(3)
        motion = Motion.WHOLE
        for step, drawn in zip(steps, draws, strict=True):
            if isinstance(step, Geometric):
                matrix, motion = step.matrix(drawn, size).numpy() @ matrix, max(motion, step.motion)
            size = step.output_size(size)
        if motion == Motion.WHOLE:
            return copied(images, matrix, size, outside)
        return warped(images, matrix, size, outside, projective=motion == Motion.PROJECTIVE)


def shifts(offsets: Tensor) -> Tensor:
    """Create translation matrices."""
    return _matrices(IDENTITY, offsets.numpy())


def about_centre(linear: np.ndarray, size: Size) -> Tensor:
    """Create matrices of linear maps around the centre of the image."""
    centre = np.array([(size[-1] - 1) / 2, (size[-2] - 1) / 2])
    return _matrices(linear, centre - linear @ centre)


def _matrices(linear: np.ndarray, offsets: np.ndarray) -> Tensor:
    """Create affine matrices; for so few numbers, numpy is five times as fast as torch."""
    matrix = np.zeros((len(offsets), 3, 3))
    matrix[:, :2, :2] = linear
    matrix[:, :2, 2] = offsets
    matrix[:, 2, 2] = 1
    return torch.from_numpy(matrix)


def warped(images: Tensor, matrix: np.ndarray, size: Size, outside: Outside, *, projective: bool = False) -> Tensor:
    """Warp images by matrices to a size, without autocast."""
    if isinstance(outside, str):
        return _resampled(images, matrix, size, projective=projective, mirrored=True)
    fill = outside
    if isinstance(fill, Tensor):
        fill = sent(fill.to(images.dtype), images.device).reshape(-1, 1, 1, 1)
    return _resampled(images - fill, matrix, size, projective=projective, mirrored=False).add_(fill)


def _resampled(images: Tensor, matrix: np.ndarray, size: Size, *, projective: bool, mirrored: bool) -> Tensor:
    """Sample every output pixel bilinearly; the padding is 0, or a reflection without repeated edge."""
    to_image = _to_grid(images.shape[-2:], from_centres=mirrored) @ np.linalg.inv(matrix)
    points = _points(to_image if projective else to_image[:, :2], size, images)
    if projective:
        depth = points[:, 2:]
        points = points[:, :2] / depth.where(depth != 0, NEARLY_ZERO)
    beyond = "reflection" if mirrored else "zeros"
    with torch.autocast(images.device.type, enabled=False):
        return F.grid_sample(images, points.permute(0, 2, 3, 1), padding_mode=beyond, align_corners=mirrored)


def _to_grid(size: Size, *, from_centres: bool) -> np.ndarray:
    """Create the matrix from pixels to the coordinates of `grid_sample`, -1 to 1 from edge to edge or pixel centre."""
    height, width = size
    if from_centres:
        height, width = max(height - 1, 1), max(width - 1, 1)  # a single pixel has no extent
        return np.array([[2 / width, 0, -1], [0, 2 / height, -1], [0, 0, 1]])
    return np.array([[2 / width, 0, 1 / width - 1], [0, 2 / height, 1 / height - 1], [0, 0, 1]])


def _points(matrix: np.ndarray, size: Size, like: Tensor) -> Tensor:
    """Multiply matrices, `[B, n, 3]`, with every pixel (x, y, 1) of an image.

    A product is the sum of a term of the column and one of the row, which are computed in float64. The planes of x and
    y are contiguous, which is fastest in `grid_sample`.
    """
    height, width = size
    across = matrix[:, :, :1] * np.arange(width)
    down = matrix[:, :, 1:2] * np.arange(height) + matrix[:, :, 2:]
    both = sent(torch.from_numpy(np.concatenate([across, down], 2)).to(like.dtype), like.device)
    return both[:, :, None, :width] + both[:, :, width:, None]


def copied(images: Tensor, matrix: np.ndarray, size: Size, outside: Outside) -> Tensor:
    """Shift images by whole pixels, or flip them; every pixel is copied exactly."""
    columns = [(round(row[0][0]), round(row[0][2])) for row in matrix]
    rows = [(round(row[1][1]), round(row[1][2])) for row in matrix]
    if images.requires_grad:
        # The two cases below return gradients of different memory layouts, on which rounding may depend in the layers
        # before; the result of an image would then depend on the draws of its neighbours.
        images = images.view_as(images)
        images.register_hook(_contiguous)  # type: ignore[no-untyped-call]
    if isinstance(outside, float | int) and len({*zip(rows, columns, strict=True)}) == 1:
        return _on_canvas(images, rows[0], columns[0], size, outside)
    parts = []
    for index, image in enumerate(images.unbind()):
        one = image[None]
        if isinstance(outside, str):
            parts.append(_mirrored(one, rows[index], columns[index], size))
        else:
            value = float(outside[index]) if isinstance(outside, Tensor) else outside
            parts.append(_on_canvas(one, rows[index], columns[index], size, value))
    return torch.cat(parts)


def _contiguous(grad: Tensor | None) -> Tensor | None:
    return None if grad is None else grad.contiguous()


def _on_canvas(images: Tensor, rows: Line, columns: Line, size: Size, value: float) -> Tensor:
    """Place images with the same shift on a canvas of one value."""
    height, width = images.shape[-2:]
    flipped = [axis for axis, (direction, _) in ((-2, rows), (-1, columns)) if direction < 0]
    down, right = (
        offset if direction > 0 else offset - side + 1
        for (direction, offset), side in ((rows, height), (columns, width))
    )
    below, beside = size[0] - height - down, size[1] - width - right
    if min(height, size[0], height + down, height + below, width + right, width + beside) < 1:  # completely outside
        return images.new_full((*images.shape[:2], *size), value)
    return F.pad(images.flip(flipped) if flipped else images, (right, beside, down, below), value=value)


def _mirrored(image: Tensor, rows: Line, columns: Line, size: Size) -> Tensor:
    """Place an image on a canvas with reflection padding."""
    for axis, (direction, offset), length in ((-2, rows, size[0]), (-1, columns, size[1])):
        period = max(2 * (image.shape[axis] - 1), 1)  # the edge itself is not repeated
        index = ((torch.arange(length) - offset) * direction).remainder(period)
        image = image.index_select(axis, torch.minimum(index, period - index).to(image.device))
    return image


@dataclass(frozen=True, repr=False)
class jitter(Geometric):  # noqa: N801  # a word of the notation
    """Shift the image by a random number of whole pixels.

    The shift of each axis is one of ``pixels + 1`` equally likely numbers around 0: -4 ... 4 for 8, as in Lucid's
    random crop. The image size does not change.

    Formula: out[y, x] = in[y - dy, x - dx], where dx and dy are each one of -(pixels // 2) ... pixels - pixels // 2.
    Source: Lucid's `jitter`, without the smaller size.

    Args:
        pixels: The width of the range of shifts.
    """

    pixels: Distance
    motion = Motion.WHOLE

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return _whole_shifts(generators, self.pixels)

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        return shifts(draws)


@dataclass(frozen=True, repr=False)
class flip(Geometric):  # noqa: N801  # a word of the notation
    """Flip the image horizontally or vertically with a probability.

    Formula: out[y, x] = in[y, W - 1 - x], or in[H - 1 - y, x], with the probability given; else the image as it is.
    Source: the last step of Xplique's standard pipeline.

    Args:
        probability: The probability of a flip, from 0 to 1.
        vertical: Whether to flip vertically.
    """

    probability: Share = 0.5
    vertical: bool = False
    motion = Motion.WHOLE

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return (uniform(generators, 1) < self.probability).double()

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        linear = np.tile(IDENTITY, (len(draws), 1, 1))
        axis = int(self.vertical)
        linear[:, axis, axis] = 1 - 2 * draws.numpy()[:, 0]
        return about_centre(linear, size)


@dataclass(frozen=True, repr=False)
class crop(Geometric):  # noqa: N801  # a word of the notation
    """Crop the image at a random position, smaller by some pixels.

    Formula: out[y, x] = in[y + dy, x + dx], where dx and dy are each one of 0 ... pixels, and the sides are `pixels`
        shorter.
    Source: Lucid's `jitter`, exactly: a random crop.

    Args:
        pixels: The difference of both sides in pixels.

    Raises:
        SizeError: The cropped image would be empty.
    """

    pixels: Distance
    closes = True  # cropped pixels must not reappear by later transforms
    motion = Motion.WHOLE

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return _whole_shifts(generators, self.pixels)

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        return shifts(-(self.pixels // 2 + draws))

    def output_size(self, size: Size) -> Size:
        plane = tuple(side - self.pixels for side in size[-PLANE:])
        if min(plane) < 1:
            raise SizeError(f"{self!r} leaves nothing of an image of {size_text(size)}; cut off less.")
        return (*size[:-PLANE], *plane)


@dataclass(frozen=True, repr=False)
class crop_or_pad_to(Geometric):  # noqa: N801  # a word of the notation
    """Crop or pad the image to a fixed size, evenly on all sides.

    Formula: out[y, x] = in[y - dy, x - dx], and outside of it the padding; dy is (height - H) / 2 and dx is
        (width - W) / 2, both rounded toward 0.
    Source: Lucid's `crop_or_pad_to`, and TensorFlow's `resize_with_crop_or_pad` beneath it.

    Args:
        height: The output height.
        width: The output width.
        odd_cut: The side, top and left (``start``) or bottom and right (``end``), from which one pixel more is cropped
            if their number is odd. Version 0.1.0 cropped at the start.
    """

    height: Side
    width: Side
    odd_cut: OddCut = field(default="end", kw_only=True)
    fusion = ""  # cropped pixels must not reappear by later transforms
    motion = Motion.WHOLE

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        row, column = self._offset(self.height - size[-2]), self._offset(self.width - size[-1])
        return shifts(torch.tensor([[float(column), float(row)]], dtype=torch.float64).expand(len(draws), 2))

    def _offset(self, missing: int) -> int:
        cut_at_end = missing < 0 and self.odd_cut == "end"
        return -(-missing // 2) if cut_at_end else missing // 2

    def output_size(self, size: Size) -> Size:
        return (*size[:-PLANE], self.height, self.width)


@dataclass(frozen=True, repr=False)
class pad(Geometric):  # noqa: N801  # a word of the notation
    """Pad the image with a border.

    Later transforms use the same padding outside of the image.

    Formula: a border of `pixels` on each side, of `value`, the mirror image (the edge not repeated), or one grey from
        U(0, 1) per image and step.
    Source: Lucid's `pad`, whose modes are a number, "REFLECT" and "uniform".

    Args:
        pixels: The width of the border on every side.
        value: The value of a constant border; 0.5 is grey.
        mode: ``constant``, ``reflect`` or ``random``.
    """

    pixels: Distance
    value: float = GREY
    mode: Literal["constant", "reflect", "random"] = "constant"
    motion = Motion.WHOLE

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.mode != CONSTANT and self.value != GREY:
            raise BadInputError(f"pad(value=) is for a constant border; with mode={self.mode!r} leave it out.")

    @property
    def fill(self) -> float:
        """The value of the border; grey if it is not one value."""
        return float(self.value)

    def outside(self, draws: Tensor) -> Outside:
        if self.mode == RANDOM:
            return GREY + draws[:, 0]
        return MIRROR if self.mode == MIRROR else self.fill

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return uniform(generators, 1) - GREY if self.mode == RANDOM else super().sample(shape, generators)

    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        return shifts(torch.full((len(draws), 2), float(self.pixels), dtype=torch.float64))

    def output_size(self, size: Size) -> Size:
        return (*size[:-PLANE], *(side + 2 * self.pixels for side in size[-PLANE:]))


def _whole_shifts(generators: Sequence[Generator], pixels: int) -> Tensor:
    """Draw a shift on both axes, one of `pixels` + 1 whole numbers around 0."""
    return (uniform(generators, 2) * (pixels + 1)).floor() - pixels // 2
