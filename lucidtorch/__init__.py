"""Feature visualization for PyTorch: objectives as expressions, differentiable images, one loop, galleries."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lucidtorch import analysis, constraints, datasets, models, objectives, param, recipes, transforms
    from lucidtorch.base.errors import LucidtorchError
    from lucidtorch.galleries.entry import gallery
    from lucidtorch.models.loading import load_model
    from lucidtorch.models.model import Model
    from lucidtorch.objectives.text import parse
    from lucidtorch.rendering.entry import optimize, render
    from lucidtorch.rendering.result import Rendering
    from lucidtorch.rendering.settings import Engine

__version__ = "0.1.0"

__all__ = [
    "Engine",
    "LucidtorchError",
    "Model",
    "Rendering",
    "analysis",
    "constraints",
    "datasets",
    "gallery",
    "load_model",
    "models",
    "objectives",
    "optimize",
    "param",
    "parse",
    "recipes",
    "render",
    "transforms",
]

# Where each public name comes from; it is imported when it is first used, so that `import lucidtorch` stays light.
_SOURCES = {
    "Engine": "lucidtorch.rendering.settings",
    "LucidtorchError": "lucidtorch.base.errors",
    "Model": "lucidtorch.models.model",
    "Rendering": "lucidtorch.rendering.result",
    "gallery": "lucidtorch.galleries.entry",
    "load_model": "lucidtorch.models.loading",
    "optimize": "lucidtorch.rendering.entry",
    "parse": "lucidtorch.objectives.text",
    "render": "lucidtorch.rendering.entry",
}


def __getattr__(name: str) -> Any:
    if name in _SOURCES:
        globals()[name] = getattr(importlib.import_module(_SOURCES[name]), name)  # found without this from now on
        return globals()[name]
    if name in __all__:
        return importlib.import_module(f"lucidtorch.{name}")
    raise AttributeError(f"module 'lucidtorch' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
