"""Renders again from the record that a picture carries."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

from lucidtorch.base.errors import RecipeError
from lucidtorch.base.records import ComposedRecord, NetworkRecord, RenderRecord
from lucidtorch.base.settings import Settings
from lucidtorch.base.threads import threads
from lucidtorch.models.model import Model
from lucidtorch.models.sources.following import follow_source
from lucidtorch.models.sources.loading import load_source
from lucidtorch.models.sources.model_source import ModelSource
from lucidtorch.recipes.recipe import Recipe
from lucidtorch.rendering.engine import Engine
from lucidtorch.rendering.entry import Callback, run_job
from lucidtorch.rendering.networks import ModelLike
from lucidtorch.rendering.preparation import prepare
from lucidtorch.rendering.result import Rendering
from lucidtorch.rendering.schedule import Schedule


def render_again(
    record: RenderRecord, *, model: ModelLike | None, folder: Path, callbacks: Sequence[Callback] = ()
) -> Rendering:
    """Make the pictures of a record again.

    Args:
        record: What a picture carries.
        model: The network, or several by name; loaded as the record says where None.
        folder: The folder of the picture, with the array files that its texts name.
        callbacks: Called after each update.

    Returns:
        The pictures.

    Raises:
        RecipeError: The network, the param or the transforms exist only in a Python program.
        UntrustedError: The record asks to run code, to download, or to open files outside of its folder.
    """
    network = _loaded(record, folder) if model is None else model
    for what, text in (("transforms", record.transforms), ("param", record.param)):
        if text is None:
            raise RecipeError(
                f"The {what} of this picture exist only in a Python program; call render with them and "
                f"{record.objective[:100]!r}."
            )
    schedule = Schedule(
        record.steps, record.lr, record.optimizer, record.snapshots, record.lr_schedule, record.stop, record.planned
    )
    with threads(record.threads):
        job = prepare(
            network,
            record.objective,
            record.param,
            record.transforms,
            schedule,
            record.seed,
            engine=engine_of(record),
            constraints=record.constraints,
            folder=folder,
        )
        rendering = run_job(job, callbacks)
    if record.recipe_id is not None:
        rendering.recipe["recipe_id"] = record.recipe_id
    return rendering


def engine_of(record: RenderRecord) -> Engine:
    """Say how the network of a record was run.

    Args:
        record: What a picture carries.

    Returns:
        The engine.
    """
    batch = record.batch if record.compute_batch is None else record.compute_batch
    return Engine(record.precision, batch, record.channels_last, record.fold, record.winograd, record.compile)


def named_network(record: RenderRecord, spec: str | None, weights: str | None) -> Model:
    """Load the network that the user names in the place of a record's, with all else that the record says of it.

    Args:
        record: What a picture carries, of one network.
        spec: The network; the record's where None.
        weights: ``default``, ``random``, or a file; the record's where None and the network is the record's, too.

    Returns:
        The network.

    Raises:
        RecipeError: The picture is of several networks.
        WeightsError: The weights are not those that the picture was made with.
    """
    if record.model is None:
        raise RecipeError(
            f"This picture was made with {record.model_name[:100]}, not with one network that has a name; call "
            f"lucidtorch.recipes.rerun(path, model=...) in Python."
        )
    known = source_of(record.model)
    given = known.weights if weights is None and (spec is None or known.weights == "random") else weights or "default"
    return load_source(replace(known, spec=spec or known.spec, weights=given), device=record.device, trust=False)


def source_of(record: NetworkRecord) -> ModelSource:
    """Take a network's record as what `load_source` reads.

    Args:
        record: What a picture says of its network.

    Returns:
        The same.
    """
    return ModelSource.from_dict(record.model_dump(exclude_none=True))


def composed(recipe: Recipe, picture: str) -> Settings:
    """Write down what makes a picture again that was composed of others.

    Args:
        recipe: The recipe of the run as it was resolved.
        picture: The path of the picture in the run's folder.

    Returns:
        Plain numbers, texts, lists and mappings.
    """
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
