"""The kinds of recipes, one module each; a kind is loaded when it is asked for."""

from __future__ import annotations

import importlib

from lucidtorch.recipes.runs.kind import RecipeKind

# In the order of the listing. A kind's name is that of its module, and of its function in it.
KINDS = (
    "render",
    "layer_sheet",
    "model_tour",
    "negative",
    "diversity",
    "interpolation",
    "interaction",
    "activation_grid",
    "neuron_groups",
    "activations",
    "top_patches",
    "class_preference",
    "deconvnet",
    "heatmap",
    "filters",
    "inversion",
    "adversarial",
    "embedding",
    "ascent_problems",
    "regularization_study",
    "optimization_film",
)


def kind(name: str) -> type[RecipeKind]:
    """Load a kind of recipe."""
    found: type[RecipeKind] = getattr(importlib.import_module(f"{__name__}.{name}"), name).kind
    return found
