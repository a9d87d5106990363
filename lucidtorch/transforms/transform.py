"""What a transform is: random draws apart from applying them, one set of draws per image.

Args:
    shape: The shape of the images, `[B, C, *size]`.
    generators: One source of random numbers per image, on the CPU.
    images: `[B, C, *size]`.
    draws: What `sample` gave for these images.
    size: The height and width of the images; of clips and volumes, frames or slices before them.
    channels: The number of channels of the images.
    progress: The share of a render's steps that is done, from 0 to 1.
    steps: Neighbours of one fusion in order, this one first.
    outside: What lies outside the images.
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
from lucidtorch.base.notation import format_call
from lucidtorch.base.seeds import OwnRandomState
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import PLANE, Size
from lucidtorch.base.surroundings import pinned

Draws: TypeAlias = tuple[Tensor, ...]
Outside: TypeAlias = float | Tensor | str  # what lies around the images: one value, `[B]` values, or MIRROR
MIRROR = "reflect"
GREY = 0.5  # what lies outside the image unless the pipeline's pad says otherwise
RGB = 3


class Transform(ABC):
    """Something that the image must survive: a value whose arguments are its attributes and its text.

    `sample` draws the random numbers, one row per image, and `apply` draws none. Draws are deviations: with draws of
    zero, a transform that keeps the size changes nothing. Joining two with `|` gives a pipeline. Of clips and volumes,
    `[B, C, T, H, W]`, all frames go through it alike, with the one draw of their clip. Arguments that do not fit their
    annotations are refused with `BadInputError` when it is made.
    """

    fusion: ClassVar[str] = ""  # neighbours of one fusion are applied together; those of none one after the other
    closes: ClassVar[bool] = False  # whether nothing that follows is applied together with it
    views: int = 1  # how many versions of each image one step looks at

    def __post_init__(self) -> None:
        """Check the arguments of a dataclass against its annotations."""
        if dataclasses.is_dataclass(self):
            check_fields(self)

    @property
    def fill(self) -> float | None:
        """The value of what lies outside the image, where this transform says so; grey where it is no one value."""
        return None

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        """Draw the random numbers of every image: `[B, n]` in float64 on the CPU; none, unless it says otherwise."""
        return torch.zeros(len(generators), 0, dtype=torch.float64)

    @abstractmethod
    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        """Transform images with numbers that are drawn already, to `output_size` and `output_channels`."""

    def output_size(self, size: Size) -> Size:
        """Give the size that comes out, before any work; the size that goes in, unless it says otherwise."""
        return size

    def output_channels(self, channels: int) -> int:
        """Give the number of channels that come out, before any work; as many, unless it says otherwise."""
        return channels

    def outside(self, draws: Tensor) -> Outside | None:
        """Give what lies outside the images from here on: a value, one per image, or their mirror image."""
        return self.fill

    def at(self, progress: float) -> Transform:
        """Give the transform as it is during a run: itself, unless it changes over the run."""
        return self

    def still(self) -> Transform | None:
        """Give what finished images are looked at through: None, unless it makes another thing of an image.

        In that case it is the same without chance.
        """
        return None

    def for_references(self) -> Transform:
        """Give what images that an objective compares with go through instead, under the same draws.

        That is the transform itself, unless it makes another thing of an image.
        """
        return self

    def apply_run(
        self, images: Tensor, steps: Sequence[Transform], draws: Sequence[Tensor], outside: Outside
    ) -> Tensor:
        """Apply neighbours of one fusion, each with its draws; here, one after the other."""
        for step, drawn in zip(steps, draws, strict=True):
            images = step.apply(images, drawn)
        return images

    def __or__(self, other: TransformLike) -> Pipeline:
        return Pipeline.of((self, other))

    def __repr__(self) -> str:
        fields = {one.name: getattr(self, one.name) for one in dataclasses.fields(self) if one.compare}  # type: ignore[arg-type]
        return format_call(type(self).__name__, inspect.signature(type(self)), fields)


@dataclass(frozen=True, repr=False)
class Pipeline:
    """Transforms that an image goes through from left to right.

    Args:
        steps: The transforms, in order; none leaves the image as it is.
    """

    steps: tuple[Transform, ...] = ()

    @classmethod
    def of(cls, parts: TransformLike | Iterable[TransformLike]) -> Pipeline:
        """Make a pipeline of whatever transforms are given.

        Args:
            parts: A transform, a pipeline, any callable from tensor to tensor, or several of these.

        Raises:
            BadInputError: Something among them is no transform.
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
        """Draw the random numbers of each transform for every image; they come in the order of the transforms."""
        channels, size, draws = shape[1], tuple(shape[2:]), []
        for step in self.steps:
            draws.append(step.sample((shape[0], channels, *size), generators))
            channels, size = step.output_channels(channels), step.output_size(size)
        return tuple(draws)

    @pinned()
    def apply(self, images: Tensor, draws: Draws) -> Tensor:
        """Transform images with numbers that are drawn already, to the size that `output_size` says."""
        for run, outside in self._runs(draws):
            steps, drawn = self.steps[run], draws[run]
            images = steps[0].apply_run(images, steps, drawn, outside)
        return images

    @property
    def fill(self) -> float:
        """The value of what lies outside the image: the first that a transform states, else grey."""
        return next((step.fill for step in self.steps if step.fill is not None), GREY)

    @property
    def views(self) -> int:
        """How many versions of each image one step looks at."""
        return math.prod(step.views for step in self.steps)

    def at(self, progress: float) -> Pipeline:
        """Give the pipeline as it is during a run."""
        return Pipeline(tuple(step.at(progress) for step in self.steps))

    def for_references(self) -> Pipeline:
        """Give the pipeline that images go through which an objective compares with."""
        return Pipeline(tuple(step.for_references() for step in self.steps))

    def output_size(self, size: Size) -> Size:
        """Give the size that comes out, before any work; the frames or slices are as many as before."""
        for step in self.steps:
            size = step.output_size(size)
        return size

    def output_channels(self, channels: int) -> int:
        """Give the number of channels that come out, before any work.

        Raises:
            BadInputError: A transform does not take so many.
        """
        for step in self.steps:
            channels = step.output_channels(channels)
        return channels

    @property
    def is_text(self) -> bool:
        """Whether its text says all of it, so that it can be read back."""
        return not any(isinstance(step, Foreign) for step in self.steps)

    def __or__(self, other: TransformLike) -> Pipeline:
        return Pipeline((*self.steps, *Pipeline.of(other).steps))

    def _runs(self, draws: Draws) -> Iterator[tuple[slice, Outside]]:
        """Cut the pipeline into runs that are applied together, each with what lies outside the images."""
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
    """Another library's transform, or any function of images `[B, C, H, W]`; its randomness is its own.

    A render lets it draw from a private copy of torch's global random state that starts from the render's seed. It gets
    clips one at a time, the frames of each as a batch: what torchvision's modules draw is the same for all frames then,
    and what kornia's draw with `same_on_batch=True`.

    It keeps the sizes and channels that came out of those that it saw; to learn others, it is given a black image.
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
            with OwnRandomState(0)(), torch.no_grad():  # global randomness stays as it is
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
                f"{shown(self.function)} among the transforms gives {shown(moved)}; it must leave an image."
            )
        return moved


def _takes_images(function: Callable[..., object]) -> bool:
    """Say whether a function can be called with images and nothing else."""
    try:
        inspect.signature(getattr(function, "forward", function)).bind(None)
    except ValueError:  # a function of another language has no signature
        return True
    except TypeError:
        return False
    return not isinstance(function, type)


def uniform(generators: Sequence[Generator], count: int) -> Tensor:
    """Draw numbers from [0, 1), each image from its own generator."""
    return torch.stack([torch.rand(count, generator=one, dtype=torch.float64) for one in generators])
