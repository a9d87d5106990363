"""Recipes: what a person shares, a paper cites and a cluster runs; and what a picture carries."""

from lucidtorch.recipes.kinds.activation_grid import activation_grid
from lucidtorch.recipes.kinds.diversity import diversity
from lucidtorch.recipes.kinds.interaction import interaction
from lucidtorch.recipes.kinds.interpolation import interpolation
from lucidtorch.recipes.kinds.layer_sheet import layer_sheet
from lucidtorch.recipes.kinds.model_tour import model_tour
from lucidtorch.recipes.kinds.negative import negative
from lucidtorch.recipes.kinds.neuron_groups import neuron_groups
from lucidtorch.recipes.kinds.optimization_film import optimization_film
from lucidtorch.recipes.kinds.regularization_study import regularization_study
from lucidtorch.recipes.kinds.render import render
from lucidtorch.recipes.pictures import read_recipe, rerun
from lucidtorch.recipes.record import RenderRecord
from lucidtorch.recipes.runs.result import Run

__all__ = [
    "RenderRecord",
    "Run",
    "activation_grid",
    "diversity",
    "interaction",
    "interpolation",
    "layer_sheet",
    "model_tour",
    "negative",
    "neuron_groups",
    "optimization_film",
    "read_recipe",
    "regularization_study",
    "render",
    "rerun",
]
