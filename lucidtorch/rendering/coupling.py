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


def coupling_of(goal: Objective, pipeline: Pipeline, activations: Mapping[str, Tensor]) -> Coupling:
    """Find out how images hang together, by changing the activations of some and looking at the others' values.

    Every term is tried by itself, so that no weight, sign or limit around it hides anything. Any two images differ in
    a binary digit of their places: for each digit, those that have it change once, and those that have it not change
    once.
    """
    terms = list(dict.fromkeys(node for node in goal.walk() if isinstance(node, Term)))
    if not pipeline.is_text or looks_inside(goal):
        return Coupling.UNDIVIDED
    if any(term.definition.remembers for term in terms):
        return Coupling.TOGETHER
    batch = max(len(one) for one in activations.values())
    source = torch.Generator().manual_seed(0)
    fixed = {name: one for name, one in activations.items() if len(one) < batch}  # of one picture for all images
    drawn = {name: _two_for_each(one, source) for name, one in activations.items() if len(one) == batch}
    with torch.no_grad():
        before = [term(fixed | {name: one[:batch] for name, one in drawn.items()}) for term in terms]
        for digit in range((batch - 1).bit_length()):
            has_it = torch.arange(batch) >> digit & 1 == 1
            for changed in (has_it, ~has_it):
                rows = torch.arange(batch) + batch * changed
                mixed = fixed | {name: one[rows] for name, one in drawn.items()}
                for term, known in zip(terms, before, strict=True):
                    if not torch.equal(known[~changed].nan_to_num(), term(mixed)[~changed].nan_to_num()):
                        return Coupling.TOGETHER
    return Coupling.APART


def looks_inside(goal: Objective) -> bool:
    """Say whether an objective takes gradients of one layer to another."""
    return any(isinstance(node, Term) and node.name == facet.__name__ for node in goal.walk())


def _two_for_each(values: Tensor, source: torch.Generator) -> Tensor:
    """Noise of a shape, and behind it another for each image."""
    noise = torch.rand(2 * len(values), *values.shape[1:], generator=source)
    return noise.to(values.device, values.dtype)
