"""Recipes: what a person shares, a paper cites and a cluster runs; and what a picture carries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lucidtorch.base.lazy import lazily as _lazily

if TYPE_CHECKING:
    from lucidtorch.recipes.kinds.activation_grid import activation_grid
    from lucidtorch.recipes.kinds.activations import activations
    from lucidtorch.recipes.kinds.adversarial import adversarial
    from lucidtorch.recipes.kinds.ascent_problems import ascent_problems
    from lucidtorch.recipes.kinds.class_preference import class_preference
    from lucidtorch.recipes.kinds.deconvnet import deconvnet
    from lucidtorch.recipes.kinds.diversity import diversity
    from lucidtorch.recipes.kinds.embedding import embedding
    from lucidtorch.recipes.kinds.filters import filters
    from lucidtorch.recipes.kinds.heatmap import heatmap
    from lucidtorch.recipes.kinds.interaction import interaction
    from lucidtorch.recipes.kinds.interpolation import interpolation
    from lucidtorch.recipes.kinds.inversion import inversion
    from lucidtorch.recipes.kinds.layer_sheet import layer_sheet
    from lucidtorch.recipes.kinds.model_tour import model_tour
    from lucidtorch.recipes.kinds.negative import negative
    from lucidtorch.recipes.kinds.neuron_groups import neuron_groups
    from lucidtorch.recipes.kinds.optimization_film import optimization_film
    from lucidtorch.recipes.kinds.regularization_study import regularization_study
    from lucidtorch.recipes.kinds.render import render
    from lucidtorch.recipes.kinds.top_patches import top_patches
    from lucidtorch.recipes.pictures import read_recipe, rerun
    from lucidtorch.recipes.runs.result import Run
    from lucidtorch.rendering.job import RenderRecord

__all__ = [
    "RenderRecord",
    "Run",
    "activation_grid",
    "activations",
    "adversarial",
    "ascent_problems",
    "class_preference",
    "deconvnet",
    "diversity",
    "embedding",
    "filters",
    "heatmap",
    "interaction",
    "interpolation",
    "inversion",
    "layer_sheet",
    "model_tour",
    "negative",
    "neuron_groups",
    "optimization_film",
    "read_recipe",
    "regularization_study",
    "render",
    "rerun",
    "top_patches",
]

# Where what is no kind comes from. All are imported when they are first used: a kind loads no other.
_SOURCES = {
    "RenderRecord": "lucidtorch.rendering.job",
    "Run": "lucidtorch.recipes.runs.result",
    "read_recipe": "lucidtorch.recipes.pictures",
    "rerun": "lucidtorch.recipes.pictures",
}
__getattr__ = _lazily(__name__, {name: f"{__name__}.kinds.{name}" for name in __all__} | _SOURCES)


def __dir__() -> list[str]:
    return sorted(__all__)
