"""Objectives that compare with a given picture: to see what a layer keeps of it, or makes much of."""

from __future__ import annotations

from torch import Tensor

from lucidtorch.base.arrays import ImageLike
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.base.sizes import size_text
from lucidtorch.objectives.norms import root
from lucidtorch.objectives.pairs import both, side_by_side
from lucidtorch.objectives.projection import COSINE_EPSILON, COSINE_FLOOR, length, mean_over_space
from lucidtorch.objectives.references import INPUT
from lucidtorch.objectives.term import objective
from lucidtorch.objectives.trace import Activations

SMALLEST_SQUARE = 1e-12  # a layer that is silent on the picture divides by this
CARICATURE_EPSILON = 1e-6  # Lucid: keeps the likeness finite where the picture leaves the layer silent


@objective
def inversion(activations: Activations, layer: str, image: ImageLike) -> Tensor:
    """How far a layer is from what it makes of a given picture: subtract it to see all that the layer knows of it.

    A positive size: render ``-inversion(...)``, and subtract a little of `total_variation` (1e-5) from it.

    Formula: |a - a0|^2 / |a0|^2, with a0 the activations of the picture, over the whole layer.
    Source: Mahendran and Vedaldi 2015; pytorch-cnn-visualizations' inverted representation.

    Args:
        activations: Address to activations.
        layer: The address of the layer.
        image: The picture, `[C, H, W]` in [0, 1], or one per image.

    Returns:
        `[B]`; 0 where the layer cannot tell them apart, and 1 for a silent layer.

    Raises:
        ObjectiveError: There are not as many pictures as images.
    """
    found, given = side_by_side(activations, layer, image)
    size = given.square().flatten(1).sum(1)
    return (found - given).square().flatten(1).sum(1) / size.clamp(min=SMALLEST_SQUARE)


@objective
def caricature(activations: Activations, layer: str, image: ImageLike, cossim_pow: float = 0) -> Tensor:
    """How much of what a layer sees in a given picture is there: maximize it to exaggerate what the layer sees.

    With a power, likeness counts: the product, floored at 0.1, is measured in lengths of the picture's activations.
    Lucid's recipe adds `blur_input`; powers of 0 to 2 are usual.

    Formula: d · max(0.1, d / (1e-6 + |a0|))^cossim_pow, with d = sum over the whole layer of a · a0 and a0 the
        activations of the picture.
    Source: Lucid's `dot_compare`, of its caricature recipe.

    Args:
        activations: Address to activations.
        layer: The address of the layer.
        image: The picture, `[C, H, W]` in [0, 1], or one per image.
        cossim_pow: The power; 0 leaves the likeness out.

    Returns:
        `[B]`.

    Raises:
        ObjectiveError: There are not as many pictures as images.
    """
    found, given = side_by_side(activations, layer, image)
    dot = (found * given).flatten(1).sum(1)
    if not cossim_pow:
        return dot
    likeness = dot / (CARICATURE_EPSILON + given.square().flatten(1).sum(1).sqrt())
    return dot * likeness.clamp(min=COSINE_FLOOR) ** cossim_pow


@objective
def spatial_match(activations: Activations, layer: str, image: ImageLike) -> Tensor:
    """How alike a layer is at each place to what it makes of a given picture there: maximize it to keep the layout.

    How strong the activations are does not count, only which channels share them.

    Formula: mean over positions of cos(a, a0) = a · a0 / (1e-4 + |a|) / (1e-4 + |a0|), with a0 the activations of
        the picture.
    Source: faccent's spatial objectives, here for all channels at once; the cosine is Lucid's.

    Args:
        activations: Address to activations.
        layer: The address of the layer.
        image: The picture, `[C, H, W]` in [0, 1], or one per image.

    Returns:
        `[B]`, from -1 to 1.

    Raises:
        ObjectiveError: There are not as many pictures as images.
    """
    found, given = side_by_side(activations, layer, image)
    lengths = (COSINE_EPSILON + length(found)) * (COSINE_EPSILON + length(given))
    return mean_over_space((found * given).sum(1) / lengths)


@objective
def activation_difference(activations: Activations, layer: str, image: ImageLike) -> Tensor:
    """The mean distance of a layer from what it makes of a given picture: subtract it to keep the picture's content.

    Formula: mean of |a - a0|, with a0 the activations of the picture.
    Source: Lucid's notebook on style transfer.

    Args:
        activations: Address to activations.
        layer: The address of the layer.
        image: The picture, `[C, H, W]` in [0, 1], or one per image.

    Returns:
        `[B]`.

    Raises:
        ObjectiveError: There are not as many pictures as images.
    """
    found, given = side_by_side(activations, layer, image)
    return (found - given).abs().flatten(1).mean(1)


@objective
def input_difference(activations: Activations, image: ImageLike, layer: str = INPUT) -> Tensor:
    """The root of the mean squared distance from a given picture: subtract it to change as little of it as possible.

    Formula: sqrt(mean of (a - a0)^2), with a0 the picture.
    Source: Lucid's `input_diff`.

    Args:
        activations: Address to activations.
        image: The picture, `[C, H, W]` in [0, 1], or one per image, of the render's size.
        layer: The address of a layer to compare in; the image where left out.

    Returns:
        `[B]`.

    Raises:
        ObjectiveError: The picture has another size than the render, or there are not as many pictures as images.
    """
    found, given = both(activations, layer, image)
    if layer != INPUT:
        found, given = side_by_side(activations, layer, image)
    elif found.shape[2:] != given.shape[2:]:
        raise ObjectiveError(
            f"`input_difference` compares places one by one, but the picture has {size_text(given.shape[2:])} and the "
            f"render {size_text(found.shape[2:])}; scale the picture, for example photo('FILE.jpg', 128)."
        )
    return root((found - given).square().flatten(1).mean(1))
