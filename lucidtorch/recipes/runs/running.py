"""Running a recipe: settle, render in tasks that resume, put together, publish."""

from __future__ import annotations

import contextlib
from collections.abc import Generator, Hashable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from lucidtorch.base.defaults import FIRST, defaults_of
from lucidtorch.base.errors import RecipeError
from lucidtorch.base.machine import threads
from lucidtorch.base.registry import follow_words
from lucidtorch.base.seeds import SEED_BITS
from lucidtorch.base.trust import allow
from lucidtorch.galleries.examples import Examples
from lucidtorch.galleries.task import Task
from lucidtorch.galleries.work import Record, check_workers, settle
from lucidtorch.models.model import Model
from lucidtorch.recipes.network import load_network
from lucidtorch.recipes.page.publishing import publish
from lucidtorch.recipes.recipe import Recipe
from lucidtorch.recipes.recipe_text import recipe_text
from lucidtorch.recipes.runs.beside import open_examples, with_examples
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import RecipeKind
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.provenance import Watch
from lucidtorch.recipes.runs.resolving import resolve, settled
from lucidtorch.recipes.runs.result import Run
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.runs.watching import Onlooker, Report
from lucidtorch.rendering.entry import Callback
from lucidtorch.runs.folder import RECIPE, RUN, check_folder, claim, kept_in_place, recipe_id, write_file


def run_recipe(
    recipe: RecipeKind,
    folder: Path,
    *,
    network: Model | None = None,
    base: Path | None = None,
    workers: int = 1,
    report: Report | None = None,
    progress: bool = False,
    callbacks: Sequence[Callback] = (),
) -> Run:
    """Run a recipe, or go on where it was interrupted."""
    watch = Watch()
    check_workers(workers)
    check_folder(folder, RUN)
    allow(folder)
    start = base or Path()
    follow_words(None if recipe.made_with is None else recipe.made_with.defined_by, start)
    model = _loaded(recipe, start) if network is None else network
    ready = _ready(recipe, model, start, recipe_id(folder))
    resolved, tasks = ready.recipe, ready.tasks
    check_workers(workers, model if len(tasks) > 1 else None)
    moved = claim(folder, RUN, resolved.id)
    with kept_in_place(folder, RUN):
        for name, data in ready.files.items():
            write_file(folder, name, data)
        onlooker = Onlooker(f"{recipe.recipe} of {model.name}", report, progress, callbacks)
        records = _rendered(onlooker.watched(model, tasks, folder, workers)) if tasks else []
        desk = Desk(folder, resolved, {one["file"]: one for record in records for one in record["pictures"]}, onlooker)
        with threads(recipe.threads):
            story = ready.plan.tell(desk)
            story = story if ready.examples is None else with_examples(story, desk, ready.examples)
        publish(story, resolved, model, folder)
        watch.write(folder, resolved, model, workers)
    return Run(folder, resolved, story, moved)


@dataclass(frozen=True)
class _Ready:
    """A recipe that is planned and says all: what is left is the work."""

    recipe: Recipe
    plan: Plan
    tasks: Sequence[Task]
    files: Mapping[str, bytes]
    examples: Examples | None


def _ready(recipe: RecipeKind, model: Model, base: Path, standing: str | None) -> _Ready:
    """Plan a recipe; with the seeds of version 0.1.0 where that gives the run that stands in the folder already."""
    found = _planned(recipe, model, base, None)
    if standing in (None, found.recipe.id) or recipe.made_with is not None:
        return found
    earlier = _planned(recipe, model, base, SEED_BITS)
    return earlier if earlier.recipe.id == standing else found


def _planned(recipe: RecipeKind, model: Model, base: Path, seed_bits: int | None) -> _Ready:
    """Plan a recipe; what version 0.1.0 wrote down means what it meant there."""
    written = recipe.made_with
    earlier = seed_bits is not None or (written is not None and not written.complete)
    with defaults_of(FIRST if earlier else None):
        stage = Stage.of(recipe, model, base, seed_bits)
        with threads(recipe.threads):
            examples = open_examples(stage)
            plan = recipe.plan(stage)
            jobs = {_sort(task): settle(model, task) for task in _first_of_each(plan.tasks)}
        resolved, files = resolve(stage, plan, list(jobs.values()))
    tasks = [settled(task, resolved, jobs[_sort(task)]) for task in plan.tasks]
    return _Ready(resolved, plan, tasks, {RECIPE: recipe_text(resolved).encode("utf-8"), **files}, examples)


def _loaded(recipe: RecipeKind, base: Path) -> Model:
    if recipe.model is None:
        raise RecipeError(
            "The recipe names no network; write for example `model: vgg16`, or hand a module over in a Python program."
        )
    sums = None if recipe.made_with is None else recipe.made_with.files
    return load_network(recipe.model, recipe.weights, recipe.device, sums=sums, base=base)


def _first_of_each(tasks: Sequence[Task]) -> list[Task]:
    """One task of each sort: if these fit, all do."""
    return list({_sort(task): task for task in reversed(tasks)}.values())[::-1]


def _sort(task: Task) -> Hashable:
    return task.objective.layers, len(task.seeds), id(task.craft)


def _rendered(work: Generator[tuple[Task, Record], None, None]) -> list[Record]:
    with contextlib.closing(work) as finished:
        return [record for _, record in finished]
