"""Images: tensors in [0, 1] laid out and written as PNG with the recipe inside, the recipe back, and photographs."""

from __future__ import annotations

import colorsys
import contextlib
import functools
import io
import math
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import ExifTags, Image, ImageOps, PngImagePlugin
from torch import Tensor
from torch.nn import functional

from lucidtorch.base.arrays import Array
from lucidtorch.base.checks import checked
from lucidtorch.base.errors import ImageError, RecipeError
from lucidtorch.base.files import regular
from lucidtorch.base.sizes import PLANE, Size, size_sides, size_text
from lucidtorch.base.trust import check_read

# Formats of pictures; others that Pillow knows start programs (EPS runs Ghostscript) or are no pictures.
FORMATS = ("PNG", "JPEG", "WEBP", "BMP", "GIF", "TIFF", "PPM", "AVIF", "JPEG2000", "TGA", "PCX", "ICO", "QOI", "DDS")
BROKEN_PICTURE = (OSError, ValueError, SyntaxError, RuntimeError, MemoryError, Image.DecompressionBombError)

KEY = "lucidtorch"  # the name of the text inside a PNG that holds its recipe
GAP = 2  # pixels between the pictures of a sheet
GAP_VALUE = 0.1
BATCH_AXES = 4  # `[B, C, H, W]`
DEAD_GREY, DEAD_LINE = 0.5, 0.35
BEHIND = 0.5  # what see-through pictures lie on where a file cannot be see-through
FRAMES = 8  # a longer clip is shown by so many of its frames
GREY_MODES = ("1", "L", "I;16")
COLOURS = 3
LARGE = 2**25  # pixels: a larger file is read no larger than it is needed
FINE = 3  # how much larger than needed it stays, so that scaling it once more gives nearly the same pixels
ON_ITS_SIDE = 5  # from here on, orientations of EXIF exchange rows and columns
FINEST_DRAFT = 8  # how many times smaller a JPEG can be decoded
GREY_WEIGHTS = np.array((0.299, 0.587, 0.114), dtype=np.float32)  # ITU-R 601, as Pillow makes grey of colours


def to_bytes(images: Tensor) -> np.ndarray:
    """Round images to 8 bits."""
    scaled = images.detach().cpu().double().clamp(0, 1) * 255
    rounded: np.ndarray = scaled.round().to(torch.uint8).numpy()
    return rounded


def visible(image: Tensor) -> Tensor:
    """Bring an image of any number of channels into one that a file can show.

    One channel is grey and three are RGB. Of any other number, each channel has a colour of its own, with hues evenly
    round the circle from red, and a pixel is the mean of the colours, weighted by the channels' values: equal channels
    are grey of just that value, nothing leaves [0, 1], and of three channels it would be RGB itself.
    """
    channels = len(image)
    if channels in (1, 3):
        return image
    colours = [colorsys.hsv_to_rgb(channel / channels, 1, 1) for channel in range(channels)]
    weights = torch.tensor(colours, dtype=torch.float64)
    return torch.einsum("ck,chw->khw", (weights / weights.sum(0)).to(image), image)


def resized(images: Tensor, size: Sequence[int]) -> Tensor:
    """Bring images to a size, smoothly."""
    if tuple(images.shape[-2:]) == tuple(size):
        return images
    batch = images if images.ndim == BATCH_AXES else images[None]
    found = functional.interpolate(batch, size=list(size), mode="bilinear", antialias=True, align_corners=False)
    return found.clamp(0, 1).reshape(*images.shape[:-2], *size)


def shrunk(images: Tensor, side: int) -> Tensor:
    """Make images smaller, so that their longer side is no longer than allowed."""
    longer = max(images.shape[-2:])
    if longer <= side:
        return images
    return resized(images, [max(1, round(own * side / longer)) for own in images.shape[-2:]])


def sheet(images: Tensor, columns: int | None = None) -> Tensor:
    """Lay images out in a grid with narrow dark gaps."""
    count, channels, height, width = images.shape
    if count == 1:
        return images[0]
    across = columns or math.ceil(math.sqrt(count))
    down = math.ceil(count / across)
    shape = (channels, down * (height + GAP) - GAP, across * (width + GAP) - GAP)
    canvas = torch.full(shape, GAP_VALUE, dtype=images.dtype)
    for place, image in enumerate(images.detach().cpu()):
        row, column = (place // across) * (height + GAP), (place % across) * (width + GAP)
        canvas[:, row : row + height, column : column + width] = image
    return canvas


def shown_frames(count: int) -> tuple[int, ...]:
    """Choose the frames that stand for a clip: all of a short one, else some from the first to the last, evenly."""
    if count <= FRAMES:
        return tuple(range(count))
    return tuple(round(place * (count - 1) / (FRAMES - 1)) for place in range(FRAMES))


def strip(clip: Tensor) -> Tensor:
    """Lay the frames of a clip out in one row."""
    places = shown_frames(clip.shape[1])
    return sheet(clip.transpose(0, 1)[list(places)], columns=len(places))


def block(clip: Tensor) -> Tensor:
    """Lay the frames of a clip out in about a square, to be read row by row."""
    return sheet(clip.transpose(0, 1)[list(shown_frames(clip.shape[1]))])


def on_grey(images: Tensor) -> Tensor:
    """Lay see-through images on middle grey."""
    colours, opacity = images[..., :-1, :, :], images[..., -1:, :, :]
    return colours * opacity + BEHIND * (1 - opacity)


def dead_mark(image: Tensor) -> Tensor:
    """Draw what stands in the place of a dead unit's picture: flat grey with a cross."""
    height, width = image.shape[-2:]
    rows = torch.linspace(0, 1, height)[:, None]
    columns = torch.linspace(0, 1, width)[None, :]
    line = 1.5 / max(2, min(height, width))
    cross = ((rows - columns).abs() < line) | ((rows + columns - 1).abs() < line)
    return torch.where(cross, DEAD_LINE, DEAD_GREY).to(image.dtype).expand_as(image)


def encode_png(image: Tensor, text: str = "", *, alpha: bool = False) -> bytes:
    """Write an image as PNG, the same bytes for the same image and text."""
    shown = torch.cat([visible(image[:-1]), image[-1:]]) if alpha else visible(image)
    pixels = to_bytes(shown)
    picture = Image.fromarray(pixels[0] if len(pixels) == 1 else np.ascontiguousarray(pixels.transpose(1, 2, 0)))
    info = PngImagePlugin.PngInfo()
    if text:
        info.add_itxt(KEY, text)
    stream = io.BytesIO()
    picture.save(stream, format="PNG", pnginfo=info)
    return stream.getvalue()


@functools.cache
def _formats() -> tuple[str, ...]:
    """The formats of `FORMATS` that Pillow has here."""
    Image.init()
    return tuple(name for name in FORMATS if name in Image.OPEN)


@contextlib.contextmanager
def _opened(path: Path) -> Iterator[Image.Image]:
    """Open a picture of any size, in a format that starts no program."""
    with (
        warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning),
        Image.open(regular(path), formats=_formats()) as picture,
    ):
        yield picture


def read_png_text(path: Path) -> str:
    """Read the recipe inside a PNG."""
    text = None
    try:
        with _opened(path) as picture:
            if isinstance(picture, PngImagePlugin.PngImageFile):
                picture.load()  # a text may stand after the pixels
                text = picture.text.get(KEY)
    except FileNotFoundError as error:
        raise RecipeError(f"There is no file {path}; give a PNG that lucidtorch made.") from error
    except BROKEN_PICTURE as error:
        raise RecipeError(
            f"{path} is not a PNG that can be read ({error}); give a PNG that lucidtorch made."
        ) from error
    if not text:
        raise RecipeError(
            f"{path} carries no recipe; only a PNG that lucidtorch made, and nobody re-encoded, can be made again."
        )
    return str(text)


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
        with _opened(path) as file:
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
