"""Colour maps, and overlays of maps on pictures: groups in different colours, and heat maps."""

from __future__ import annotations

import colorsys
import math
from typing import Annotated, Literal, TypeAlias

import torch
import torch.nn.functional as F
from torch import Tensor

from lucidtorch.base.checks import Maps, Picture, Plane, Rows, Within, checked
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.images import GREY_WEIGHTS
from lucidtorch.base.surroundings import pinned

Tones: TypeAlias = Literal["heat", "grey"]

HUES = 12  # that are easy to distinguish; further groups repeat them, lighter and darker
LIGHTNESS = (0.5, 0.75, 0.3)
GROUPS_BARE = 0.45  # brightness of the grey picture outside of all groups
TINT = 0.4  # brightness of a colour on black; on white it is 1
FRAMES = 24  # the side of a picture divided by the width of its frame
HEAT_BARE = 0.75  # brightness of the grey picture without heat
STRONGEST = 0.85  # the largest opacity of the heat map
RAMP = 0.5  # the exponent of the heat in the opacity
LEGEND_SIZE = (16, 320)
LEGEND_GROUND = 0.5
# From OKLab to linear RGB (Bjorn Ottosson, "A perceptual color space for image processing", 2020).
TO_CONES = ((1.0, 0.3963377774, 0.2158037573), (1.0, -0.1055613458, -0.0638541728), (1.0, -0.0894841775, -1.2914855480))
TO_RGB = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.7076147010),
)
LINEAR_UP_TO = 0.0031308  # the end of the linear part of the sRGB curve
VIOLET, TURN = 290.0, 175.0  # degrees: the hue of 0, and its rotation up to 1
ORANGE, BLUE = 50.0, 255.0  # degrees: the hues of positive and of negative values


@checked
def group_colours(count: Annotated[int, Within(0, 65536)]) -> Tensor:
    """Return a colour per group: hues equally spaced on the colour circle, from red.

    Args:
        count: The number of groups.

    Returns:
        `[count, 3]` in [0, 1]. Beyond 12 the hues repeat, first lighter and then darker.

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
    """Overlay maps on a grey picture, each in its colour, `[3, H, W]`.

    Formula: opacity · hue · (0.4 + 0.6 · grey) + (1 − opacity) · 0.45 · grey, with
        opacity = min(1, largest map / peak) and hue = Σ maps² · colours / Σ maps² at each pixel. The maps are
        scaled to the picture bilinearly.

    Args:
        image: `[C, H, W]` in [0, 1], of 1 or 3 channels.
        maps: `[G, h, w]`, not negative.
        colours: `[G, 3]` in [0, 1].
        peak: The value with full opacity; the largest of the maps if None.
    """
    if len(image) not in (1, 3):
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
    grey = _greyscale(image.double())
    return (opacity * hue * (TINT + (1 - TINT) * grey) + (1 - opacity) * GROUPS_BARE * grey).to(image.dtype)


@checked
def framed(images: Maps, colours: Rows) -> Tensor:
    """Add a coloured frame to each picture.

    Args:
        images: `[G, C, H, W]` in [0, 1], of 1 or 3 channels.
        colours: `[G, 3]` in [0, 1], one for each picture.

    Returns:
        `[G, 3, H + 2 f, W + 2 f]`, where the frame's width f is the shorter side / 24, at least 1.
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


@checked
def heat_overlay(image: Picture, heat: Plane) -> Tensor:
    """Overlay a heat map on a grey picture, `[3, H, W]`: larger values are lighter and more opaque.

    Formula: opacity · colour(v) + (1 − opacity) · 0.75 · grey, with v = heat / max(heat) clipped at 0 and
        opacity = 0.85 · √v. A map without positive values shows no colour.

    Args:
        image: `[C, H, W]` in [0, 1], of 1 or 3 channels.
        heat: `[H, W]`.
    """
    if len(image) not in (1, 3) or heat.shape != image.shape[1:]:
        raise BadInputError(
            f"A heat map needs an image [1, H, W] or [3, H, W] and a map [H, W], but {list(image.shape)} and "
            f"{list(heat.shape)} were given."
        )
    values = scaled_heat(heat).to(image.dtype)
    opacity = STRONGEST * values**RAMP
    grey = _greyscale(image)[0]
    return (opacity * toned(values, signed=False, tones="heat") + (1 - opacity) * HEAT_BARE * grey).clamp(0, 1)


def scaled_heat(heat: Tensor) -> Tensor:
    """Clip a heat map at 0, and divide it by its maximum."""
    positive = heat.double().clamp(min=0)
    peak = positive.max()
    return positive / peak if float(peak) > 0 else positive


@pinned()
def heat_legend() -> Tensor:
    """Draw the colour bar over middle grey, `[3, 16, 320]`, from no heat at the left to the largest."""
    ramp = torch.linspace(0, 1, LEGEND_SIZE[1]).expand(LEGEND_SIZE)
    return heat_overlay(torch.full((1, *LEGEND_SIZE), LEGEND_GROUND), ramp)


def toned(shares: Tensor, signed: bool, tones: Tones) -> Tensor:
    """Map numbers from 0 to 1, or from -1 to 1, to colours, `[C, ...]`, with lightness linear in absolute value."""
    if tones == "grey":
        return ((shares + 1) / 2 if signed else shares)[None]
    return _diverging(shares) if signed else _sequential(shares)


def _sequential(shares: Tensor) -> Tensor:
    return _rgb(0.9 * shares + 0.08, 0.16 * (math.pi * shares).sin().clamp(min=0), VIOLET + TURN * shares)


def _diverging(shares: Tensor) -> Tensor:
    size = shares.abs()
    hues = torch.where(shares < 0, torch.full_like(shares, BLUE), torch.full_like(shares, ORANGE))
    return _rgb(0.08 + 0.68 * size, 0.13 * size.sqrt(), hues)


def _rgb(lightness: Tensor, chroma: Tensor, hue: Tensor) -> Tensor:
    """Convert lightness, chroma and hue (in degrees) of OKLab to sRGB."""
    angle = hue * (math.pi / 180)
    lab = torch.stack([lightness, chroma * angle.cos(), chroma * angle.sin()]).double()
    cones = torch.einsum("ij,j...->i...", lab.new_tensor(TO_CONES), lab) ** 3
    linear = torch.einsum("ij,j...->i...", lab.new_tensor(TO_RGB), cones).clamp(0, 1)
    curved = 1.055 * linear.clamp(min=LINEAR_UP_TO) ** (1 / 2.4) - 0.055
    return torch.where(linear <= LINEAR_UP_TO, 12.92 * linear, curved).to(lightness.dtype)


def _greyscale(image: Tensor) -> Tensor:
    """Convert a picture to greyscale, `[1, H, W]`."""
    if len(image) == 1:
        return image
    return torch.einsum("k,khw->hw", torch.from_numpy(GREY_WEIGHTS).to(image), image)[None]
