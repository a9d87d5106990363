"""Whether the images of a render can be computed apart, a few at a time."""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum

import torch
from torch import Tensor

from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.facets import facet
from lucidtorch.objectives.term import Term
from lucidtorch.transforms.transform import Pipeline


class Coupling(StrEnum):
    """How the images of a batch hang together.

    APART: the value of each image depends on that image alone. TOGETHER: the objective compares images, so that all
    activations must be there before any gradient. UNDIVIDED: they can only go through the network all at once.
    """

    APART = "apart"
    TOGETHER = "together"
    UNDIVIDED = "undivided"


def strongest_coupling(goal: Objective, pipeline: Pipeline) -> Coupling:
    """Say how images may hang together, as far as that is known without numbers.

    Args:
        goal: The objective, class names looked up.
        pipeline: What the images go through; other people's functions may mix images.

    Returns:
        `UNDIVIDED` or `TOGETHER`.
    """
    looks_inside = any(isinstance(node, Term) and node.name == facet.__name__ for node in goal.walk())
    return Coupling.UNDIVIDED if looks_inside or not pipeline.is_text else Coupling.TOGETHER


def coupling_of(goal: Objective, pipeline: Pipeline, activations: Mapping[str, Tensor]) -> Coupling:
    """Find out how images hang together, by changing the activations of some and looking at the others' values.

    Any two images differ in a binary digit of their places: for each digit, those that have it change once, and those
    that have it not change once.

    Args:
        goal: The objective, class names looked up.
        pipeline: What the images go through.
        activations: Of the right shapes, by address; `[B, ...]` each.

    Returns:
        The coupling.
    """
    strongest = strongest_coupling(goal, pipeline)
    remembers = any(isinstance(node, Term) and node.definition.remembers for node in goal.walk())
    if strongest is Coupling.UNDIVIDED or remembers:
        return strongest
    batch = len(next(iter(activations.values())))
    source = torch.Generator().manual_seed(0)
    drawn = [{name: _noise_like(one, source) for name, one in activations.items()} for _ in range(2)]
    with torch.no_grad():
        before = goal(drawn[0])
        for digit in range((batch - 1).bit_length()):
            has_it = (torch.arange(batch, device=before.device) >> digit & 1).bool()
            for changed in (has_it, ~has_it):
                after = goal({name: _mixed(one, drawn[1][name], changed) for name, one in drawn[0].items()})
                if not torch.equal(before[~changed].nan_to_num(), after[~changed].nan_to_num()):
                    return Coupling.TOGETHER
    return Coupling.APART


def _noise_like(values: Tensor, source: torch.Generator) -> Tensor:
    """Draw numbers of a shape, one per channel and image, so that large maps cost nothing."""
    few = torch.rand(*values.shape[:2], *(1 for _ in values.shape[2:]), generator=source)
    return few.to(values.device, values.dtype).expand(values.shape)


def _mixed(values: Tensor, others: Tensor, changed: Tensor) -> Tensor:
    return torch.where(changed.reshape(-1, *(1 for _ in values.shape[1:])), others, values)
