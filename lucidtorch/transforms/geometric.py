"""What a geometric transform is: a matrix per image, so that a run of them becomes one warp."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from enum import IntEnum
from typing import ClassVar

import numpy as np
import torch
from torch import Generator, Tensor

from lucidtorch.base.sizes import PLANE, Size
from lucidtorch.transforms.transform import GREY, Outside, Transform
from lucidtorch.transforms.warp import warped
from lucidtorch.transforms.whole_pixels import copied

STILL = np.eye(2)  # what neither turns nor stretches


class Motion(IntEnum):
    """What a geometric transform does to pixels, from the least to the most."""

    WHOLE = 0  # moves them by whole pixels, or mirrors: they are copied exactly
    AFFINE = 1
    PROJECTIVE = 2


class Geometric(Transform):
    """A transform that moves pixels by a matrix, and may change the size of the canvas."""

    fusion = "geometry"
    motion: ClassVar[Motion] = Motion.AFFINE

    @abstractmethod
    def matrix(self, draws: Tensor, size: Size) -> Tensor:
        """Say where each pixel goes.

        Args:
            draws: What `sample` gave, `[B, n]`.
            size: The height and width of the images that go in; of clips, frames before them.

        Returns:
            `[B, 3, 3]` in float64: from pixel (x, y, 1) of the image that goes in to pixel (x, y, 1) of the one that
            comes out, up to a factor.
        """

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return torch.zeros(len(generators), 0, dtype=torch.float64)

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        outside = self.outside(draws)
        return self.apply_run(images, [self], [draws], GREY if outside is None else outside)

    def apply_run(
        self, images: Tensor, steps: Sequence[Transform], draws: Sequence[Tensor], outside: Outside
    ) -> Tensor:
        """Compose neighbours into one matrix per image and resample once, the frames of a clip as further channels."""
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

    def output_size(self, size: Size) -> Size:
        return size


def shifts(offsets: Tensor) -> Tensor:
    """Make matrices that move by an offset."""
    return _matrices(STILL, offsets.numpy())


def about_centre(linear: np.ndarray, size: Size) -> Tensor:
    """Make matrices that turn or stretch around the centre of the canvas."""
    centre = np.array([(size[-1] - 1) / 2, (size[-2] - 1) / 2])
    return _matrices(linear, centre - linear @ centre)


def _matrices(linear: np.ndarray, offsets: np.ndarray) -> Tensor:
    """Put matrices together; numpy takes a fifth of torch's time for so few numbers."""
    matrix = np.zeros((len(offsets), 3, 3))
    matrix[:, :2, :2] = linear
    matrix[:, :2, 2] = offsets
    matrix[:, 2, 2] = 1
    return torch.from_numpy(matrix)
