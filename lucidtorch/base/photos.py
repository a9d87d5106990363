"""Photographs as values: a file cut and scaled to a size, ready to be compared with, started from, or printed."""

from __future__ import annotations

import warnings
from pathlib import Path

import numpy as np
from PIL import ExifTags, Image, ImageOps

from lucidtorch.base.arrays import Array
from lucidtorch.base.checks import checked
from lucidtorch.base.errors import ImageError
from lucidtorch.base.reading import BROKEN_PICTURE, picture_formats, regular
from lucidtorch.base.sizes import PLANE, Size, size_sides, size_text
from lucidtorch.base.trust import check_read

GREY_MODES = ("1", "L", "I;16")
COLOURS = 3
LARGE = 2**25  # pixels: a larger file is read no larger than it is needed
FINE = 3  # how much larger than needed it stays, so that scaling it once more gives nearly the same pixels
ON_ITS_SIDE = 5  # from here on, orientations of EXIF exchange rows and columns
FINEST_DRAFT = 8  # how many times smaller a JPEG can be decoded
GREY_WEIGHTS = np.array((0.299, 0.587, 0.114), dtype=np.float32)  # ITU-R 601, as Pillow makes grey of colours


@checked
def photo(path: str | Path, size: int | str | Size | None = None) -> Array:
    """Read a photograph, cut evenly to the shape of a size and scaled to it.

    Its text is that of an array: a picture that was made with it carries the pixels themselves.

    Args:
        path: A PNG, JPEG, WebP, TIFF or another picture; it is turned as its camera says.
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


def photo_bytes(
    path: Path, sides: Size | None = None, *, colours: bool = False, needed: Size | None = None
) -> np.ndarray:
    """Read an image file, turned as its camera says, cut evenly to a shape and scaled to it.

    A file of more than 33 million pixels that is at least six times as large as needed is cut and made smaller as it is
    read, to three times that size. All other files are read as they are. Pillow holds 4 bytes for each pixel of a file
    in colours that is no JPEG, and 1 of a grey one.
    """
    check_read(path)
    try:
        with (
            warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning),
            Image.open(regular(path), formats=picture_formats()) as file,
        ):
            mode = "L" if file.mode in GREY_MODES and not colours else "RGB"
            picture = decoded(file, mode, sides or needed)
    except BROKEN_PICTURE as error:
        reason = getattr(error, "strerror", None) or str(error).replace(str(path), path.name)
        raise ImageError(
            f"{path} cannot be read as an image: {reason}. Give the path of a PNG, JPEG or the like."
        ) from error
    if sides is not None:
        picture = ImageOps.fit(picture, (sides[1], sides[0]), Image.Resampling.LANCZOS)
    pixels = np.array(picture)
    return pixels.reshape(*pixels.shape[:2], -1).transpose(2, 0, 1)


def decoded(image: Image.Image, mode: str, needed: Size | None) -> Image.Image:
    """Decode an image, turned as its camera says; no larger than it is needed, where it is very large."""
    factor = _reduction(image.size, needed)
    if factor == 1 or needed is None:
        return ImageOps.exif_transpose(image).convert(mode)
    turn = image.getexif().get(ExifTags.Base.Orientation, 1)
    height, width = needed if turn < ON_ITS_SIDE else needed[::-1]
    side = min(factor, FINEST_DRAFT)
    image.draft(None, (image.width // side, image.height // side))  # of a JPEG that is not loaded yet
    small = _scaled(image, mode, (FINE * width, FINE * height))
    small.getexif()[ExifTags.Base.Orientation] = turn
    return ImageOps.exif_transpose(small)


def _reduction(size: tuple[int, int], needed: Size | None) -> int:
    """How many times smaller an image may be read that will be cut to a shape and scaled to it."""
    if needed is None or size[0] * size[1] <= LARGE:
        return 1
    return max(1, min(size) // (FINE * max(needed)))  # whichever way it is turned


def _scaled(picture: Image.Image, mode: str, size: tuple[int, int]) -> Image.Image:
    """Cut an image evenly to a shape and scale it, channel by channel, so that there is no copy of the whole."""
    scale = min(picture.width / size[0], picture.height / size[1])
    rows, columns = (picture.height - size[1] * scale) / 2, (picture.width - size[0] * scale) / 2
    box = (columns, rows, picture.width - columns, picture.height - rows)
    whole = picture if picture.mode in ("RGB", "RGBA", "RGBX", "L") else picture.convert(mode)
    count = min(COLOURS, len(whole.getbands()))
    bands = [whole.getchannel(band).resize(size, Image.Resampling.HAMMING, box=box) for band in range(count)]
    return (bands[0] if count == 1 else Image.merge("RGB", bands)).convert(mode)


def with_channels(values: np.ndarray, channels: int) -> np.ndarray:
    """Give an image the number of channels that a network takes."""
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
