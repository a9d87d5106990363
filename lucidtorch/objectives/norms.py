"""Objectives on how far values are from a constant: penalties that the user subtracts.

The weights that are named here suit a unit whose value reaches 1, in a picture of about 100 x 100 pixels. They grow
with the value (those of InceptionV1 reach hundreds) and, where a size is a sum, shrink with the number of pixels.
"""

from __future__ import annotations

import torch
from torch import Tensor

from lucidtorch.base.bounds import AtLeastOne, NotNegative
from lucidtorch.objectives.references import INPUT
from lucidtorch.objectives.term import objective
from lucidtorch.objectives.trace import Activations


@objective
def L1(activations: Activations, layer: str = INPUT, constant: float = 0) -> Tensor:
    """The sum of absolute distances from a constant: subtract it to keep a picture near that value.

    Weights of 1e-5 to 1e-4; above, only the constant is left.

    Formula: sum of |a - constant|.
    Source: Lucid's `L1`.

    Args:
        activations: Address to activations.
        layer: The address of the map; the image where left out.
        constant: The value to measure from; 0.5 is the grey of an image.

    Returns:
        `[B]`.
    """
    return (activations[layer] - constant).abs().flatten(1).sum(1)


@objective
def L2(activations: Activations, layer: str = INPUT, constant: float = 0, epsilon: float = 1e-6) -> Tensor:
    """The Euclidean distance from a constant: subtract it to keep a picture near that value.

    Weights of 0.003 to 0.01; above, only the constant is left.

    Formula: sqrt(epsilon + sum of (a - constant)^2).
    Source: Lucid's `L2`.

    Args:
        activations: Address to activations.
        layer: The address of the map; the image where left out.
        constant: The value to measure from; 0.5 is the grey of an image.
        epsilon: Added under the root, so that the gradient is finite at distance 0 (Lucid's 1e-6).

    Returns:
        `[B]`.
    """
    return (epsilon + (activations[layer] - constant).square().flatten(1).sum(1)).sqrt()


@objective
def Lp(activations: Activations, layer: str = INPUT, p: AtLeastOne = 6, constant: float = 0) -> Tensor:
    """The mean distance from a constant, far values counting more: subtract it to take a picture's peaks down.

    The mean makes it independent of the number of values: p = 1 is the mean absolute distance, p = 2 the root of the
    mean square, and a large p comes near `Linf`. Weights of about 1 for an image, with the constant 0.5.

    Formula: (mean of |a - constant|^p)^(1/p).
    Source: tf-keras-vis's `Norm`, with the p of keras-vis.

    Args:
        activations: Address to activations.
        layer: The address of the map; the image where left out.
        p: The power, 1 or more.
        constant: The value to measure from; 0.5 is the grey of an image.

    Returns:
        `[B]`.

    Raises:
        ObjectiveError: The power is below 1.
    """
    distances = (activations[layer] - constant).abs().flatten(1)
    largest = distances.detach().amax(1)
    unit = torch.where(largest > 0, largest, 1)  # keeps high powers from leaving the range of the numbers
    return unit * root((distances / unit[:, None]).pow(p).mean(1), p)


@objective
def Linf(activations: Activations, layer: str = INPUT, constant: float = 0) -> Tensor:
    """The largest distance from a constant: subtract it to take a picture's highest peak down.

    Only one value gets a gradient at each step, so it is slow. Weights of 1 to 10 for an image, with the constant 0.5.

    Formula: maximum of |a - constant|.
    Source: Xplique's `l_inf_reg`; keras-vis's `LPNorm` with an infinite p.

    Args:
        activations: Address to activations.
        layer: The address of the map; the image where left out.
        constant: The value to measure from; 0.5 is the grey of an image.

    Returns:
        `[B]`.
    """
    return (activations[layer] - constant).abs().flatten(1).amax(1)


@objective
def alpha_norm(activations: Activations, layer: str = INPUT, alpha: AtLeastOne = 6, mean: float = 0.5) -> Tensor:
    """The sum of high powers of the distances from a mean: subtract it to keep a picture's values in a range.

    Weights of 0.1 to 1.

    Formula: sum of |a - mean|^alpha.
    Source: Mahendran and Vedaldi 2015, who take the mean of the training pictures away first; theirs is alpha = 6.

    Args:
        activations: Address to activations.
        layer: The address of the map; the image where left out.
        alpha: The power, 1 or more.
        mean: The value to measure from; the grey of an image where left out.

    Returns:
        `[B]`.

    Raises:
        ObjectiveError: The power is below 1.
    """
    return (activations[layer] - mean).abs().pow(alpha).flatten(1).sum(1)


@objective
def contrast_bound(
    activations: Activations, layer: str = INPUT, bound: NotNegative = 0.45, constant: float = 0.5
) -> Tensor:
    """How far values leave a band around grey: subtract it to bound a picture's contrast and leave the rest free.

    Weights of 0.01 to 0.1, and bounds of 0.2 for pale pictures.

    Formula: sum of max(0, |a - constant| - bound)^2.
    Source: lucidtorch's own: a soft form of the bounded range of Mahendran and Vedaldi 2016, with OmniXAI's band
        0.05 to 0.95.

    Args:
        activations: Address to activations.
        layer: The address of the map; the image where left out.
        bound: Half the width of the band, 0 or more.
        constant: The middle of the band; the grey of an image where left out.

    Returns:
        `[B]`; 0 where no value leaves the band.

    Raises:
        ObjectiveError: The band has a negative width.
    """
    beyond = ((activations[layer] - constant).abs() - bound).clamp(min=0)
    return beyond.square().flatten(1).sum(1)


def root(values: Tensor, degree: float = 2) -> Tensor:
    """Take the root of values from 0, with a zero gradient at 0."""
    return torch.where(values > 0, values, 1).pow(1 / degree) * (values > 0)
