"""Images as files: tensors in [0, 1] to PNG with the recipe inside, and the recipe back."""

from __future__ import annotations

import colorsys
import io
import math
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from PIL import Image, PngImagePlugin
from torch import Tensor
from torch.nn import functional

from lucidtorch.base.errors import RecipeError
from lucidtorch.base.reading import BROKEN_PICTURE, picture_formats, regular

KEY = "lucidtorch"  # the name of the text inside a PNG that holds its recipe
GAP = 2  # pixels between the pictures of a sheet
GAP_VALUE = 0.1
BATCH_AXES = 4  # `[B, C, H, W]`
DEAD_GREY, DEAD_LINE = 0.5, 0.35
BEHIND = 0.5  # what see-through pictures lie on where a file cannot be see-through


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


def _text_of(picture: PngImagePlugin.PngImageFile) -> str | None:
    picture.load()  # a text may stand after the pixels
    return picture.text.get(KEY)


def read_png_text(path: Path) -> str:
    """Read the recipe inside a PNG."""
    try:
        with (
            warnings.catch_warnings(action="ignore", category=Image.DecompressionBombWarning),
            Image.open(regular(path), formats=picture_formats()) as picture,
        ):
            text = _text_of(picture) if isinstance(picture, PngImagePlugin.PngImageFile) else None
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
