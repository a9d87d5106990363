"""How a run was made, in the words of its page."""

from __future__ import annotations

import shlex
from pathlib import Path

from lucidtorch.base.sizes import short_size
from lucidtorch.models.model import Model
from lucidtorch.recipes.recipe import Recipe, RenderingRecipe

FILE_WORDS = {"weights": "SHA-256 of the weights", "code": "SHA-256 of its code", "mean": "SHA-256 of its mean image"}


def made_by(recipe: Recipe, model: Model) -> dict[str, str]:
    """Say what decided the pictures of a run."""
    size = recipe.sides()
    threads = f"{recipe.threads} thread{'' if recipe.threads == 1 else 's'}"
    made_with = recipe.made_with
    found = {
        "network": model.name,
        "weights": Path(recipe.weights).name if model.source is not None else "of a Python program",
        "size": "" if size is None else _sides(short_size(size)),
        **(_optimization(recipe) if isinstance(recipe, RenderingRecipe) else {}),
        "seed of the run": str(recipe.seed),
        "computed on": ", ".join((recipe.device, _precision(recipe), threads, f"batches of {recipe.batch}")),
    }
    if made_with is not None:
        found |= {FILE_WORDS.get(name, f"SHA-256 of {name}"): value for name, value in made_with.files.items()}
        found["versions"] = ", ".join(f"{name} {value}" for name, value in made_with.versions.items())
    return {name: value for name, value in found.items() if value}


def _optimization(recipe: RenderingRecipe) -> dict[str, str]:
    schedule = recipe.schedule
    return {
        "param": recipe.param or "",
        "transforms": recipe.transforms or "",
        "constraints": recipe.constraints,
        "optimization": f"{schedule.steps} steps of {schedule.optimizer}, lr {schedule.lr:g}",
    }


def _precision(recipe: Recipe) -> str:
    return recipe.engine.precision if isinstance(recipe, RenderingRecipe) else "float32"


def commands(main: str) -> dict[str, str]:
    """Say what to type to make a run again."""
    return {
        "The whole run": "lucidtorch run recipe.yaml -o again",
        "One picture": f"lucidtorch rerun {shlex.quote(main)} -o again.png",
    }


def _sides(size: int | tuple[int, ...]) -> str:
    return " \N{MULTIPLICATION SIGN} ".join(map(str, (size, size) if isinstance(size, int) else size))
