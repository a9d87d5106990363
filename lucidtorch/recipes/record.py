"""What pictures carry: the record of their own render, or the recipe of the run that they were put together in."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, field_validator, model_validator

from lucidtorch.base.errors import RecipeError
from lucidtorch.base.settings import Settings
from lucidtorch.base.threads import threads
from lucidtorch.models.model import Model
from lucidtorch.models.sources.loading import load_source
from lucidtorch.models.sources.model_source import ModelSource
from lucidtorch.recipes.recipe import Recipe
from lucidtorch.rendering.engine import Engine
from lucidtorch.rendering.entry import Callback, run_job
from lucidtorch.rendering.networks import ModelLike
from lucidtorch.rendering.preparation import prepare
from lucidtorch.rendering.result import Rendering
from lucidtorch.rendering.schedule import Schedule


class RenderRecord(BaseModel):
    """Everything that decides the pictures of one render, as a picture carries it.

    Attributes:
        kind: The kind of recipe.
        model: How the network is loaded, or None where there are several, or only a Python program has it.
        models: How several networks are loaded, by name.
        model_name: What messages call the network.
        objective: The objective's text.
        param: The param's text, or None where it holds a module of a Python program.
        transforms: The pipeline's text, or None where it holds functions of a Python program.
        constraints: The text of what the images were held to after each step; empty where nothing.
        steps: The number of updates.
        snapshots: After how many updates a picture was kept.
        optimizer: ``adam`` or ``sgd``.
        lr: The step size; where it changes, the largest.
        lr_schedule: How it went over the updates.
        stop: When an image went no further; never where empty.
        planned: Over how many updates the step size was spread, where an interrupt came before the last.
        seed: One per image.
        batch: How many images were computed together.
        canvas: The height and width that the network saw; of clips and volumes, frames or slices before them.
        precision: What the network computed in.
        compute_batch: How many images went through the network at once; all of them where None.
        channels_last: Whether its convolutions had the channels of a place side by side in memory.
        fold: Whether batch normalizations were parts of the convolutions before them.
        winograd: Whether wide 3 x 3 convolutions went Winograd's way.
        compile: Whether the network was compiled.
        device: Where it was computed: ``cpu``, ``cuda`` or ``mps``.
        threads: How many threads computed.
        versions: Of everything that computes.
        images: Which of the pictures the file shows; all of them where None.
        snapshot: After how many updates it shows them; at the end where None.
        recipe_id: The checksum of the recipe that the picture is a part of, or None.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    kind: Literal["render"]
    model: ModelSource | None
    models: dict[str, ModelSource] | None = None
    model_name: str
    objective: str
    param: str | None
    transforms: str | None
    constraints: str = ""
    steps: int = Field(ge=1)
    snapshots: tuple[int, ...] = ()
    optimizer: str = "adam"
    lr: float = Field(gt=0)
    lr_schedule: str = "constant"
    stop: str = ""
    planned: int | None = None
    seed: tuple[int, ...]
    batch: int = Field(ge=1)
    canvas: tuple[int, ...] = Field(min_length=2, max_length=3)
    precision: str = "float32"
    compute_batch: int | tuple[tuple[int, int], ...] | None = None
    channels_last: bool = False  # not in the pictures of versions that did not say
    fold: bool = False
    winograd: bool = False
    compile: bool = False
    device: str = "cpu"
    threads: int = Field(ge=1)
    versions: dict[str, str] = Field(default_factory=dict)
    images: tuple[int, ...] | None = Field(default=None, min_length=1)
    snapshot: int | None = None
    recipe_id: str | None = None

    @field_validator("model", mode="before")
    @classmethod
    def _known_fields(cls, value: Any) -> Any:
        if isinstance(value, dict):
            ModelSource.from_dict(value)
        return value

    @field_validator("models", mode="before")
    @classmethod
    def _known_fields_of_each(cls, value: Any) -> Any:
        if isinstance(value, dict):
            for one in value.values():
                cls._known_fields(one)
        return value

    @model_validator(mode="after")
    def _snapshot_is_there(self) -> Self:
        if self.snapshot is not None and self.snapshot not in self.snapshots:
            raise RecipeError(f"the picture is of step {self.snapshot}, but kept were {list(self.snapshots)}")
        return self

    @model_validator(mode="after")
    def _images_are_there(self) -> Self:
        if not all(0 <= image < self.batch for image in self.images or ()):
            raise RecipeError(f"images are {list(self.images or ())}, but there are {self.batch} of them")
        return self

    @classmethod
    def read(cls, settings: Settings, where: str) -> RenderRecord:
        """Read a record.

        Args:
            settings: What a picture carries.
            where: Where it was found, for messages.

        Returns:
            The recipe.

        Raises:
            RecipeError: A field is missing, unknown, or does not fit.
        """
        try:
            return cls.model_validate(settings)
        except ValidationError as error:
            first = error.errors()[0]
            place = ".".join(str(part) for part in first["loc"])
            raise RecipeError(f"The recipe in {where} does not fit at {place!r}: {first['msg']}.") from error

    def run(self, *, model: ModelLike | None = None, folder: Path, callbacks: Sequence[Callback] = ()) -> Rendering:
        """Make the pictures again.

        Args:
            model: The network, or several by name, where only a Python program has them.
            folder: Where the array files stand that the texts name.
            callbacks: Called after each update.

        Returns:
            The pictures.

        Raises:
            RecipeError: The network, the param or the transforms exist only in a Python program.
        """
        network = self._load() if model is None else model
        if self.transforms is None:
            raise RecipeError(
                f"The transforms of this picture hold functions that only a Python program has; call render with "
                f"them and {self.objective!r}."
            )
        if self.param is None:
            raise RecipeError(
                f"The param of this picture holds a module that only a Python program has; call render with it and "
                f"{self.objective!r}."
            )
        schedule = Schedule(
            self.steps, self.lr, self.optimizer, self.snapshots, self.lr_schedule, self.stop, self.planned
        )
        with threads(self.threads):
            job = prepare(
                network,
                self.objective,
                self.param,
                self.transforms,
                schedule,
                self.seed,
                engine=self.engine,
                constraints=self.constraints,
                folder=folder,
            )
            rendering = run_job(job, callbacks)
        if self.recipe_id is not None:
            rendering.recipe["recipe_id"] = self.recipe_id
        return rendering

    @property
    def engine(self) -> Engine:
        """How the network was run."""
        batch = self.batch if self.compute_batch is None else self.compute_batch
        return Engine(self.precision, batch, self.channels_last, self.fold, self.winograd, self.compile)

    def _load(self) -> Model | dict[str, Model]:
        if self.models is not None:
            return {name: load_source(one, device=self.device) for name, one in self.models.items()}
        if self.model is None:
            raise RecipeError(
                f"This picture was made with {self.model_name}, a module that only a Python program has; there, call "
                f"lucidtorch.recipes.rerun(path, model=...) with that module."
            )
        return load_source(self.model, device=self.device)


class ComposedRecord(BaseModel):
    """What a picture carries that was put together of others: the whole recipe of its run.

    Attributes:
        kind: The kind of recipe.
        recipe_id: Its checksum.
        picture: The path of the picture in the run's folder.
        recipe: The recipe as it was resolved.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    kind: str
    recipe_id: str
    picture: str
    recipe: dict[str, Any]


def composed(recipe: Recipe, picture: str) -> Settings:
    """Write down what makes a picture again that was put together of others.

    Args:
        recipe: The recipe of the run as it was resolved.
        picture: The path of the picture in the run's folder.

    Returns:
        Plain numbers, texts, lists and mappings.
    """
    found = ComposedRecord(kind=recipe.recipe, recipe_id=recipe.id, picture=picture, recipe=recipe.to_dict())
    return found.model_dump(mode="json")
