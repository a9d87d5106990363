"""Heat maps of the image regions that a score depends on, by class activation maps and by occlusion."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from lucidtorch.base.checks import Count, Maps, Picture, checked
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import Side


@checked
def grad_cam(activations: Maps, gradients: Maps) -> Tensor:
    """Sum a layer's channels, weighted by the score's gradient averaged over the map (Grad-CAM).

    Formula: map = ReLU(Σ_c w_c · A_c), `[B, h, w]`, with w_c the mean over all places of ∂score/∂A_c.
    Source: Selvaraju et al., "Grad-CAM: Visual Explanations from Deep Networks via Gradient-based Localization" (2017).

    Args:
        activations: `[B, C, h, w]` of the layer.
        gradients: `[B, C, h, w]`: the score's gradient to them.

    Example:
        >>> import torch
        >>> activations = torch.tensor([[[[1.0, 2.0]], [[3.0, 0.0]]]])
        >>> gradients = torch.tensor([[[[2.0, 0.0]], [[-1.0, 0.0]]]])
        >>> grad_cam(activations, gradients).tolist()
        [[[0.0, 2.0]]]
    """
    _check_shapes(activations, gradients)
    return (gradients.mean((2, 3), keepdim=True) * activations).sum(1).relu()


@checked
def grad_cam_plus_plus(activations: Maps, gradients: Maps) -> Tensor:
    """Sum a layer's channels by Grad-CAM++, which weights each position where a channel raises the score.

    The paper explains Y = exp(S) of the score S, whose second and third derivatives are exp(S) · g² and exp(S) · g³ if
    S is linear in the layer, with g = ∂S/∂A. The factor exp(S) cancels in α, and is left out of w, where it would only
    scale the whole map.

    Formula: map = ReLU(Σ_c w_c · A_c), `[B, h, w]`, with w_c = Σ_ij α_cij · ReLU(g_cij) and
        α_cij = g_cij² / (2 g_cij² + (Σ_ab A_cab) · g_cij³); α is 0 where g or the denominator is.
    Source: Chattopadhay et al., "Grad-CAM++: Generalized Gradient-based Visual Explanations for Deep Convolutional
        Networks" (2018), equation 19.

    Args:
        activations: `[B, C, h, w]` of the layer; not negative, as after a ReLU, for the formula to hold.
        gradients: `[B, C, h, w]`: the score's gradient to them.

    Example:
        >>> import torch
        >>> grad_cam_plus_plus(torch.tensor([[[[1.0, 1.0]]]]), torch.tensor([[[[1.0, 0.0]]]])).tolist()
        [[[0.25, 0.25]]]
    """
    _check_shapes(activations, gradients)
    below = 2 + activations.sum((2, 3), keepdim=True) * gradients  # numerator and denominator divided by g²
    share = torch.where(below == 0, 0, 1 / torch.where(below == 0, 1, below))
    weights = (share * gradients.relu()).sum((2, 3), keepdim=True)
    return (weights * activations).sum(1).relu()


@checked
def layer_cam(activations: Maps, gradients: Maps) -> Tensor:
    """Sum a layer's channels, weighted at each position by the score's gradient there (LayerCAM).

    Of the three methods it has the finest localization, and is suitable for shallow layers too.

    Formula: map = ReLU(Σ_c ReLU(g_c) · A_c), `[B, h, w]`, with g = ∂score/∂A.
    Source: Jiang et al., "LayerCAM: Exploring Hierarchical Class Activation Maps for Localization" (2021).

    Args:
        activations: `[B, C, h, w]` of the layer.
        gradients: `[B, C, h, w]`: the score's gradient to them.

    Example:
        >>> import torch
        >>> layer_cam(torch.tensor([[[[3.0, 5.0]]]]), torch.tensor([[[[2.0, -1.0]]]])).tolist()
        [[[6.0, 0.0]]]
    """
    _check_shapes(activations, gradients)
    return (gradients.relu() * activations).sum(1).relu()


@checked
def upscaled(maps: Annotated[Tensor, "b h w"], size: tuple[Side, Side]) -> Tensor:
    """Upsample maps bilinearly to a picture's size, `[B, H, W]` (``align_corners=False``).

    Args:
        maps: `[B, h, w]`.
        size: Height and width of the picture.
    """
    return F.interpolate(maps[:, None], size, mode="bilinear", align_corners=False)[:, 0]


def _check_shapes(activations: Tensor, gradients: Tensor) -> None:
    if activations.shape != gradients.shape:
        raise BadInputError(
            f"A class activation map needs activations and gradients of one shape [B, C, h, w], but "
            f"{list(activations.shape)} and {list(gradients.shape)} were given; take a layer with rows and columns."
        )


@dataclass(frozen=True, eq=False)
class Occlusion:
    """The effect of occluding parts of a picture on scores.

    Args:
        clean: `[T]`: the scores of the whole picture.
        places: Row and column of the upper left corner of each patch, row by row.
        drops: `[T, P]`: the decrease of each score by each patch; negative for an increase.
        maps: `[T, H, W]`: at each pixel, the mean of the drops over the patches that cover it.
    """

    clean: Tensor
    places: tuple[tuple[int, int], ...]
    drops: Tensor
    maps: Tensor


@checked
def occlusion_maps(
    score: Callable[[Tensor], Tensor],
    image: Picture,
    *,
    patch: Count,
    stride: Count,
    fill: Sequence[float] | Tensor,
    batch: Count = 8,
) -> Occlusion:
    """Slide a patch of one colour over a picture, and map the decrease of scores at its positions.

    Formula: map[y, x] = mean over the patches p that cover (x, y) of score(image) − score(image under p).
    Source: Zeiler & Fergus, "Visualizing and Understanding Convolutional Networks" (2014), section 4.2, with a grey
        patch; they map the score itself.

    Args:
        score: Maps images `[B, C, H, W]` to scores `[B, T]`, each image independently.
        image: `[C, H, W]` in [0, 1].
        patch: The side of the patch in pixels.
        stride: The distance between positions of the patch in pixels; at most `patch`, so that every pixel is covered.
            The last position in each direction is at the border, possibly at a smaller distance.
        fill: The colour of the patch, one number per channel in [0, 1].
        batch: The batch size.

    Returns:
        The scores, the drops and the maps, in float64.

    Example:
        >>> import torch
        >>> left = lambda images: images[:, 0, :, :1].sum((1, 2))[:, None]
        >>> found = occlusion_maps(left, torch.ones(1, 2, 4), patch=2, stride=2, fill=[0.0])
        >>> found.maps.tolist()
        [[[2.0, 2.0, 0.0, 0.0], [2.0, 2.0, 0.0, 0.0]]]
    """
    _check_patch(image, patch, stride)
    colour = torch.as_tensor(fill, dtype=image.dtype, device=image.device)
    if colour.shape != (len(image),):
        raise BadInputError(f"fill has one number for each of {len(image)} channels, but {shown(fill)} was given.")
    places = patch_places((image.shape[1], image.shape[2]), patch, stride)
    size = min(batch, len(places))
    whole = image.repeat(size, 1, 1, 1)
    clean = score(whole)[0].detach().cpu().double()
    found = [clean.new_zeros(0, len(clean))]
    for start in range(0, len(places), size):
        own = places[start : start + size]
        images = _occluded(whole, own, patch, colour)  # a constant batch size, for equal rounding
        found.append(score(images)[: len(own)].detach().cpu().double())
    drops = (clean - torch.cat(found)).T.contiguous()
    return Occlusion(clean, places, drops, _averaged(drops, places, patch, (image.shape[1], image.shape[2])))


@checked
def patch_places(sides: tuple[Side, Side], patch: Count, stride: Count) -> tuple[tuple[int, int], ...]:
    """List the positions of a sliding patch.

    Args:
        sides: Height and width of the picture.
        patch: The side of the patch.
        stride: The distance between positions.

    Returns:
        Row and column of the upper left corner at each position, row by row; the last ones are at the borders.

    Example:
        >>> patch_places((3, 6), 3, 2)
        ((0, 0), (0, 2), (0, 3))
    """
    rows, columns = (sorted({*range(0, side - patch + 1, stride), side - patch}) for side in sides)
    return tuple((row, column) for row in rows for column in columns)


def _occluded(whole: Tensor, places: Sequence[tuple[int, int]], patch: int, colour: Tensor) -> Tensor:
    """Occlude copies of the picture by one patch each; further copies fill the batch."""
    found = whole.clone()
    for one, (row, column) in zip(found, places, strict=False):
        one[:, row : row + patch, column : column + patch] = colour[:, None, None]
    return found


def _averaged(drops: Tensor, places: Sequence[tuple[int, int]], patch: int, sides: tuple[int, int]) -> Tensor:
    """Average the drops at each pixel over the patches that cover it."""
    total, count = drops.new_zeros(len(drops), *sides), drops.new_zeros(sides)
    for drop, (row, column) in zip(drops.T, places, strict=True):
        area = (..., slice(row, row + patch), slice(column, column + patch))
        total[area] += drop[:, None, None]
        count[area] += 1
    return total / count


def _check_patch(image: Tensor, patch: int, stride: int) -> None:
    shorter = min(image.shape[1:])
    if patch > shorter:
        raise BadInputError(f"A patch of {patch} pixels does not fit into a side of {shorter}; write a smaller one.")
    if stride > patch:
        raise BadInputError(f"A stride of {stride} leaves pixels between patches of {patch}; write at most {patch}.")
