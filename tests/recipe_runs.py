"""Runs of recipes that tests make, run again, and compare file by file."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import yaml

import lucidtorch as lt
from lucidtorch.galleries.task import Task
from lucidtorch.models.model import Model
from lucidtorch.recipes.fields.checking import checked
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.result import Run
from lucidtorch.recipes.runs.running import run_recipe
from lucidtorch.recipes.runs.stage import Stage

SMALL: dict[str, Any] = {"size": 24, "steps": 2, "batch": 2}
CLOCK = "provenance.json"  # the one file of a folder that is not the same each time


@dataclass(frozen=True)
class Bench:
    """Where a test runs recipes: the network, and a folder in which each run gets one of its own."""

    model: Model
    folder: Path

    def run(self, kind: str, name: str = "run", **fields: Any) -> Run:
        """Run a kind of recipe, small where the fields do not say otherwise."""
        return function_of(kind)(self.model, **(small(kind) | fields), output=self.folder / name)

    def plan(self, kind: str, **fields: Any) -> Plan:
        """Plan without rendering; refusals of the fields and of the plan come out as they do in a run."""
        recipe = checked(function_of(kind).kind, {**small(kind), "model": "demo", **fields})
        return recipe.plan(Stage.of(recipe, self.model, self.folder))

    def again(self, run: Run, name: str = "again") -> Run:
        """Run the `recipe.yaml` of a run in another folder; paths in it start from the first."""
        values = yaml.safe_load((run.folder / "recipe.yaml").read_text(encoding="utf-8"))
        kind = function_of(values["recipe"]).kind
        return run_recipe(checked(kind, values), self.folder / name, network=self.model, base=run.folder)


def small(kind: str) -> dict[str, Any]:
    """What makes a run small, as far as the kind has such fields: those that optimize no picture have no steps."""
    return {name: value for name, value in SMALL.items() if name in function_of(kind).kind.model_fields}


def function_of(kind: str) -> RecipeFunction:
    found: RecipeFunction = getattr(lt.recipes, kind)
    return found


def contents(folder: Path) -> dict[str, bytes]:
    """Every file of a run by its path in the folder, but for the one that holds clock times and machine facts."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.name != CLOCK)
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def pixels(run: Run, file: str) -> torch.Tensor:
    """A picture of a run, `[C, H, W]` in [0, 1]."""
    return Desk(run.folder, run.recipe, {}).pixels(file)


def shown(task: Task) -> list[tuple[str, int]]:
    """The files of a task, each with the seed of its first image."""
    return [(piece.file, task.seeds[piece.places[0]]) for piece in task.pieces]
