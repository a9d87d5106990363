"""Measures of the values of a picture: how often each stands in it, and how extreme they are."""

from __future__ import annotations

from typing import Annotated

import torch
from torch import Tensor

from lucidtorch.base.checks import Picture, Within, checked
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.shown import shown

PICTURE_AXES = 3
NEAR = 0.05  # of a bound, of the whole range
COLOURS = 3
EVEN = 1e-9  # what rounding leaves of an even picture when its mean is taken away


@checked
def histogram(image: Picture, bins: Annotated[int, Within(1, 65536)] = 64) -> Tensor:
    """Count how often each value stands in a picture.

    Args:
        image: `[C, H, W]` in [0, 1].
        bins: How many equal parts [0, 1] is cut into; 1 itself falls into the last.

    Returns:
        `[C, bins]` in float64: shares that add up to 1 for each channel.

    Raises:
        BadInputError: It is no picture `[C, H, W]`, or there are no bins.
    """
    check_picture(image)
    if bins < 1:
        raise BadInputError(f"A histogram needs 1 bin or more, but {shown(bins)} was given.")
    places = (image.detach().cpu().double() * bins).long().clamp(0, bins - 1).flatten(1)
    counts = torch.stack([torch.bincount(channel, minlength=bins) for channel in places])
    return counts.double() / places.shape[1]


@checked
def extreme_share(image: Picture, margin: float = NEAR) -> float:
    """Say how much of a picture is nearly as dark or as bright as can be.

    Args:
        image: `[C, H, W]` in [0, 1].
        margin: How near to 0 or 1 that is.

    Returns:
        The share of its numbers that are at most `margin` from 0 or from 1.

    Raises:
        BadInputError: It is no picture `[C, H, W]`.
    """
    check_picture(image)
    values = image.double()
    return float(((values <= margin) | (values >= 1 - margin)).double().mean())


@checked
def saturation(image: Picture) -> float:
    """Say how far a picture's colours are from grey.

    Formula: the mean over pixels of (largest - smallest) / largest of the three colours, 0 for black: the saturation of
        the HSV colours.

    Args:
        image: `[3, H, W]` in [0, 1]; any picture of other channels counts as grey.

    Returns:
        From 0 to 1.

    Raises:
        BadInputError: It is no picture `[C, H, W]`.
    """
    check_picture(image)
    if len(image) != COLOURS:
        return 0.0
    high, low = image.double().amax(0), image.double().amin(0)
    return float(torch.where(high > 0, (high - low) / high.clamp(min=torch.finfo(high.dtype).tiny), 0).mean())


def centred(image: Tensor) -> Tensor:
    """Take the mean of each channel away."""
    check_picture(image)
    values = image.detach().cpu().double()
    found = values - values.mean((-2, -1), keepdim=True)
    return torch.where(found.abs().amax((-2, -1), keepdim=True) > EVEN, found, 0)


def check_picture(image: Tensor) -> None:
    """Make sure that something has the shape of a picture."""
    if image.ndim != PICTURE_AXES or not image.numel():
        raise BadInputError(f"A picture [C, H, W] is measured here, but {list(image.shape)} was given.")
