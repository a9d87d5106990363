"""Objectives: what a picture shall show, as expressions that combine by arithmetic and print as they are typed."""

from lucidtorch.base.arrays import ImageLike
from lucidtorch.base.photos import photo
from lucidtorch.objectives.activation_grid import grid
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.batch import alignment, diversity
from lucidtorch.objectives.directions import direction, direction_neuron, tensor_direction, whitened_direction
from lucidtorch.objectives.facets import facet
from lucidtorch.objectives.heads import head
from lucidtorch.objectives.images import each, interpolate, negative
from lucidtorch.objectives.matching import activation_difference, caricature, input_difference, inversion, spatial_match
from lucidtorch.objectives.naming import of
from lucidtorch.objectives.norms import L1, L2, Linf, Lp, alpha_norm, contrast_bound
from lucidtorch.objectives.opacity import alpha_coverage, blur_alpha
from lucidtorch.objectives.references import of_image, reference
from lucidtorch.objectives.several import maximum, mean, minimum
from lucidtorch.objectives.smoothness import blur_input, boundary_complexity, total_variation, tv_beta
from lucidtorch.objectives.spatial import spatial_channel, spatial_layer
from lucidtorch.objectives.term import objective, unit_objective
from lucidtorch.objectives.text import parse
from lucidtorch.objectives.textures import style
from lucidtorch.objectives.timing import after, before, ramp
from lucidtorch.objectives.tokens import token
from lucidtorch.objectives.trace import Activations, Memory
from lucidtorch.objectives.units import channel, deepdream, layer_mean, logit, neuron
from lucidtorch.objectives.weighting import channel_weight, localgroup_weight, neuron_weight

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
