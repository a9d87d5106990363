"""From a recipe that leaves things open to one that says them all."""

from __future__ import annotations

import hashlib
import warnings
from collections.abc import Iterator, Sequence, Set
from dataclasses import replace
from typing import Any, Literal, TypeVar

from lucidtorch.base.arrays import Array
from lucidtorch.base.defaults import is_earlier, record_text
from lucidtorch.base.errors import LucidtorchWarning, WeightsError
from lucidtorch.base.records import settings_text, versions
from lucidtorch.base.registry import defined_by
from lucidtorch.base.seeds import PICTURE_BITS
from lucidtorch.base.sizes import short_size
from lucidtorch.galleries.examples import find_scan, scan_checksum
from lucidtorch.galleries.task import Craft, Task
from lucidtorch.param.images import image
from lucidtorch.param.param import Param
from lucidtorch.recipes.network import network_fields
from lucidtorch.recipes.recipe import MadeWith, Recipe, RenderingRecipe
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.rendering.job import Job, arrays_of

Value = TypeVar("Value")


def resolve(stage: Stage, plan: Plan, jobs: Sequence[Job]) -> tuple[Recipe, dict[str, bytes]]:
    """Fill in all that a recipe left open."""
    recipe, model, craft = stage.recipe, stage.network, stage.craft
    found = {} if model.source is None else network_fields(model.source)
    kept = {name: hashlib.sha256(data).hexdigest() for name, data in plan.files.items()}
    scanned = _scan_fields(stage)
    sums = found.pop("files", {}) | kept | plan.sums | scanned.pop("files", {})
    bits: Literal[53] | None = 53 if stage.seed_bits == PICTURE_BITS else None
    complete: Literal[True] | None = None if is_earlier() else True
    fields = {"device": model.device.type, "made_with": None, **scanned}
    if isinstance(recipe, RenderingRecipe):
        fields |= _rendering_fields(craft, jobs) | ({} if is_earlier() else craft.schedule.rules())
    filled = recipe.replaced(**{**found, **fields, **plan.fields})
    words = defined_by(settings_text(filled.to_dict()))
    made_with = MadeWith(versions=versions(recipe.packages), files=sums, seed_bits=bits, complete=complete, **words)
    _compare(recipe.made_with, made_with)
    resolved = filled.replaced(made_with=made_with)
    return resolved, {**plan.files, **_arrays(resolved, plan.tasks)}


def settled(task: Task, resolved: Recipe, job: Job) -> Task:
    """Write into a task what was left open, as the resolved recipe says it, and the recipe's checksum."""
    craft = task.craft
    param = _param_of(job) if craft.param is None else craft.param
    pipeline = job.pipeline if craft.transforms is None else craft.transforms
    return replace(task, craft=replace(craft, param=param, transforms=pipeline), recipe_id=resolved.id)


def _scan_fields(stage: Stage) -> dict[str, Any]:
    """The scan that a recipe names, by its folder's name, and its checksum among the ``files``; nothing where none."""
    named = getattr(stage.recipe, "scan", None)
    if named is None:
        return {}
    folder = find_scan(named, stage.base, stage.sum_of("scan"))
    return {"scan": folder.resolve().name, "files": {"scan": scan_checksum(folder)}}


def _rendering_fields(craft: Craft, jobs: Sequence[Job]) -> dict[str, Any]:
    """What the fields came to that say how pictures are optimized."""
    params = [_param_of(job) for job in jobs] if craft.param is None else [craft.param]
    pipelines = [job.pipeline for job in jobs] if craft.transforms is None else [craft.transforms]
    return {
        "size": _only({short_size(job.param.size) for job in jobs}),
        "param": _only({record_text(one) for one in params if one.is_text}),
        "transforms": _only({record_text(one) for one in pipelines if one.is_text}),
        "constraints": record_text(craft.constraints),
    }


def _param_of(job: Job) -> Param:
    """What makes the images of a job where nobody said it, in the words of a recipe."""
    return image(short_size(job.param.size), channels=job.networks.first.convention.channels)


def _only(values: Set[Value]) -> Value | None:
    """The one value that all have; None where they differ, so that it stays open."""
    return next(iter(values)) if len(values) == 1 else None


def _arrays(resolved: Recipe, tasks: Sequence[Task]) -> dict[str, bytes]:
    """The arrays that the texts of a recipe name: they stand beside it."""
    text = settings_text(resolved.to_dict())
    arrays = {array.file_name: array for task in tasks for array in _arrays_of(task) if not array.is_inline}
    return {name: array.file_bytes() for name, array in arrays.items() if name in text}


def _arrays_of(task: Task) -> Iterator[Array]:
    for node in task.objective.walk():
        yield from arrays_of(node)
    yield from task.craft.constraints.arrays
    if task.craft.param is not None:
        yield from task.craft.param.arrays


def _compare(before: MadeWith | None, now: MadeWith) -> None:
    """Refuse files that hold something else than they did, and say where versions differ."""
    if before is None:
        return
    for name, checksum in now.files.items():
        if before.files.get(name, checksum) != checksum:
            raise WeightsError(
                f"The recipe ran with another file than this ({name}: SHA-256 {before.files[name]} instead of "
                f"{checksum}); put the file back that was, or leave made_with out."
            )
    others = [name for name, version in before.versions.items() if now.versions.get(name) != version]
    if others:
        then = ", ".join(f"{name} {before.versions[name]}" for name in others)
        here = ", ".join(f"{name} {now.versions.get(name, 'missing')}" for name in others)
        message = f"The recipe ran with {then}; here it is {here}, so the pictures can differ."
        warnings.warn(message, LucidtorchWarning, stacklevel=2)
