"""Renders again from the record that a picture carries."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from lucidtorch.base.defaults import FIRST, defaults_of
from lucidtorch.base.errors import LucidtorchWarning, RecipeError
from lucidtorch.base.machine import threads
from lucidtorch.base.records import ComposedRecord, NetworkRecord, Settings
from lucidtorch.models.following import follow_source, located
from lucidtorch.models.loading import NAMED_WEIGHTS, load_source
from lucidtorch.models.model import Model
from lucidtorch.models.sources.model_source import ModelSource
from lucidtorch.recipes.recipe import Recipe
from lucidtorch.rendering.entry import Callback, run_job
from lucidtorch.rendering.job import Job, RenderRecord, prepare
from lucidtorch.rendering.networks import ModelLike
from lucidtorch.rendering.result import Rendering
from lucidtorch.rendering.settings import RULES


def render_again(
    record: RenderRecord, *, model: ModelLike | None, folder: Path, home: Path, callbacks: Sequence[Callback] = ()
) -> Rendering:
    """Make the pictures of a record again."""
    network = _loaded(record, home) if model is None else model
    for what, text in (("transforms", record.transforms), ("param", record.param)):
        if text is None:
            raise RecipeError(
                f"The {what} of this picture exist only in a Python program; call render with them and "
                f"{record.objective[:100]!r}."
            )
    with threads(record.threads):
        job = _job(record, network, folder)
        rendering = run_job(job, callbacks)
    if not record.complete:  # its texts mean what they did: it stays a record of the earlier version
        texts = ("objective", "param", "transforms", "constraints", *RULES)
        rendering.recipe.update({name: getattr(record, name) for name in texts})
        del rendering.recipe["complete"]
    if record.recipe_id is not None:
        rendering.recipe["recipe_id"] = record.recipe_id
    return rendering


def _job(record: RenderRecord, network: ModelLike, folder: Path) -> Job:
    with defaults_of(None if record.complete else FIRST):
        return prepare(
            network,
            record.objective,
            record.param,
            record.transforms,
            record.schedule,
            record.seed,
            engine=record.engine,
            constraints=record.constraints,
            folder=folder,
        )


def named_network(record: RenderRecord, spec: str | None, weights: str | None, folder: Path) -> Model:
    """Load the network that the user names in the place of a record's, with all else that the record says of it."""
    if record.model is None:
        raise RecipeError(
            f"This picture was made with {record.model_name[:100]}, not with one network that has a name; call "
            f"lucidtorch.recipes.rerun(path, model=...) in Python."
        )
    known = source_of(record.model)
    own: dict[str, Any] = {} if weights is None else {"weights": weights, "sha256": None}
    if spec is not None:
        own |= {"spec": spec, "code_sha256": None}
        own |= {"sha256": None} if known.weights in NAMED_WEIGHTS else {}
    found = load_source(located(replace(known, **own), folder, typed=own), device=record.device, trust=False)
    now = found.source or known
    if (known.sha256, known.code_sha256) != (now.sha256, now.code_sha256):
        message = "The network or its weights are others than those of the picture, so the new picture can differ."
        warnings.warn(message, LucidtorchWarning, stacklevel=3)
    return found


def source_of(record: NetworkRecord) -> ModelSource:
    """Take a network's record as what `load_source` reads."""
    return ModelSource.from_dict(record.model_dump(exclude_none=True))


def composed(recipe: Recipe, picture: str) -> Settings:
    """Write down what makes a picture again that was composed of others."""
    found = ComposedRecord(kind=recipe.recipe, recipe_id=recipe.id, picture=picture, recipe=recipe.to_dict())
    return found.model_dump(mode="json")


def _loaded(record: RenderRecord, folder: Path) -> Model | dict[str, Model]:
    if record.models is not None:
        return {
            name: follow_source(source_of(one), folder, device=record.device) for name, one in record.models.items()
        }
    if record.model is None:
        raise RecipeError(
            f"This picture was made with {record.model_name[:100]}, a module that only a Python program has; there, "
            f"call lucidtorch.recipes.rerun(path, model=...) with that module."
        )
    return follow_source(source_of(record.model), folder, device=record.device)
