"""Objectives: what an image maximizes, as expressions that combine by arithmetic and print as they are typed."""

from lucidtorch.base.arrays import ImageLike
from lucidtorch.base.images import photo
from lucidtorch.objectives.algebra import Activations, Memory, Objective
from lucidtorch.objectives.directions import (
    channel_weight,
    direction,
    direction_neuron,
    localgroup_weight,
    neuron_weight,
    tensor_direction,
    whitened_direction,
)
from lucidtorch.objectives.facets import facet
from lucidtorch.objectives.images import each, grid, interpolate, negative
from lucidtorch.objectives.joins import after, before, maximum, mean, minimum, of, ramp
from lucidtorch.objectives.matching import (
    activation_difference,
    alignment,
    caricature,
    diversity,
    input_difference,
    inversion,
    spatial_match,
    style,
)
from lucidtorch.objectives.penalties import (
    L1,
    L2,
    Linf,
    Lp,
    alpha_coverage,
    alpha_norm,
    blur_alpha,
    blur_input,
    boundary_complexity,
    contrast_bound,
    total_variation,
    tv_beta,
)
from lucidtorch.objectives.references import of_image, reference
from lucidtorch.objectives.spatial import spatial_channel, spatial_layer
from lucidtorch.objectives.term import objective, unit_objective
from lucidtorch.objectives.text import parse
from lucidtorch.objectives.units import channel, deepdream, head, layer_mean, logit, neuron, token

__all__ = [
    "L1",
    "L2",
    "Activations",
    "ImageLike",
    "Linf",
    "Lp",
    "Memory",
    "Objective",
    "activation_difference",
    "after",
    "alignment",
    "alpha_coverage",
    "alpha_norm",
    "before",
    "blur_alpha",
    "blur_input",
    "boundary_complexity",
    "caricature",
    "channel",
    "channel_weight",
    "contrast_bound",
    "deepdream",
    "direction",
    "direction_neuron",
    "diversity",
    "each",
    "facet",
    "grid",
    "head",
    "input_difference",
    "interpolate",
    "inversion",
    "layer_mean",
    "localgroup_weight",
    "logit",
    "maximum",
    "mean",
    "minimum",
    "negative",
    "neuron",
    "neuron_weight",
    "objective",
    "of",
    "of_image",
    "parse",
    "photo",
    "ramp",
    "reference",
    "spatial_channel",
    "spatial_layer",
    "spatial_match",
    "style",
    "tensor_direction",
    "token",
    "total_variation",
    "tv_beta",
    "unit_objective",
    "whitened_direction",
]
