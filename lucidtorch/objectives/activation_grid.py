"""Activation grids: for every position of a layer, the picture of what the network saw there."""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import Any

from torch import Tensor

from lucidtorch.base.arrays import Array, ImageLike
from lucidtorch.base.checks import checked
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.base.notation import format_call
from lucidtorch.objectives.algebra import Objective, Operand
from lucidtorch.objectives.directions import direction
from lucidtorch.objectives.references import checked_picture
from lucidtorch.objectives.trace import Activations, Trace

MAP_AXES = 4  # `[1, C, h, w]`


@dataclass(frozen=True, repr=False)
class Grid(Objective):
    """One direction per position of a layer, as a picture excites them; a render looks them up.

    Args:
        layer: The address of the layer.
        image: The picture, `[C, H, W]`.
        cossim_pow: The power of the cosine in every direction.

    Raises:
        ObjectiveError: The picture is more than one.
        ImageError: It is no picture.
    """

    layer: str
    image: Array
    cossim_pow: float = 0

    def __post_init__(self) -> None:
        if len(checked_picture(self.image).shape) == MAP_AXES:
            raise ObjectiveError(f"`grid` takes one picture [C, H, W], but {list(self.image.shape)} was given.")

    @property
    def own_layers(self) -> tuple[str, ...]:
        """The layer whose positions it shows."""
        return (self.layer,)

    def children(self) -> tuple[Operand, ...]:
        return ()

    def rebuilt(self, children: tuple[Any, ...]) -> Objective:
        return self

    def directions(self, values: Tensor) -> Objective:
        """Say what every picture of the grid follows."""
        if values.ndim != MAP_AXES:
            raise ObjectiveError(f"`grid` needs a layer with positions [B, C, H, W]; {self.layer!r} has none.")
        return direction(self.layer, values[0].flatten(1).T, cossim_pow=self.cossim_pow)

    def evaluate(self, activations: Activations, trace: Trace) -> Tensor:
        raise ObjectiveError(f"What `grid` shows is looked up in a network: give it to `render`. ({self!r:.80})")

    def __repr__(self) -> str:
        return format_call("grid", inspect.signature(grid), vars(self))


@checked
def grid(layer: str, image: ImageLike, cossim_pow: float = 0) -> Objective:
    """Give every position of a layer a picture of its own: what the network saw there in a given picture.

    Formula: image i maximizes mean over positions of a · v_i, with v_i the activations of the picture at position i.
    Source: the activation grids of "The Building Blocks of Interpretability" (Lucid).

    Args:
        layer: The address of the layer; of h x w positions for this picture.
        image: The picture, `[C, H, W]` in [0, 1].
        cossim_pow: The power of the cosine, as in `direction`; 1 or more makes the pictures differ more.

    Returns:
        The objective of h · w images, row by row.

    Raises:
        ImageError: It is no picture.
        ObjectiveError: There is more than one picture.

    Example:
        >>> import torch
        >>> grid("conv2_1", torch.full((1, 2, 2), 0.5))
        grid('conv2_1', [[[0.5, 0.5], [0.5, 0.5]]])
    """
    return Grid(layer, checked_picture(image), cossim_pow)
