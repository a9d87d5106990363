"""Objectives that differ between the images of a batch: one for each, an interpolation, or one per position."""

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
from lucidtorch.objectives.selection import MAP_AXES
from lucidtorch.objectives.term import Term

Part: TypeAlias = Annotated[Objective, ObjectiveError]

SHARE_DIGITS = 4  # of the weight of an end of an interpolation, which is rarely a round number


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
    """A linear interpolation between two objectives over `count` images of a batch."""

    count: int

    @property
    def own_images(self) -> Images:
        return Images(exactly=self.count)

    def compute(self, activations: Activations, trace: Trace) -> Tensor:
        start, end = (part.evaluate(activations, trace) for part in self.objectives)
        if start.shape[0] != self.count:
            raise ObjectiveError(f"`interpolate` describes {self.count} images, but there are {start.shape[0]}.")
        share = torch.arange(self.count, dtype=start.dtype, device=start.device) / (self.count - 1)
        return (1 - share) * start + share * end

    def __repr__(self) -> str:
        return f"interpolate({', '.join(map(repr, self.parts))}, {self.count})"


@dataclass(frozen=True, repr=False)
class Grid(Objective):
    """One direction per position of a layer: the activations of a picture, which a render computes."""

    layer: str
    image: Array
    cossim_pow: float = 0

    @property
    def own_layers(self) -> tuple[str, ...]:
        return (self.layer,)

    def directions(self, values: Tensor) -> Objective:
        """Create the objective of all images from the activations `[1, C, h, w]` of the picture."""
        if values.ndim != MAP_AXES:
            raise ObjectiveError(f"`grid` needs a layer with positions [B, C, H, W]; {self.layer!r} has none.")
        return direction(self.layer, values[0].flatten(1).T, cossim_pow=self.cossim_pow)

    def compute(self, activations: Activations, trace: Trace) -> Tensor:
        raise ObjectiveError(f"`grid` needs the activations of its picture: give it to `render`. ({self!r:.80})")

    def __repr__(self) -> str:
        return format_call("grid", inspect.signature(grid), vars(self))


@checked
def each(*parts: Part) -> Objective:
    """Combine objectives into a batch, one for each image.

    Formula: image i maximizes the i-th objective.
    Source: the per-image objectives of a batch that Lucid writes with `batch=`.

    Args:
        parts: The objective of image 0, of image 1, and so on.

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
    """Interpolate between two objectives over the images of a batch.

    Formula: image i maximizes (1 - w) · start + w · end with w = i / (n - 1).
    Source: Lucid's `channel_interpolate`, for any two objectives.

    Args:
        start: The objective of the first image.
        end: The objective of the last image.
        n: The number of images, 2 or more.

    Raises:
        ObjectiveError: There are fewer than two images.
    """
    return Interpolate(n, parts=(start, end))


@checked
def negative(inner: Part) -> Objective:
    """Negate an objective: what a unit responds to least. The same as a minus before it.

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
    """Visualize the activations of a given picture at every position of a layer, one image per position.

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

    Lists of units are reduced to the image's unit, `each` to its part, `interpolate` to a weighted sum with rounded
    weights, and `on` is removed where it names the image. Arrays with a row per image, and terms that compare images,
    are left unchanged.

    Example:
        >>> from lucidtorch.objectives import channel
        >>> single(channel("conv1_1", [3, 7]), 1)
        channel('conv1_1', 7)
    """
    return objective.mapped(lambda node: _of_image(node, image))


def _of_image(node: Objective, image: int) -> Any:
    if isinstance(node, Each):
        return node.parts[image]
    if isinstance(node, Interpolate):
        return _weighted_sum(node, image)
    if isinstance(node, On) and node.image == image:
        return node.parts[0]
    return _with_own_values(node, image) if isinstance(node, Term) else node


def _weighted_sum(node: Interpolate, image: int) -> Any:
    start, end = node.parts
    if image in (0, node.count - 1):
        return end if image else start
    share = round(image / (node.count - 1), SHARE_DIGITS)
    return round(1 - share, SHARE_DIGITS) * start + share * end


def _with_own_values(term: Term, image: int) -> Term:
    kinds = kinds_of(term.definition.function)
    lists = {name: value for name, value in term.arguments if kinds[name].per_image and isinstance(value, tuple)}
    return term.replaced(**{name: value[image] for name, value in lists.items()}) if lists else term
