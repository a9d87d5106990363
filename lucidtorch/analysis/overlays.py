"""Colours for numbers, and maps laid over their pictures: groups, each in a colour of its own, and heat."""

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

HUES = 12  # that are told apart at a glance; further groups take them again, lighter and darker
LIGHTNESS = (0.5, 0.75, 0.3)
GROUPS_BARE = 0.45  # how bright the grey picture is where no group is
TINT = 0.4  # how bright a colour is on black; the lighter the picture below, the brighter, up to 1
FRAMES = 24  # this many widths of a frame make the side of a picture
HEAT_BARE = 0.75  # how bright the grey picture is where there is no heat
STRONGEST = 0.85  # how opaque the colour is where the heat is greatest
RAMP = 0.5  # the power with which opacity grows with the heat
LEGEND_SIZE = (16, 320)
LEGEND_GROUND = 0.5
# From OKLab to linear RGB (Bjorn Ottosson, "A perceptual color space for image processing", 2020).
TO_CONES = ((1.0, 0.3963377774, 0.2158037573), (1.0, -0.1055613458, -0.0638541728), (1.0, -0.0894841775, -1.2914855480))
TO_RGB = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.7076147010),
)
LINEAR_UP_TO = 0.0031308  # where the sRGB curve leaves its straight beginning
VIOLET, TURN = 290.0, 175.0  # degrees: the hue of what is faint, and how far it turns until what is strong
ORANGE, BLUE = 50.0, 255.0  # above zero, and below


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
    grey = _in_grey(image.double())
    return (opacity * hue * (TINT + (1 - TINT) * grey) + (1 - opacity) * GROUPS_BARE * grey).to(image.dtype)


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


@checked
def heat_overlay(image: Picture, heat: Plane) -> Tensor:
    """Lay a heat map over a grey picture: the more heat, the lighter and the less see-through the colour.

    Formula: opacity · colour(v) + (1 − opacity) · 0.75 · grey, with v = heat / max(heat) cut off below 0 and
        opacity = 0.85 · √v. The map is scaled to its own largest value; one that is nowhere above 0 shows no colour.

    Args:
        image: `[C, H, W]` in [0, 1], of 1 or 3 channels.
        heat: `[H, W]`.

    Returns:
        `[3, H, W]` in [0, 1].

    Raises:
        BadInputError: The shapes do not fit each other.
    """
    if len(image) not in (1, 3) or heat.shape != image.shape[1:]:
        raise BadInputError(
            f"A heat map needs an image [1, H, W] or [3, H, W] and a map [H, W], but {list(image.shape)} and "
            f"{list(heat.shape)} were given."
        )
    values = scaled_heat(heat).to(image.dtype)
    opacity = STRONGEST * values**RAMP
    grey = _in_grey(image)[0]
    return (opacity * toned(values, signed=False, tones="heat") + (1 - opacity) * HEAT_BARE * grey).clamp(0, 1)


def scaled_heat(heat: Tensor) -> Tensor:
    """Scale a heat map to its own largest value."""
    positive = heat.double().clamp(min=0)
    peak = positive.max()
    return positive / peak if float(peak) > 0 else positive


@pinned()
def heat_legend() -> Tensor:
    """Draw a strip of the colours as they look over middle grey, from no heat at the left to the most at the right.

    Returns:
        `[3, 16, 320]` in [0, 1].
    """
    ramp = torch.linspace(0, 1, LEGEND_SIZE[1]).expand(LEGEND_SIZE)
    return heat_overlay(torch.full((1, *LEGEND_SIZE), LEGEND_GROUND), ramp)


def toned(shares: Tensor, signed: bool, tones: Tones) -> Tensor:
    """Colour numbers from 0 to 1, or from -1 to 1, `[C, ...]`; the lightness grows evenly with their size."""
    if tones == "grey":
        return ((shares + 1) / 2 if signed else shares)[None]
    return _two_hues(shares) if signed else _one_way(shares)


def _one_way(shares: Tensor) -> Tensor:
    return _rgb(0.9 * shares + 0.08, 0.16 * (math.pi * shares).sin().clamp(min=0), VIOLET + TURN * shares)


def _two_hues(shares: Tensor) -> Tensor:
    size = shares.abs()
    hues = torch.where(shares < 0, torch.full_like(shares, BLUE), torch.full_like(shares, ORANGE))
    return _rgb(0.08 + 0.68 * size, 0.13 * size.sqrt(), hues)


def _rgb(lightness: Tensor, chroma: Tensor, hue: Tensor) -> Tensor:
    """Turn lightness, chroma and hue (in degrees) of OKLab into sRGB."""
    angle = hue * (math.pi / 180)
    lab = torch.stack([lightness, chroma * angle.cos(), chroma * angle.sin()]).double()
    cones = torch.einsum("ij,j...->i...", lab.new_tensor(TO_CONES), lab) ** 3
    linear = torch.einsum("ij,j...->i...", lab.new_tensor(TO_RGB), cones).clamp(0, 1)
    curved = 1.055 * linear.clamp(min=LINEAR_UP_TO) ** (1 / 2.4) - 0.055
    return torch.where(linear <= LINEAR_UP_TO, 12.92 * linear, curved).to(lightness.dtype)


def _in_grey(image: Tensor) -> Tensor:
    """Take the colours out of a picture, `[1, H, W]`."""
    if len(image) == 1:
        return image
    return torch.einsum("k,khw->hw", torch.from_numpy(GREY_WEIGHTS).to(image), image)[None]
