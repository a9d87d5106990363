"""The interface of transforms: sampling of random numbers, separate from their application; and pipelines.

Args:
    shape: The shape of the images, `[B, C, *size]`.
    generators: One random generator per image, on the CPU.
    images: `[B, C, *size]`.
    draws: The result of `sample` for these images.
    size: The height and width of the images; of clips and volumes, preceded by frames or slices.
    channels: The number of channels of the images.
    progress: The completed share of a render's steps, from 0 to 1.
    steps: Consecutive transforms of one fusion, this one first.
    outside: The padding around the images.
"""

from __future__ import annotations

import dataclasses
import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

import numpy as np
import torch
from torch import Generator, Tensor

from lucidtorch.base.checks import check_fields
from lucidtorch.base.errors import BadInputError, noting
from lucidtorch.base.notation import Word
from lucidtorch.base.seeds import OwnRandomState
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import PLANE, Size
from lucidtorch.base.surroundings import pinned

Draws: TypeAlias = tuple[Tensor, ...]
Outside: TypeAlias = float | Tensor | str  # padding: one value, `[B]` values, or MIRROR
MIRROR = "reflect"
GREY = 0.5  # the default padding
RGB = 3


class Transform(Word, ABC):
    """A random transform of the images: a value whose arguments are its attributes and its text.

    `sample` draws the random numbers, one row per image, and `apply` draws none. Draws are deviations: with draws of
    zero, a transform that keeps the size is the identity. ``a | b`` is a pipeline. All frames of clips and volumes,
    `[B, C, T, H, W]`, are transformed with the same draw. Arguments that do not fit their annotations raise
    `BadInputError`.
    """

    fusion: ClassVar[str] = ""  # consecutive transforms of the same fusion, if any, are applied together
    closes: ClassVar[bool] = False  # whether it is the last of those that are applied together
    views: int = 1  # the number of versions of each image per step

    def __post_init__(self) -> None:
        """Check the arguments of a dataclass against its annotations."""
        if dataclasses.is_dataclass(self):
            check_fields(self)

    @property
    def fill(self) -> float | None:
        """The padding value that this transform sets, if any; grey if it is not one value."""
        return None

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        """Draw the random numbers of every image: `[B, n]` in float64 on the CPU; by default none."""
        return torch.zeros(len(generators), 0, dtype=torch.float64)

    @abstractmethod
    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        """Transform images with given draws, to `output_size` and `output_channels`."""

    def output_size(self, size: Size) -> Size:
        """Return the output size; by default the input size."""
        return size

    def output_channels(self, channels: int) -> int:
        """Return the number of output channels; by default that of the input."""
        return channels

    def outside(self, draws: Tensor) -> Outside | None:
        """Return the padding for this and later transforms: a value, one per image, or reflection; None if not set."""
        return self.fill

    def at(self, progress: float) -> Transform:
        """Return the transform at a point of the run; by default itself."""
        return self

    def still(self) -> Transform | None:
        """Return a deterministic version for finished images, if it changes what an image is; by default None."""
        return None

    def for_references(self) -> Transform:
        """Return the transform for reference images of objectives, with the same draws; by default itself."""
        return self

    def apply_run(
        self, images: Tensor, steps: Sequence[Transform], draws: Sequence[Tensor], outside: Outside
    ) -> Tensor:
        """Apply consecutive transforms of one fusion, each with its draws; by default one after the other."""
        for step, drawn in zip(steps, draws, strict=True):
            images = step.apply(images, drawn)
        return images

    def __or__(self, other: TransformLike) -> Pipeline:
        return Pipeline.of((self, other))


@dataclass(frozen=True, repr=False)
class Pipeline:
    """Transforms that are applied from left to right.

    Args:
        steps: The transforms, in order; none is the identity.
    """

    steps: tuple[Transform, ...] = ()

    @classmethod
    def of(cls, parts: TransformLike | Iterable[TransformLike]) -> Pipeline:
        """Combine transforms to a pipeline.

        Args:
            parts: A transform, a pipeline, any callable from tensor to tensor, or several of these.

        Raises:
            BadInputError: One of them is not a transform.
        """
        if isinstance(parts, Pipeline):
            return parts
        if isinstance(parts, Transform):
            return cls((parts,))
        if callable(parts) and _takes_images(parts):
            return cls((Foreign(parts),))
        if isinstance(parts, str | Tensor | np.ndarray) or not isinstance(parts, Iterable):
            raise BadInputError(
                f"{shown(parts)} is no transform; write for example transforms.pad(12) | transforms.jitter(8)."
            )
        return cls(tuple(step for part in parts for step in cls.of(part).steps))

    @pinned()
    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Draws:
        """Draw the random numbers of each transform, in order, for every image."""
        channels, size, draws = shape[1], tuple(shape[2:]), []
        for step in self.steps:
            draws.append(step.sample((shape[0], channels, *size), generators))
            channels, size = step.output_channels(channels), step.output_size(size)
        return tuple(draws)

    @pinned()
    def apply(self, images: Tensor, draws: Draws) -> Tensor:
        """Transform images with given draws, to `output_size`."""
        for run, outside in self._runs(draws):
            steps, drawn = self.steps[run], draws[run]
            images = steps[0].apply_run(images, steps, drawn, outside)
        return images

    @property
    def fill(self) -> float:
        """The padding value: the first that a transform sets, else grey."""
        return next((step.fill for step in self.steps if step.fill is not None), GREY)

    @property
    def views(self) -> int:
        """The number of versions of each image per step."""
        return math.prod(step.views for step in self.steps)

    def at(self, progress: float) -> Pipeline:
        """Return the pipeline at a point of the run."""
        return Pipeline(tuple(step.at(progress) for step in self.steps))

    def for_references(self) -> Pipeline:
        """Return the pipeline for reference images of objectives."""
        return Pipeline(tuple(step.for_references() for step in self.steps))

    def output_size(self, size: Size) -> Size:
        """Return the output size; the number of frames or slices does not change."""
        for step in self.steps:
            size = step.output_size(size)
        return size

    def output_channels(self, channels: int) -> int:
        """Return the number of output channels.

        Raises:
            BadInputError: A transform does not accept this number.
        """
        for step in self.steps:
            channels = step.output_channels(channels)
        return channels

    @property
    def is_text(self) -> bool:
        """Whether its text is complete, so that it can be parsed."""
        return not any(isinstance(step, Foreign) for step in self.steps)

    def __or__(self, other: TransformLike) -> Pipeline:
        return Pipeline((*self.steps, *Pipeline.of(other).steps))

    def _runs(self, draws: Draws) -> Iterator[tuple[slice, Outside]]:
        """Split the pipeline into runs that are applied together, each with its padding."""
        stated = [step.outside(drawn) for step, drawn in zip(self.steps, draws, strict=True)]
        first = next((place for place, one in enumerate(stated) if one is not None), None)
        outside: Outside = GREY if first is None else stated[first]  # type: ignore[assignment]  # it is not None
        start = 0
        for place, step in enumerate(self.steps):
            own = None if place == first else stated[place]
            before = self.steps[place - 1]
            apart = step.fusion == "" or step.fusion != before.fusion or before.closes
            plain = isinstance(own, float) and isinstance(outside, float) and own == outside
            if place > start and (apart or not (own is None or plain)):
                yield slice(start, place), outside
                start = place
            outside = outside if own is None else own
        if self.steps:
            yield slice(start, len(self.steps)), outside

    def __repr__(self) -> str:
        return " | ".join(map(repr, self.steps)) or "identity()"


TransformLike: TypeAlias = Transform | Pipeline | Callable[[Tensor], Tensor]


@dataclass(frozen=True, repr=False)
class Foreign(Transform):
    """A transform of another library, or any function of images `[B, C, H, W]`, with its own randomness.

    During a render it draws from a private copy of torch's global random state, seeded by the render. Clips are passed
    one at a time with their frames as batch, so that torchvision's modules, and kornia's with `same_on_batch=True`,
    draw once for all frames.

    Output sizes and channels are cached; an unknown size is found by a black image.
    """

    function: Callable[[Tensor], Tensor]
    sizes: dict[Size, Size] = field(default_factory=dict, init=False, compare=False)
    channels: dict[int, int] = field(default_factory=dict, init=False, compare=False)

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        moved = self._called(images)
        self.sizes[tuple(images.shape[-PLANE:])] = tuple(moved.shape[-PLANE:])
        self.channels[images.shape[1]] = moved.shape[1]
        return moved

    def output_size(self, size: Size) -> Size:
        plane = size[-PLANE:]
        if plane not in self.sizes:
            black = torch.zeros(1, next(iter(self.channels), RGB), *plane)
            with OwnRandomState(0)(), torch.no_grad():  # the global random state does not change
                self.sizes[plane] = tuple(self._called(black).shape[-PLANE:])
        return (*size[:-PLANE], *self.sizes[plane])

    def output_channels(self, channels: int) -> int:
        return self.channels.get(channels, channels)

    def _called(self, images: Tensor) -> Tensor:
        if images.ndim != 2 + PLANE:
            return torch.stack([self._called(clip.transpose(0, 1)).transpose(0, 1) for clip in images])
        with noting(lambda: f"raised by {shown(self.function)} among the transforms"):
            moved = self.function(images)
        if not isinstance(moved, Tensor) or moved.ndim != images.ndim:
            raise BadInputError(
                f"{shown(self.function)} among the transforms returns {shown(moved)}; it must return images."
            )
        return moved


def _takes_images(function: Callable[..., object]) -> bool:
    """Whether a function can be called with images alone."""
    try:
        inspect.signature(getattr(function, "forward", function)).bind(None)
    except ValueError:  # a built-in function without a signature
        return True
    except TypeError:
        return False
    return not isinstance(function, type)


def uniform(generators: Sequence[Generator], count: int) -> Tensor:
    """Draw numbers from [0, 1), each image from its own generator."""
    return torch.stack([torch.rand(count, generator=one, dtype=torch.float64) for one in generators])
