"""Heat maps laid over their pictures, and the legend of their colours."""

from __future__ import annotations

import torch
from torch import Tensor

from lucidtorch.analysis.overlays import in_grey
from lucidtorch.analysis.tones import toned
from lucidtorch.base.checks import Picture, Plane, checked
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.surroundings import pinned

BARE = 0.75  # how bright the grey picture is where there is no heat
STRONGEST = 0.85  # how opaque the colour is where the heat is greatest
RAMP = 0.5  # the power with which opacity grows with the heat
PICTURE_AXES = 3
LEGEND_SIZE = (16, 320)
LEGEND_GROUND = 0.5


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
    if image.ndim != PICTURE_AXES or len(image) not in (1, 3) or heat.shape != image.shape[1:]:
        raise BadInputError(
            f"A heat map needs an image [1, H, W] or [3, H, W] and a map [H, W], but {list(image.shape)} and "
            f"{list(heat.shape)} were given."
        )
    values = scaled_heat(heat).to(image.dtype)
    opacity = STRONGEST * values**RAMP
    grey = in_grey(image)[0]
    return (opacity * toned(values, signed=False, tones="heat") + (1 - opacity) * BARE * grey).clamp(0, 1)


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
