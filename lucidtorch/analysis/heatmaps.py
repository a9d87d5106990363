"""Class activation maps: where in a picture lies what a score depends on, read off one layer and its gradients."""

from __future__ import annotations

from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from lucidtorch.base.checks import Maps, checked
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.sizes import Side

MAP_AXES = 4  # `[B, C, h, w]`


@checked
def grad_cam(activations: Maps, gradients: Maps) -> Tensor:
    """Add up a layer's channels, each weighed by how much the score rises with it on average over the map.

    Formula: ReLU(Σ_c w_c · A_c), with w_c the mean over all places of ∂score/∂A_c.
    Source: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization" (2017).

    Args:
        activations: `[B, C, h, w]` of the layer.
        gradients: `[B, C, h, w]`: the score's gradient to them.

    Returns:
        `[B, h, w]` from 0 up.

    Raises:
        BadInputError: The two are not of one shape `[B, C, h, w]`.

    Example:
        >>> import torch
        >>> activations = torch.tensor([[[[1.0, 2.0]], [[3.0, 0.0]]]])
        >>> gradients = torch.tensor([[[[2.0, 0.0]], [[-1.0, 0.0]]]])
        >>> grad_cam(activations, gradients).tolist()
        [[[0.0, 2.0]]]
    """
    _check(activations, gradients)
    return (gradients.mean((2, 3), keepdim=True) * activations).sum(1).relu()


@checked
def grad_cam_plus_plus(activations: Maps, gradients: Maps) -> Tensor:
    """Add up a layer's channels by Grad-CAM++, which counts each place where a channel helps, not the mean over all.

    The paper explains Y = exp(S) of the score S, whose higher derivatives are exp(S) · g² and exp(S) · g³ where S
    is linear in the layer, with g = ∂S/∂A. They stand in the place of its second and third derivative, as there. The
    factor exp(S) cancels in α, and is left out of w, where it would scale the whole map and nothing else.

    Formula: ReLU(Σ_c w_c · A_c), with w_c = Σ_ij α_cij · ReLU(g_cij) and
        α_cij = g_cij² / (2 g_cij² + (Σ_ab A_cab) · g_cij³); α is 0 where g or the denominator is.
    Source: Chattopadhay et al., "Grad-CAM++: Generalized Gradient-based Visual Explanations for Deep Convolutional
        Networks" (2018), equation 19.

    Args:
        activations: `[B, C, h, w]` of the layer; from 0 up, as behind a ReLU, for the formula to mean what it says.
        gradients: `[B, C, h, w]`: the score's gradient to them.

    Returns:
        `[B, h, w]` from 0 up.

    Raises:
        BadInputError: The two are not of one shape `[B, C, h, w]`.

    Example:
        >>> import torch
        >>> grad_cam_plus_plus(torch.tensor([[[[1.0, 1.0]]]]), torch.tensor([[[[1.0, 0.0]]]])).tolist()
        [[[0.25, 0.25]]]
    """
    _check(activations, gradients)
    below = 2 + activations.sum((2, 3), keepdim=True) * gradients  # numerator and denominator divided by g²
    share = torch.where(below == 0, 0, 1 / torch.where(below == 0, 1, below))
    weights = (share * gradients.relu()).sum((2, 3), keepdim=True)
    return (weights * activations).sum(1).relu()


@checked
def layer_cam(activations: Maps, gradients: Maps) -> Tensor:
    """Add up a layer's channels, each weighed at each place by how much the score rises with it just there.

    Of the three it keeps the most of where things are, and so can be read off shallower layers too.

    Formula: ReLU(Σ_c ReLU(g_c) · A_c) at each place, with g = ∂score/∂A.
    Source: Jiang et al., "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization" (2021).

    Args:
        activations: `[B, C, h, w]` of the layer.
        gradients: `[B, C, h, w]`: the score's gradient to them.

    Returns:
        `[B, h, w]` from 0 up.

    Raises:
        BadInputError: The two are not of one shape `[B, C, h, w]`.

    Example:
        >>> import torch
        >>> layer_cam(torch.tensor([[[[3.0, 5.0]]]]), torch.tensor([[[[2.0, -1.0]]]])).tolist()
        [[[6.0, 0.0]]]
    """
    _check(activations, gradients)
    return (gradients.relu() * activations).sum(1).relu()


@checked
def upscaled(maps: Annotated[Tensor, "b h w"], size: tuple[Side, Side]) -> Tensor:
    """Spread maps over a picture: bilinearly, with each cell of a map as an even share of the picture.

    Cells are areas and not points (``align_corners=False``), so the outermost half cell is level.

    Args:
        maps: `[B, h, w]`.
        size: Height and width of the picture.

    Returns:
        `[B, H, W]`.

    Raises:
        BadInputError: The maps are of another shape.
    """
    if maps.ndim != MAP_AXES - 1:
        raise BadInputError(f"Maps are [B, h, w], but {list(maps.shape)} was given.")
    return F.interpolate(maps[:, None], size, mode="bilinear", align_corners=False)[:, 0]


def _check(activations: Tensor, gradients: Tensor) -> None:
    if activations.ndim != MAP_AXES or activations.shape != gradients.shape:
        raise BadInputError(
            f"A class activation map needs activations and gradients of one shape [B, C, h, w], but "
            f"{list(activations.shape)} and {list(gradients.shape)} were given; take a layer with rows and columns."
        )
