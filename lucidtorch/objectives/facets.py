"""The faceted objective: a unit, with its gradient to a lower layer weighted by a linear probe."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

import torch
import torch.nn.functional as F
from torch import Tensor

from lucidtorch.base.arrays import Array, ArrayLike
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.objectives.algebra import Activations
from lucidtorch.objectives.selection import check_map, for_images, in_frames, match_vector
from lucidtorch.objectives.term import objective


@objective
def facet(
    activations: Activations,
    layer: str,
    layer_top: str,
    vector: ArrayLike,
    weights: Annotated[ArrayLike | None, "c h w"] = None,
    strength: float | Sequence[float] = 1,
) -> Tensor:
    """One facet of a unit: the features of a lower layer that activate it and belong to the theme of a linear probe.

    The lower layer is weighted by its positive gradient to the unit, and by a linear probe that separates the theme
    (faces, text, ...) from other images. It is the sum over positions, where `direction` is their mean: on a layer of
    twice the height and width it is four times as large, and needs a smaller strength. Add the unit's own objective,
    as in ``direction(top, v) + facet(layer, top, v, weights)``, because the facet is 0 while the unit is below zero.

    Formula: strength · sum over channels and positions of a · relu(g) · w, where g, held constant, is the gradient to
        layer's activations a of the sum over positions of relu(top)·v, top being layer_top's.
    Source: captum's `FacetLoss`, after "Multimodal neurons in artificial neural networks" (Goh et al. 2021).

    Args:
        activations: Address to activations; those of both layers are of one forward pass with gradients. With
            gradients disabled, g is zero.
        layer: The address of the lower layer, with C channels.
        layer_top: The address of the unit's layer, computed from the lower one, with K channels.
        vector: The unit as a direction of layer_top, K numbers; or `[B, K]`, one direction per image.
        weights: The probe: one weight per channel of the lower layer, C numbers; or maps `[C, h, w]`, or
            `[B, C, h, w]` for one per image, which are resized to the layer's (nearest). Ones if None.
        strength: The factor, or one per image.

    Raises:
        UnitError: The vector or the weights do not fit their layer.
        ObjectiveError: layer_top is not computed from layer, the gradients are not connected, or there are not as many
            directions, weights or factors as images.

    Example:
        >>> facet("conv3_1", "logits", [0, 1, 0], strength=0.5)
        facet('conv3_1', 'logits', [0, 1, 0], strength=0.5)
    """
    lower = activations[layer]
    slope = _slope(lower, activations[layer_top], vector, layer, layer_top)
    raising = lower * slope.clamp(min=0)
    if weights is not None:
        raising = raising * _probe(lower, weights, layer)
    return raising.flatten(1).sum(1) * _factor(lower, strength, layer)


def _slope(lower: Tensor, top: Tensor, vector: ArrayLike, layer: str, layer_top: str) -> Tensor:
    """Compute the gradient of the unit to the lower layer, as a constant; zero with gradients disabled."""
    target = match_vector(top, vector, layer_top)
    if not torch.is_grad_enabled():
        return torch.zeros_like(lower)
    # clamp, unlike relu, passes the gradient at 0: a dead ReLU layer can then be revived by the redirected gradient,
    # whose sign is that of a loss, which is why the loss is differentiated here
    loss = -(top.clamp(min=0) * target).sum()
    connected = lower.requires_grad and loss.requires_grad
    found = torch.autograd.grad(loss, lower, retain_graph=True, allow_unused=True)[0] if connected else None
    if found is None:
        raise ObjectiveError(
            f"`facet` needs the gradient of {layer_top!r} to {layer!r}, but the activations given for {layer_top!r} "
            f"were not computed from those of {layer!r}. Name the lower layer first, facet(layer, layer_top, vector), "
            f"give activations of one forward pass with gradients, or evaluate under torch.no_grad() to leave it out."
        )
    return -found


def _probe(lower: Tensor, weights: ArrayLike, layer: str) -> Tensor:
    """Reshape the weights to the lower layer; maps of another size are resized."""
    array = Array.of(weights)
    if len(array.shape) == 1:
        return match_vector(lower, array, layer, "weights")
    check_map(lower, layer)
    maps = for_images(lower, array, ("C", "h", "w"), layer, "maps of weights")
    resized = F.interpolate(maps, size=lower.shape[-2:], mode="nearest")
    return in_frames(resized, lower)


def _factor(lower: Tensor, strength: float | Sequence[float], layer: str) -> Tensor:
    factors = torch.tensor(strength, dtype=lower.dtype, device=lower.device)
    if factors.ndim == 1 and len(factors) != len(lower):
        raise ObjectiveError(
            f"{len(factors)} strengths were given for {len(lower)} images of {layer!r}; give one, or one per image."
        )
    return factors
