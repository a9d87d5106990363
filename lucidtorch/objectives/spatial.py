"""Objectives on where a layer is active: its maps are compared with given ones.

Args:
    activations: Address to activations.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from torch import Tensor

from lucidtorch.base.arrays import ArrayLike
from lucidtorch.objectives.algebra import Activations
from lucidtorch.objectives.selection import dot_cossim, match_maps, select_unit
from lucidtorch.objectives.term import unit_objective


@unit_objective
def spatial_channel(
    activations: Activations,
    layer: str,
    index: int | Sequence[int],
    target: Annotated[ArrayLike, "h w"],
    cossim_pow: float = 0,
) -> Tensor:
    """The product of one channel with a given map: active where the map is positive, and inactive where it is negative.

    With a power of the cosine the shape of the whole map counts, without it only the sum of the products. Where the
    layer's map and the given one differ in height or width, the larger is centre-cropped. In clips every frame is
    compared.

    Formula: (mean over positions of a[index] · m) · max(0.1, cos(a[index], m)) ** cossim_pow, with the cosine between
        the whole maps, Σ a · m / (1e-4 + |a|) / (1e-4 + |m|); the power 0 leaves it out.
    Source: faccent's `spatial_channel` and `spatial_channel_cosim`, for one channel, with Lucid's floor and epsilon.

    Args:
        layer: The address of the layer, with positions.
        index: The channel, from 0; or one channel per image.
        target: The map, `[h, w]`; or `[B, h, w]`, one map per image.
        cossim_pow: The power of the cosine; 0 leaves it out.

    Raises:
        UnitError: The layer has no positions or no such channel.
        ObjectiveError: There are not as many channels or maps as images.

    Example:
        >>> spatial_channel("conv2_1", 3, [[0.0, 1.0], [0.0, 0.0]])
        spatial_channel('conv2_1', 3, [[0.0, 1.0], [0.0, 0.0]])
    """
    values, wanted = match_maps(activations[layer], target, ("h", "w"), layer, "maps")
    return _agreement(select_unit(values, index, layer).unsqueeze(1), wanted, cossim_pow)


@unit_objective
def spatial_layer(
    activations: Activations, layer: str, target: Annotated[ArrayLike, "c h w"], cossim_pow: float = 0
) -> Tensor:
    """The product of all channels of a layer with given maps.

    Like `tensor_direction`, with the cosine taken between the whole layers and not at each position: the balance
    between the positions counts too. The larger map is cut down to its middle; in clips every frame is compared.

    Formula: (mean over positions of a·m) · max(0.1, cos(a, m)) ** cossim_pow, with the cosine over channels and
        positions together, Σ a · m / (1e-4 + |a|) / (1e-4 + |m|); the power 0 leaves it out.
    Source: faccent's `spatial_channel` and `spatial_channel_cosim`, with Lucid's floor and epsilon.

    Args:
        layer: The address of the layer, with C channels and positions.
        target: The maps, `[C, h, w]`; or `[B, C, h, w]`, maps of its own for each image.
        cossim_pow: The power of the cosine; 0 leaves it out.

    Raises:
        UnitError: The layer has no positions, or another number of channels.
        ObjectiveError: There are not as many sets of maps as images.
    """
    values, wanted = match_maps(activations[layer], target, ("C", "h", "w"), layer, "maps")
    return _agreement(values, wanted, cossim_pow)


def _agreement(values: Tensor, target: Tensor, power: float) -> Tensor:
    """Compare maps as whole vectors; the product is a mean over positions."""
    return dot_cossim(values.flatten(1), target.expand_as(values).flatten(1), power) / values[0, 0].numel()
