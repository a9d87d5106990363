"""Groups laid over the pictures that they were found in: where each one is, in a colour of its own."""

from __future__ import annotations

import colorsys
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from lucidtorch.base.checks import Maps, Picture, Rows, Within, checked
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.images import GREY_WEIGHTS

HUES = 12  # that are told apart at a glance; further groups take them again, lighter and darker
LIGHTNESS = (0.5, 0.75, 0.3)
BARE = 0.45  # how bright the grey picture is where no group is
TINT = 0.4  # how bright a colour is on black; the lighter the picture below, the brighter, up to 1
PICTURE_AXES = 3
FRAMES = 24  # this many widths of a frame make the side of a picture


@checked
def group_colours(count: Annotated[int, Within(0, 65536)]) -> Tensor:
    """Choose a colour for each of some groups: hues evenly round the circle, from red.

    Args:
        count: The number of groups.

    Returns:
        `[count, 3]` in [0, 1]. Beyond 12 the same hues come again, first lighter and then darker.

    Example:
        >>> group_colours(3).tolist()
        [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    """
    around = max(1, min(count, HUES))
    laps = [(place % HUES / around, LIGHTNESS[place // HUES % len(LIGHTNESS)]) for place in range(count)]
    colours = [colorsys.hls_to_rgb(hue, lightness, 1) for hue, lightness in laps]
    return torch.tensor(colours, dtype=torch.float64).reshape(-1, 3).round(decimals=6).float()


@checked
def group_overlay(image: Picture, maps: Annotated[Tensor, "g h w"], colours: Rows, peak: float | None = None) -> Tensor:
    """Lay maps over a grey picture, each in its colour: the stronger, the fuller the colour.

    Formula: opacity · hue · (0.4 + 0.6 · grey) + (1 − opacity) · 0.45 · grey, with
        opacity = min(1, largest map / peak) and hue = Σ maps² · colours / Σ maps² at each pixel. The maps are
        scaled to the picture bilinearly.

    Args:
        image: `[C, H, W]` in [0, 1], of 1 or 3 channels.
        maps: `[G, h, w]` from 0 up.
        colours: `[G, 3]` in [0, 1].
        peak: The strength that is shown in the full colour; the largest in the maps where None.

    Returns:
        `[3, H, W]` in [0, 1].

    Raises:
        BadInputError: The shapes do not fit each other.
    """
    if image.ndim != PICTURE_AXES or len(image) not in (1, 3) or maps.ndim != PICTURE_AXES:
        raise BadInputError(
            f"An overlay needs an image [1, H, W] or [3, H, W] and maps [G, h, w], but {list(image.shape)} and "
            f"{list(maps.shape)} were given."
        )
    if colours.shape != (len(maps), 3):
        raise BadInputError(f"{len(maps)} maps need colours [{len(maps)}, 3], but {list(colours.shape)} was given.")
    values = F.interpolate(maps[None].double(), image.shape[-2:], mode="bilinear")[0]
    tiny = torch.finfo(values.dtype).tiny
    opacity = (values.amax(0) / max(float(maps.max()) if peak is None else peak, tiny)).clamp(0, 1)
    weights = (values / values.amax(0).clamp(min=tiny)).square()
    hue = torch.einsum("ghw,gk->khw", weights / weights.sum(0).clamp(min=tiny), colours.double())
    grey = in_grey(image.double())
    return (opacity * hue * (TINT + (1 - TINT) * grey) + (1 - opacity) * BARE * grey).to(image.dtype)


@checked
def framed(images: Maps, colours: Rows) -> Tensor:
    """Put a frame of its colour round each of some pictures.

    Args:
        images: `[G, C, H, W]` in [0, 1], of 1 or 3 channels.
        colours: `[G, 3]` in [0, 1].

    Returns:
        `[G, 3, H + 2 f, W + 2 f]`, where the frame's width f is the shorter side / 24, at least 1.

    Raises:
        BadInputError: There are not as many colours as pictures, or the pictures have other channels.
    """
    count, channels, height, width = images.shape
    if channels not in (1, 3) or colours.shape != (count, 3):
        raise BadInputError(
            f"Frames need pictures [G, 3, H, W] and colours [G, 3], but {list(images.shape)} and "
            f"{list(colours.shape)} were given."
        )
    frame = max(1, min(height, width) // FRAMES)
    canvas = colours.to(images)[:, :, None, None].repeat(1, 1, height + 2 * frame, width + 2 * frame)
    canvas[:, :, frame : frame + height, frame : frame + width] = images
    return canvas


def in_grey(image: Tensor) -> Tensor:
    """Take the colours out of a picture."""
    return (
        image if len(image) == 1 else torch.einsum("k,khw->hw", torch.from_numpy(GREY_WEIGHTS).to(image), image)[None]
    )
