"""Penalties that the user subtracts: distances from a constant, roughness, opacity.

The weights given here suit a unit whose value reaches 1, in a picture of about 100 x 100 pixels. They grow with the
value (those of InceptionV1 reach hundreds) and, for penalties that are sums, decrease with the number of pixels.

Args:
    activations: Address to activations.
    layer: The address of the map; the image where left out.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor
from torch.nn import functional

from lucidtorch.base.checks import AtLeastOne, Count, NotNegative
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import PLANE
from lucidtorch.objectives.algebra import Activations
from lucidtorch.objectives.references import INPUT
from lucidtorch.objectives.selection import MAP_AXES, root
from lucidtorch.objectives.term import objective

RIM_WEIGHT = 0.5  # Lucid: of the outermost taps of a blur kernel; those inside have the weight 1
NARROW, BROAD = 3, 5  # Lucid: the kernel sizes of `blur_input` and of `boundary_complexity`
GREY_SHARE = 0.8  # Lucid: the weight of the distance from grey at the boundary
WITH_OPACITY = (2, 4)  # the numbers of channels of a grey and of a colour picture with opacity


@objective
def L1(activations: Activations, layer: str = INPUT, constant: float = 0) -> Tensor:
    """The sum of absolute distances from a constant: subtract it to keep a picture near that value.

    Weights of 1e-5 to 1e-4; with larger ones, only the constant remains.

    Formula: sum of |a - constant|.
    Source: Lucid's `L1`.

    Args:
        constant: The reference value; 0.5 is the grey of an image.
    """
    return (activations[layer] - constant).abs().flatten(1).sum(1)


@objective
def L2(activations: Activations, layer: str = INPUT, constant: float = 0, epsilon: float = 1e-6) -> Tensor:
    """The Euclidean distance from a constant: subtract it to keep a picture near that value.

    Weights of 0.003 to 0.01; with larger ones, only the constant remains.

    Formula: sqrt(epsilon + sum of (a - constant)^2).
    Source: Lucid's `L2`.

    Args:
        constant: The reference value; 0.5 is the grey of an image.
        epsilon: Added under the root, so that the gradient is finite at distance 0 (Lucid's 1e-6).
    """
    return (epsilon + (activations[layer] - constant).square().flatten(1).sum(1)).sqrt()


@objective
def Lp(activations: Activations, layer: str = INPUT, p: AtLeastOne = 6, constant: float = 0) -> Tensor:
    """The mean distance from a constant with power p: subtract it to reduce the peaks of a picture.

    The mean makes it independent of the number of values: p = 1 is the mean absolute distance, p = 2 the root of the
    mean square, and a large p approximates `Linf`. Weights of about 1 for an image, with the constant 0.5.

    Formula: (mean of |a - constant|^p)^(1/p).
    Source: tf-keras-vis's `Norm`, with the p of keras-vis.

    Args:
        p: The power, 1 or more.
        constant: The reference value; 0.5 is the grey of an image.

    Raises:
        ObjectiveError: The power is below 1.
    """
    distances = (activations[layer] - constant).abs().flatten(1)
    largest = distances.detach().amax(1)
    unit = torch.where(largest > 0, largest, 1)  # normalized, so that high powers do not overflow
    return unit * root((distances / unit[:, None]).pow(p).mean(1), p)


@objective
def Linf(activations: Activations, layer: str = INPUT, constant: float = 0) -> Tensor:
    """The largest distance from a constant: subtract it to reduce the highest peak of a picture.

    Only one value has a gradient at each step, so it is slow. Weights of 1 to 10 for an image, with the constant 0.5.

    Formula: maximum of |a - constant|.
    Source: Xplique's `l_inf_reg`; keras-vis's `LPNorm` with an infinite p.

    Args:
        constant: The reference value; 0.5 is the grey of an image.
    """
    return (activations[layer] - constant).abs().flatten(1).amax(1)


@objective
def alpha_norm(activations: Activations, layer: str = INPUT, alpha: AtLeastOne = 6, mean: float = 0.5) -> Tensor:
    """The sum of high powers of the distances from a mean: subtract it to keep a picture's values in a range.

    Weights of 0.1 to 1.

    Formula: sum of |a - mean|^alpha.
    Source: Mahendran and Vedaldi 2015, who subtract the mean of the training pictures first, with alpha = 6.

    Args:
        alpha: The power, 1 or more.
        mean: The reference value; by default the grey of an image.

    Raises:
        ObjectiveError: The power is below 1.
    """
    return (activations[layer] - mean).abs().pow(alpha).flatten(1).sum(1)


@objective
def contrast_bound(
    activations: Activations, layer: str = INPUT, bound: NotNegative = 0.45, constant: float = 0.5
) -> Tensor:
    """How far values exceed a band around grey: subtract it to bound the contrast of a picture.

    Weights of 0.01 to 0.1, and bounds of 0.2 for low contrast.

    Formula: sum of max(0, |a - constant| - bound)^2.
    Source: lucidtorch's own: a soft form of the bounded range of Mahendran and Vedaldi 2016, with OmniXAI's band
        0.05 to 0.95.

    Args:
        bound: Half the width of the band, 0 or more.
        constant: The centre of the band; by default the grey of an image.

    Returns:
        `[B]`; 0 where no value exceeds the band.

    Raises:
        ObjectiveError: The band has a negative width.
    """
    beyond = ((activations[layer] - constant).abs() - bound).clamp(min=0)
    return beyond.square().flatten(1).sum(1)


@objective
def total_variation(activations: Activations, layer: str = INPUT) -> Tensor:
    """The total variation, the sum of absolute differences of neighbours: subtract it for a smoother picture.

    In clips and volumes, the differences from frame to frame count too. Weights of about 1e-4 (Lucid's notebooks use
    0.25 on InceptionV1).

    Formula: sum of |a[y + 1, x] - a[y, x]| + sum of |a[y, x + 1] - a[y, x]|, over all channels.
    Source: Lucid's `total_variation`.

    Raises:
        ObjectiveError: The layer has no positions.
    """
    values = _map_of(activations, layer, "total_variation")
    along = [values.diff(dim=axis).abs().flatten(1).sum(1) for axis in range(2, values.ndim)]
    return torch.stack(along).sum(0)


@objective
def tv_beta(activations: Activations, layer: str = INPUT, beta: AtLeastOne = 2) -> Tensor:
    """The total variation with power beta: subtract it for a smoother picture, with a large beta to avoid sharp edges.

    The last row and the last column are left out. In clips and volumes, the squared difference to the next frame is
    added. Weights of 1e-3 to 1e-2.

    Formula: sum of ((a[y, x + 1] - a[y, x])^2 + (a[y + 1, x] - a[y, x])^2)^(beta/2), over all channels.
    Source: Mahendran and Vedaldi 2015; keras-vis's `TotalVariation`.

    Args:
        beta: The power, 1 or more; 1 is the norm of the gradient, and 2 its square.

    Raises:
        ObjectiveError: The layer has no positions, or the power is below 1.
    """
    values = _map_of(activations, layer, "tv_beta")
    axes = range(2, values.ndim)
    steps = torch.zeros_like(_without_last(values, axes))
    for axis in axes:
        across = [other for other in axes if other != axis]
        steps = steps + _without_last(values, across).diff(dim=axis).square()
    return root(steps, 2 / beta).flatten(1).sum(1)


@objective
def blur_input(activations: Activations, layer: str = INPUT) -> Tensor:
    """The squared distance of a picture to its blurred version: with the weight k, a step moves it by k to the blur.

    The blur is the weighted mean of 3 x 3 pixels, with the weight 1 in the centre and 0.5 around it; pixels outside the
    picture do not count. It is constant in the gradient, which is the difference itself. Weights of about 0.01.

    Formula: 1/2 sum of (a - blur(a))^2, without a gradient through blur(a).
    Source: Lucid's `blur_input_each_step`.

    Raises:
        ObjectiveError: The layer has no positions.
    """
    return _distance_to_blur(_map_of(activations, layer, "blur_input"))


@objective
def boundary_complexity(
    activations: Activations, layer: str = INPUT, width: Count = 20, constant: float = 0.5
) -> Tensor:
    """The roughness and contrast near the border of a picture: subtract it for pictures that fade to grey there.

    The blur is the weighted mean of 5 x 5 pixels, with the weight 1 inside and 0.5 in the outermost ring. Weights of
    0.01 to 0.1.

    Formula: sum over pixels nearer than width to an edge of (blur(a) - a)^2 + 0.8 (a - constant)^2.
    Source: Lucid's `penalize_boundary_complexity`, with the sign turned.

    Args:
        width: The width of the border in pixels, 1 or more.
        constant: The value that the border should have; by default the grey of an image.

    Raises:
        ObjectiveError: The layer has no positions, or the width is no whole number from 1.
    """
    values = _map_of(activations, layer, "boundary_complexity")
    border = torch.ones_like(values[:1, :1])
    border[..., width:-width, width:-width] = 0
    found = (blurred(values, BROAD) - values).square() + GREY_SHARE * (values - constant).square()
    return (found * border).flatten(1).sum(1)


@objective
def alpha_coverage(activations: Activations, layer: str = INPUT) -> Tensor:
    """The mean opacity of a picture: subtract it to keep only what the unit needs.

    Weights of about a third of the unit's value.

    Formula: mean over positions of the last channel.
    Source: Lucid's notebook on transparency.

    Args:
        layer: The address of the picture, which has 2 or 4 channels.

    Returns:
        `[B]`, from 0 (transparent) to 1.

    Raises:
        ObjectiveError: The picture has no opacity channel.
    """
    return _opacity(activations, layer, "alpha_coverage").flatten(1).mean(1)


@objective
def blur_alpha(activations: Activations, layer: str = INPUT) -> Tensor:
    """The squared distance of a picture's opacity to its blurred version: subtract it for soft outlines.

    As `blur_input`, on the last channel alone, with similar weights.

    Formula: 1/2 sum of (o - blur(o))^2 over the last channel o, without a gradient through blur(o).
    Source: Lucid's `blur_alpha_each_step`.

    Args:
        layer: The address of the picture, which has 2 or 4 channels.

    Raises:
        ObjectiveError: The picture has no opacity channel.
    """
    return _distance_to_blur(_opacity(activations, layer, "blur_alpha"))


def _map_of(activations: Activations, layer: str, word: str) -> Tensor:
    """Look up activations that must be maps."""
    values = activations[layer]
    if values.ndim < MAP_AXES:
        raise ObjectiveError(f"`{word}` needs a map [B, C, H, W], but {shown(layer)} has no positions; use L1 or L2.")
    return values


def _distance_to_blur(values: Tensor) -> Tensor:
    """Compute half the squared distance of maps to their blur, which is constant in the gradient."""
    return 0.5 * (values - blurred(values, NARROW).detach()).square().flatten(1).sum(1)


def blurred(values: Tensor, width: int) -> Tensor:
    """Blur each plane as Lucid does; pixels beyond its edges do not count."""
    taps = torch.full((1, 1, width, width), RIM_WEIGHT, dtype=values.dtype, device=values.device)
    taps[..., 1:-1, 1:-1] = 1
    planes = values.reshape(-1, 1, *values.shape[-PLANE:])
    weights = functional.conv2d(torch.ones_like(planes[:1]), taps, padding=width // 2)
    return (functional.conv2d(planes, taps, padding=width // 2) / weights).reshape(values.shape)


def _without_last(values: Tensor, axes: Sequence[int]) -> Tensor:
    for axis in axes:
        values = values.narrow(axis, 0, values.shape[axis] - 1)
    return values


def _opacity(activations: Activations, layer: str, word: str) -> Tensor:
    """Select the opacity channel, the last one."""
    values = _map_of(activations, layer, word)
    if values.shape[1] not in WITH_OPACITY:
        raise ObjectiveError(
            f"`{word}` needs pictures with opacity, 2 or 4 channels, but {shown(layer)} has {values.shape[1]}; "
            f"write a param with alpha=True."
        )
    return values[:, -1:]
