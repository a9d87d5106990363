"""Bringing images of any kind to the size and the channels that a network takes."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from lucidtorch.base.checks import is_dense
from lucidtorch.base.errors import ImageError
from lucidtorch.base.images import decoded, photo_bytes, with_channels
from lucidtorch.base.shown import shown

BRIGHTEST = 255  # of whole numbers
SLACK = 1e-3  # how far rounding may carry a value out of [0, 1]
WITHOUT_CHANNELS, WITH_CHANNELS = 2, 3


def fitted(image: object, channels: int, sides: tuple[int, int]) -> Tensor:
    """Cut an image evenly to the shape of a size, scale it to it, and give it the channels that are needed."""
    values = with_channels(_values_of(image, sides), channels)
    if values.shape[1:] != sides:
        values = np.stack([_scaled(channel, sides) for channel in values])
    return torch.from_numpy(np.ascontiguousarray(values))


def _values_of(image: object, needed: tuple[int, int]) -> np.ndarray:
    """Take the numbers out of any form of an image: `[C, H, W]` in [0, 1], float32."""
    if isinstance(image, str | Path):
        image = photo_bytes(Path(image), needed=needed)
    elif isinstance(image, Image.Image):
        pixels = np.asarray(decoded(image, "L" if image.mode in ("1", "L") else "RGB", needed))
        image = pixels.reshape(*pixels.shape[:2], -1).transpose(2, 0, 1)
    elif isinstance(image, Tensor) and is_dense(image):
        image = image.detach().cpu().numpy()
    if not isinstance(image, np.ndarray) or image.ndim not in (WITHOUT_CHANNELS, WITH_CHANNELS):
        known = "real numbers [C, H, W], a Pillow image or the path of a file"
        raise ImageError(f"An image is {known}, but {shown(image)} was given.")
    values = image.astype(np.float32, copy=False)
    if image.dtype == np.uint8:
        values /= BRIGHTEST
    return _in_range(values if values.ndim == WITH_CHANNELS else values[None])


def _in_range(values: np.ndarray) -> np.ndarray:
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, np.nan)
    if not (low >= -SLACK and high <= 1 + SLACK):  # also where a value is none
        raise ImageError(
            f"Images are in [0, 1], but one of shape {list(values.shape)} with values from {low:g} to {high:g} was "
            "given; leave normalization to the network."
        )
    clipped: np.ndarray = values if low >= 0 and high <= 1 else values.clip(0, 1)
    return clipped


def _scaled(channel: np.ndarray, sides: tuple[int, int]) -> np.ndarray:
    picture = ImageOps.fit(Image.fromarray(channel), (sides[1], sides[0]), Image.Resampling.LANCZOS)
    return np.asarray(picture).clip(0, 1)
