"""Objectives that differ between the images of a batch: one for each, a walk, or one per position of a layer."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Annotated, Any, TypeAlias

import torch
from torch import Tensor

from lucidtorch.base.arrays import Array, ImageLike
from lucidtorch.base.checks import Within, checked
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.base.notation import format_call
from lucidtorch.objectives.algebra import Activations, Objective, On, Trace
from lucidtorch.objectives.arguments import Images, checked_picture, kinds_of
from lucidtorch.objectives.directions import direction
from lucidtorch.objectives.term import Term

Part: TypeAlias = Annotated[Objective, ObjectiveError]

MAP_AXES = 4  # `[1, C, h, w]`
SHARE_DIGITS = 4  # of a share of a walk, which is rarely a round number


@dataclass(frozen=True, repr=False)
class Each(Objective):
    """An objective of its own for every image: image 0 follows the first part, image 1 the second, and so on."""

    @property
    def own_images(self) -> Images:
        return Images(exactly=len(self.parts))

    def compute(self, activations: Activations, trace: Trace) -> Tensor:
        values = [part.evaluate(activations, trace) for part in self.objectives]
        if values[0].shape[0] != len(values):
            raise ObjectiveError(f"`each` gives {len(values)} objectives, but there are {values[0].shape[0]} images.")
        return torch.stack([value[image] for image, value in enumerate(values)])

    def __repr__(self) -> str:
        return f"each({', '.join(map(repr, self.parts))})"


@dataclass(frozen=True, repr=False)
class Interpolate(Objective):
    """A walk from one objective, the first part, to another over so many images of a batch."""

    count: int

    @property
    def own_images(self) -> Images:
        return Images(exactly=self.count)

    def compute(self, activations: Activations, trace: Trace) -> Tensor:
        start, end = (part.evaluate(activations, trace) for part in self.objectives)
        if start.shape[0] != self.count:
            raise ObjectiveError(f"`interpolate` speaks of {self.count} images, but there are {start.shape[0]}.")
        share = torch.arange(self.count, dtype=start.dtype, device=start.device) / (self.count - 1)
        return (1 - share) * start + share * end

    def __repr__(self) -> str:
        return f"interpolate({', '.join(map(repr, self.parts))}, {self.count})"


@dataclass(frozen=True, repr=False)
class Grid(Objective):
    """One direction per position of a layer, as a picture excites them; a render looks them up."""

    layer: str
    image: Array
    cossim_pow: float = 0

    @property
    def own_layers(self) -> tuple[str, ...]:
        return (self.layer,)

    def directions(self, values: Tensor) -> Objective:
        """The objective of all pictures of the grid, from the activations of its picture."""
        if values.ndim != MAP_AXES:
            raise ObjectiveError(f"`grid` needs a layer with positions [B, C, H, W]; {self.layer!r} has none.")
        return direction(self.layer, values[0].flatten(1).T, cossim_pow=self.cossim_pow)

    def compute(self, activations: Activations, trace: Trace) -> Tensor:
        raise ObjectiveError(f"What `grid` shows is looked up in a network: give it to `render`. ({self!r:.80})")

    def __repr__(self) -> str:
        return format_call("grid", inspect.signature(grid), vars(self))


@checked
def each(*parts: Part) -> Objective:
    """Give every image of the batch an objective of its own.

    Formula: image i maximizes the i-th objective.
    Source: the per-image objectives of a batch that Lucid writes with `batch=`.

    Args:
        parts: Image 0 follows the first, image 1 the second, and so on.

    Raises:
        ObjectiveError: No objective was given.
    """
    if not parts:
        raise ObjectiveError(
            "`each` takes one objective per image, for example each(channel('a', 0), channel('a', 1))."
        )
    return Each(parts=parts)


@checked
def interpolate(start: Part, end: Part, n: Annotated[int, Within(2), ObjectiveError]) -> Objective:
    """Move from one objective to another over the images of a batch.

    Formula: image i maximizes (1 - w) · start + w · end with w = i / (n - 1).
    Source: Lucid's `channel_interpolate`, for any two objectives.

    Args:
        start: What the first image follows.
        end: What the last image follows.
        n: The number of images, 2 or more.

    Raises:
        ObjectiveError: There are fewer than two images.
    """
    return Interpolate(n, parts=(start, end))


@checked
def negative(inner: Part) -> Objective:
    """Turn an objective round: what the unit is least like. The same as writing a minus before it.

    Formula: -o.
    Source: the negative neurons of "Feature Visualization" (Lucid).

    Args:
        inner: What to minimize.

    Raises:
        ObjectiveError: No objective was given.
    """
    return -inner


@checked
def grid(layer: str, image: ImageLike, cossim_pow: float = 0) -> Objective:
    """Give every position of a layer a picture of its own: what the network saw there in a given picture.

    Formula: image i maximizes mean over positions of a · v_i, with v_i the activations of the picture at position i.
    Source: the activation grids of "The Building Blocks of Interpretability" (Lucid).

    Args:
        layer: The address of the layer; of h x w positions for this picture.
        image: The picture, `[C, H, W]` in [0, 1].
        cossim_pow: The power of the cosine, as in `direction`; 1 or more makes the pictures differ more.

    Returns:
        The objective of h · w images, row by row.

    Raises:
        ImageError: It is no picture.
        ObjectiveError: There is more than one picture.

    Example:
        >>> import torch
        >>> grid("conv2_1", torch.full((1, 2, 2), 0.5))
        grid('conv2_1', [[[0.5, 0.5], [0.5, 0.5]]])
    """
    picture = checked_picture(image)
    if len(picture.shape) == MAP_AXES:
        raise ObjectiveError(f"`grid` takes one picture [C, H, W], but {list(picture.shape)} was given.")
    return Grid(layer, picture, cossim_pow)


def single(objective: Objective, image: int) -> Objective:
    """Reduce an objective to one image of its batch, as it would be typed for that image alone.

    Lists of units become the image's own unit, `each` its own part, `interpolate` its own mixture with rounded shares,
    and `on` is left out where it names the image. Arrays with a row per image, and parts across images, stay whole.

    Example:
        >>> from lucidtorch.objectives import channel
        >>> single(channel("conv1_1", [3, 7]), 1)
        channel('conv1_1', 7)
    """
    return objective.mapped(lambda node: _own(node, image))


def _own(node: Objective, image: int) -> Any:
    if isinstance(node, Each):
        return node.parts[image]
    if isinstance(node, Interpolate):
        return _mixture(node, image)
    if isinstance(node, On) and node.image == image:
        return node.parts[0]
    return _with_own_values(node, image) if isinstance(node, Term) else node


def _mixture(walk: Interpolate, image: int) -> Any:
    start, end = walk.parts
    if image in (0, walk.count - 1):
        return end if image else start
    share = round(image / (walk.count - 1), SHARE_DIGITS)
    return round(1 - share, SHARE_DIGITS) * start + share * end


def _with_own_values(term: Term, image: int) -> Term:
    kinds = kinds_of(term.definition.function)
    lists = {name: value for name, value in term.arguments if kinds[name].per_image and isinstance(value, tuple)}
    return term.replaced(**{name: value[image] for name, value in lists.items()}) if lists else term
