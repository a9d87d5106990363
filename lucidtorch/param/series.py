"""Batches whose images belong together: aligned for blending, or the frames of a film."""

from __future__ import annotations

from typing import Annotated

from lucidtorch.base.checks import Count, Within, checked
from lucidtorch.base.sizes import Size, size_pair
from lucidtorch.param.images import Image, image
from lucidtorch.param.lowres import shared

RGB = 3
ALIGNED = ((1, 2), (1, 4), (1, 8), (2, 8), (1, 16), (2, 16))  # Lucid's: rows of images, and how much coarser
FILM = ((4, 2), (4, 4), (4, 8))  # frames that a row spans, and how much coarser
OWN = 2  # frames that a row of the finest grid spans


@checked
def aligned(size: int | Size, count: Count) -> Image:
    """Make a batch whose images line up: eyes meet eyes when one is blended into the next.

    Each image has its own frequencies, and all read the same coarse grids. Objectives such as `alignment` and
    `interpolate` draw them closer still.

    Formula: image + shared parts 2, 4, 8 and 16 times coarser that all images read, and two more, 8 and 16 times
        coarser, of two rows.
    Source: Lucid's notebook `aligned_interpolation`.

    Args:
        size: Pixels on each side, or (height, width).
        count: The number of images.

    Returns:
        A plain sum, which prints as such.

    Raises:
        SizeError: The size is not positive.
        BadInputError: The number of images is none.

    Example:
        >>> aligned(16, 3).added[:2]
        (shared([1, 3, 8, 8]), shared([1, 3, 4, 4]))
    """
    made = image(size, batch=count)
    for rows, coarser in ALIGNED:
        made = made + _grid(size, min(rows, count), coarser)
    return made


@checked
def animation(size: int | Size, frames: Annotated[int, Within(2)]) -> Image:
    """Make a batch that is the frames of a film: each is close to the one before.

    All of a frame comes from grids that are coarse in time, the fine one less than the others, so that it glides. Steps
    of an optimizer are as large for what starts faint: anything of a frame's own would come to flicker.

    Formula: a shared part as fine as the image with a row for every 2 frames, and others 2, 4 and 8 times coarser with
        a row for every 4.
    Source: lucidtorch's own, after Lucid's `lowres_tensor`.

    Args:
        size: Pixels on each side, or (height, width).
        frames: The number of frames.

    Returns:
        A plain sum, which prints as such.

    Raises:
        SizeError: The size is not positive.
        BadInputError: There are fewer than two frames.
    """
    made = image(size, batch=frames, spatial=_grid(size, _rows(frames, OWN), 1))
    for spanned, coarser in FILM:
        made = made + _grid(size, _rows(frames, spanned), coarser)
    return made


def _rows(frames: int, spanned: int) -> int:
    """How many rows a grid has of which each spans so many frames; two at least, or nothing would move."""
    return max(2, -(-frames // spanned))


def _grid(size: int | Size, rows: int, coarser: int) -> shared:
    height, width = size_pair(size)
    return shared([rows, RGB, max(1, height // coarser), max(1, width // coarser)])
