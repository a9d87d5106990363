"""Feature visualization for PyTorch: objectives as expressions, differentiable images, one loop, galleries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lucidtorch.base.lazy import lazily as _lazily

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
__getattr__ = _lazily(__name__, {name: f"lucidtorch.{name}" for name in __all__} | _SOURCES)


def __dir__() -> list[str]:
    return sorted(__all__)
