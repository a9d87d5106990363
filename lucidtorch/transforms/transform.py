"""What a transform is: random draws apart from applying them, one set of draws per image."""

from __future__ import annotations

import dataclasses
import inspect
import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import ClassVar, TypeAlias

import torch
from torch import Generator, Tensor

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.notation import format_call
from lucidtorch.base.seeds import OwnRandomState
from lucidtorch.base.sizes import PLANE, Size

Draws: TypeAlias = tuple[Tensor, ...]
TransformLike: TypeAlias = "Transform | Pipeline | Callable[[Tensor], Tensor]"
RGB = 3
GREY = 0.5  # what lies outside the image unless the pipeline's pad says otherwise


class Transform(ABC):
    """Something that the image must survive: a value whose arguments are its attributes and its text.

    `sample` draws the random numbers, one row per image, and `apply` has no dice. Joining two with `|` gives a
    pipeline. Of clips and volumes, `[B, C, T, H, W]`, all frames go through it alike, with the one draw of their clip.
    """

    fusion: ClassVar[str] = ""  # neighbours of one fusion are applied together; those of none one after the other

    @property
    def fill(self) -> float | None:
        """The value of what lies outside the image, where this transform says so."""
        return None

    @abstractmethod
    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        """Draw the random numbers of every image.

        Args:
            shape: The shape of the images, `[B, C, *size]`.
            generators: One per image, on the CPU.

        Returns:
            `[B, n]` on the CPU, where n is how many numbers one image takes.
        """

    @abstractmethod
    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        """Transform images with numbers that are drawn already.

        Args:
            images: `[B, C, *size]`.
            draws: What `sample` gave for these images.

        Returns:
            `[B, C, *size]` with the size that `output_size` says.
        """

    @abstractmethod
    def output_size(self, size: Size) -> Size:
        """Say the size that comes out, before any work.

        Args:
            size: The height and width that go in; of clips and volumes, frames or slices before them.

        Returns:
            The height and width that come out, after the same frames or slices.
        """

    def apply_run(self, images: Tensor, steps: Sequence[Transform], draws: Sequence[Tensor], fill: float) -> Tensor:
        """Apply neighbours of one fusion, of which this is the first; here, one after the other.

        Args:
            images: `[B, C, *size]`.
            steps: The neighbours in order, this one first.
            draws: What each one's `sample` gave.
            fill: The value of what lies outside the image.

        Returns:
            `[B, C, *size]`, with the size that comes out.
        """
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

        Returns:
            The pipeline.

        Raises:
            BadInputError: Something among them is no transform.
        """
        if isinstance(parts, Pipeline):
            return parts
        if isinstance(parts, Transform):
            return cls((parts,))
        if callable(parts):
            return cls((Foreign(parts),))
        if isinstance(parts, str) or not isinstance(parts, Iterable):
            raise BadInputError(
                f"{parts!r} is no transform; write for example transforms.pad(12) | transforms.jitter(8)."
            )
        return cls(tuple(step for part in parts for step in cls.of(part).steps))

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Draws:
        """Draw the random numbers of every transform for every image.

        Args:
            shape: The shape of the images, `[B, C, *size]`.
            generators: One per image, on the CPU.

        Returns:
            The draws of each transform, in order.
        """
        size, draws = tuple(shape[2:]), []
        for step in self.steps:
            draws.append(step.sample((*shape[:2], *size), generators))
            size = step.output_size(size)
        return tuple(draws)

    def apply(self, images: Tensor, draws: Draws) -> Tensor:
        """Transform images with numbers that are drawn already.

        Args:
            images: `[B, C, *size]`.
            draws: What `sample` gave for these images.

        Returns:
            `[B, C, *size]` with the size that `output_size` says.
        """
        done = 0
        for steps, fill in self._runs():
            images = steps[0].apply_run(images, steps, draws[done : done + len(steps)], fill)
            done += len(steps)
        return images

    @property
    def fill(self) -> float:
        """The value of what lies outside the image: the first that a transform states, else grey."""
        return next((step.fill for step in self.steps if step.fill is not None), GREY)

    def output_size(self, size: Size) -> Size:
        """Say the size that comes out, before any work.

        Args:
            size: The height and width that go in; of clips and volumes, frames or slices before them.

        Returns:
            The height and width that come out, after the same frames or slices.
        """
        for step in self.steps:
            size = step.output_size(size)
        return size

    @property
    def is_text(self) -> bool:
        """Whether its text says all of it, so that it can be read back."""
        return not any(isinstance(step, Foreign) for step in self.steps)

    def __or__(self, other: TransformLike) -> Pipeline:
        return Pipeline((*self.steps, *Pipeline.of(other).steps))

    def _runs(self) -> Iterator[tuple[list[Transform], float]]:
        """Cut the pipeline into runs that are applied together, each with the value of what lies outside the image."""
        fill, run = self.fill, list[Transform]()
        for step in self.steps:
            apart = bool(run) and (step.fusion == "" or step.fusion != run[-1].fusion)
            refilled = bool(run) and step.fill not in (None, fill)
            if apart or refilled:
                yield run, fill
                run = []
            fill = fill if step.fill is None else step.fill
            run.append(step)
        if run:
            yield run, fill

    def __repr__(self) -> str:
        return " | ".join(map(repr, self.steps)) or "identity()"


@dataclass(frozen=True, repr=False)
class Foreign(Transform):
    """Another library's transform, or any function from images to images; its randomness is its own.

    A render lets it draw from a private copy of torch's global random state that starts from the render's seed. It gets
    clips one at a time, the frames of each as a batch: what torchvision's modules draw is the same for all frames then,
    and what kornia's draw with `same_on_batch=True`.

    Args:
        function: Takes `[B, C, H, W]` and gives `[B, C, h, w]`.
        sizes: What size came out of what size, as far as it was seen; a black RGB image is tried where it was not.
    """

    function: Callable[[Tensor], Tensor]
    sizes: dict[Size, Size] = field(default_factory=dict, init=False, compare=False)

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return torch.zeros(len(generators), 0, dtype=torch.float64)

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        if images.ndim == 2 + PLANE:
            moved = self.function(images)
        else:
            moved = torch.stack([self.function(clip.transpose(0, 1)).transpose(0, 1) for clip in images])
        self.sizes[tuple(images.shape[-PLANE:])] = tuple(moved.shape[-PLANE:])
        return moved

    def output_size(self, size: Size) -> Size:
        plane = size[-PLANE:]
        if plane not in self.sizes:
            with OwnRandomState(0)(), torch.no_grad():
                self.apply(torch.zeros(1, RGB, *plane), torch.zeros(1, 0))
        return (*size[:-PLANE], *self.sizes[plane])


def uniform(generators: Sequence[Generator], count: int) -> Tensor:
    """Draw numbers from [0, 1), each image from its own generator.

    Args:
        generators: One per image.
        count: How many numbers an image takes.

    Returns:
        `[B, count]` in float64.
    """
    return torch.stack([torch.rand(count, generator=one, dtype=torch.float64) for one in generators])


def check_number(value: object, what: str, *, low: float, whole: bool = False) -> None:
    """Refuse an argument that is no fitting number.

    Args:
        value: What was given.
        what: The call and its argument, for the message.
        low: The smallest number that fits.
        whole: Whether it must be a whole number.

    Raises:
        BadInputError: It does not fit.
    """
    number = isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    if not number or value < low or (whole and not isinstance(value, int)):  # type: ignore[operator]  # it is a number
        name = "a whole number" if whole else "a number"
        raise BadInputError(f"{what} takes {name} from {low}, but {value!r} was given.")
