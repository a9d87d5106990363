"""Photographs as values: a file cut and scaled to a size, ready to be compared with, started from, or printed."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from lucidtorch.base.arrays import Array
from lucidtorch.base.checks import checked
from lucidtorch.base.errors import ImageError
from lucidtorch.base.sizes import PLANE, Size, size_sides, size_text

GREY_MODES = ("1", "L", "I;16")
COLOURS = 3
GREY_WEIGHTS = np.array((0.299, 0.587, 0.114), dtype=np.float32)  # ITU-R 601, as Pillow makes grey of colours


@checked
def photo(path: str | Path, size: int | str | Size | None = None) -> Array:
    """Read a photograph, cut evenly to the shape of a size and scaled to it.

    Its text is that of an array: a picture that was made with it carries the pixels themselves.

    Args:
        path: Any image file that Pillow reads; it is turned as its camera says.
        size: Pixels on each side, or (height, width); the file's own where None.

    Returns:
        `[3, H, W]` in [0, 1], or `[1, H, W]` of a grey file.

    Raises:
        ImageError: The file is missing or is no image.
        SizeError: The size is no height and width.
    """
    sides = None if size is None else size_sides(size)
    if sides is not None and len(sides) != PLANE:
        raise ImageError(f"A photo has a height and a width, but the size {size_text(sides)} was given.")
    return Array.of(photo_bytes(Path(path), sides).astype(np.float64) / 255)


def photo_bytes(path: Path, sides: Size | None = None, *, colours: bool = False) -> np.ndarray:
    """Read an image file, turned as its camera says, cut evenly to a shape and scaled to it.

    Args:
        path: Any image file that Pillow reads.
        sides: Height and width; the file's own where None.
        colours: Whether a grey file has three channels too.

    Returns:
        `[3, H, W]`, or `[1, H, W]` of a grey file, in uint8.

    Raises:
        ImageError: The file is missing or is no image.
    """
    try:
        with (
            warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning),
            Image.open(path) as file,
        ):
            grey = file.mode in GREY_MODES and not colours
            picture = ImageOps.exif_transpose(file).convert("L" if grey else "RGB")
    except (OSError, ValueError, SyntaxError, UnidentifiedImageError, Image.DecompressionBombError) as error:
        raise ImageError(
            f"{path} cannot be read as an image: {error}. Give the path of a PNG, JPEG or the like."
        ) from error
    if sides is not None:
        picture = ImageOps.fit(picture, (sides[1], sides[0]), Image.Resampling.LANCZOS)
    pixels = np.array(picture)
    return pixels.reshape(*pixels.shape[:2], -1).transpose(2, 0, 1)


def with_channels(values: np.ndarray, channels: int) -> np.ndarray:
    """Give an image the number of channels that a network takes.

    Args:
        values: `[C, H, W]` in [0, 1].
        channels: One makes grey of colours, three make colours of grey; any other number must be the image's own.

    Returns:
        `[channels, H, W]` in [0, 1].

    Raises:
        ImageError: The image has other channels.
    """
    given = len(values)
    if given == channels:
        return values
    if given == COLOURS and channels == 1:
        return np.tensordot(GREY_WEIGHTS, values, axes=1)[None].clip(0, 1)
    if given == 1 and channels == COLOURS:
        return values.repeat(COLOURS, axis=0)
    raise ImageError(
        f"The network takes images [C, H, W] of {channels} channel{'s' * (channels != 1)}, but one of shape "
        f"{list(values.shape)} was given."
    )
