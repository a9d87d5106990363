"""Occlusion: how a score falls when a patch hides a part of the picture, for a patch at every place."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lucidtorch.base.checks import Count, Picture, checked, is_whole
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import Side

PICTURE_AXES = 3


@dataclass(frozen=True, eq=False)
class Occlusion:
    """What hiding parts of a picture does to scores.

    Args:
        clean: `[T]`: the scores of the whole picture.
        places: Row and column of the upper left corner of each patch, row by row.
        drops: `[T, P]`: by how much each patch lowers each score; below 0 where it raises it.
        maps: `[T, H, W]`: at each pixel, the mean of the drops over the patches that cover it.
    """

    clean: Tensor
    places: tuple[tuple[int, int], ...]
    drops: Tensor
    maps: Tensor


@checked
def occlusion_maps(
    score: Callable[[Tensor], Tensor],
    image: Picture,
    *,
    patch: int,
    stride: int,
    fill: Sequence[float] | Tensor,
    batch: int = 8,
) -> Occlusion:
    """Slide a patch of one colour over a picture, and map by how much the scores fall where it lies.

    Formula: map[y, x] = mean over the patches p that cover (x, y) of score(image) − score(image under p).
    Source: Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks" (2014), section 4.2, with a grey
        patch; they map the score itself, at the patch's place.

    Args:
        score: Takes images `[B, C, H, W]` and gives scores `[B, T]`, of each image on its own.
        image: `[C, H, W]` in [0, 1].
        patch: The side of the patch in pixels.
        stride: How many pixels lie from one place of the patch to the next; at most `patch`, so that none is left out.
            The last place in each direction is at the border, be it nearer.
        fill: The colour of the patch, one number per channel in [0, 1].
        batch: How many images are computed together.

    Returns:
        The scores, the drops and the maps, in float64.

    Raises:
        BadInputError: The patch is larger than the picture or smaller than the stride, or a shape does not fit.

    Example:
        >>> import torch
        >>> left = lambda images: images[:, 0, :, :1].sum((1, 2))[:, None]
        >>> found = occlusion_maps(left, torch.ones(1, 2, 4), patch=2, stride=2, fill=[0.0])
        >>> found.maps.tolist()
        [[[2.0, 2.0, 0.0, 0.0], [2.0, 2.0, 0.0, 0.0]]]
    """
    _check(image, patch, stride, batch)
    colour = torch.as_tensor(fill, dtype=image.dtype, device=image.device)
    if colour.shape != (len(image),):
        raise BadInputError(f"fill has one number for each of {len(image)} channels, but {shown(fill)} was given.")
    places = patch_places((image.shape[1], image.shape[2]), patch, stride)
    size = min(batch, len(places))
    whole = image.repeat(size, 1, 1, 1)
    clean = score(whole)[0].detach().cpu().double()
    found = [clean.new_zeros(0, len(clean))]
    for start in range(0, len(places), size):
        own = places[start : start + size]
        images = _hidden(whole, own, patch, colour)  # batches of one size, so that rounding is the same in all
        found.append(score(images)[: len(own)].detach().cpu().double())
    drops = (clean - torch.cat(found)).T.contiguous()
    return Occlusion(clean, places, drops, _averaged(drops, places, patch, (image.shape[1], image.shape[2])))


@checked
def patch_places(sides: tuple[Side, Side], patch: Count, stride: Count) -> tuple[tuple[int, int], ...]:
    """Say where a patch lies as it slides over a picture.

    Args:
        sides: Height and width of the picture.
        patch: The side of the patch.
        stride: From one place to the next.

    Returns:
        Row and column of the upper left corner of each place, row by row; the last ones are at the borders.

    Example:
        >>> patch_places((3, 6), 3, 2)
        ((0, 0), (0, 2), (0, 3))
    """
    rows, columns = (sorted({*range(0, side - patch + 1, stride), side - patch}) for side in sides)
    return tuple((row, column) for row in rows for column in columns)


def _hidden(whole: Tensor, places: Sequence[tuple[int, int]], patch: int, colour: Tensor) -> Tensor:
    """The picture under each of some patches, and as often again without one as fills the batch."""
    found = whole.clone()
    for one, (row, column) in zip(found, places, strict=False):
        one[:, row : row + patch, column : column + patch] = colour[:, None, None]
    return found


def _averaged(drops: Tensor, places: Sequence[tuple[int, int]], patch: int, sides: tuple[int, int]) -> Tensor:
    """The mean drop at each pixel over the patches that cover it."""
    total, count = drops.new_zeros(len(drops), *sides), drops.new_zeros(sides)
    for drop, (row, column) in zip(drops.T, places, strict=True):
        area = (..., slice(row, row + patch), slice(column, column + patch))
        total[area] += drop[:, None, None]
        count[area] += 1
    return total / count


def _check(image: Tensor, patch: int, stride: int, batch: int) -> None:
    if image.ndim != PICTURE_AXES:
        raise BadInputError(f"Occlusion needs one picture [C, H, W], but {list(image.shape)} was given.")
    if not all(is_whole(one) and one >= 1 for one in (patch, stride, batch)):
        raise BadInputError(
            f"patch, stride and batch are whole numbers from 1, but {shown(patch)}, {shown(stride)} and {shown(batch)} "
            "were given."
        )
    shorter = min(image.shape[1:])
    if patch > shorter:
        raise BadInputError(f"A patch of {patch} pixels does not fit into a side of {shorter}; write a smaller one.")
    if stride > patch:
        raise BadInputError(f"A stride of {stride} leaves pixels between patches of {patch}; write at most {patch}.")
