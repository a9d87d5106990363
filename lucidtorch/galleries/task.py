"""The unit of work: pictures that are computed together, and how."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field

from lucidtorch.base.checks import is_whole
from lucidtorch.base.defaults import key_text
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.records import settings_text, versions
from lucidtorch.base.registry import defined_by
from lucidtorch.base.shown import shown
from lucidtorch.constraints.constraint import Constraints
from lucidtorch.objectives.algebra import Objective
from lucidtorch.param.param import Param
from lucidtorch.rendering.settings import Engine, Schedule
from lucidtorch.transforms.transform import Pipeline


@dataclass(frozen=True)
class Craft:
    """How pictures are rendered.

    Args:
        param: What makes the images; its batch is the task's. The network's size, Fourier, decorrelated, where None.
        transforms: What they go through; Lucid's standard pipeline where None.
        schedule: How it steps.
        threads: How many threads compute, in this process and in every worker.
        network: A checksum of the network, from `network_key`.
        engine: How the network is run.
        constraints: What the images are held to after each step.

    Raises:
        BadInputError: The number of threads is none.
    """

    param: Param | None
    transforms: Pipeline | None
    schedule: Schedule
    threads: int
    network: str | None
    engine: Engine = Engine()
    constraints: Constraints = field(default_factory=Constraints)

    def __post_init__(self) -> None:
        if not is_whole(self.threads) or self.threads < 1:
            raise BadInputError(f"threads is a whole number from 1, but {shown(self.threads)} was given.")


@dataclass(frozen=True)
class Piece:
    """A picture file of a task.

    Args:
        file: Its path in the folder, with ``/``.
        places: Which images of the task it shows; of several it is a sheet.
        snapshot: After how many updates it shows them; at the end where None.
    """

    file: str
    places: tuple[int, ...]
    snapshot: int | None = None


@dataclass(frozen=True)
class Task:
    """Pictures that are computed together: the unit of work, of resuming and of distribution.

    Args:
        name: A name that no other task in the folder has, fit for a file.
        objective: What is maximized, for all images.
        seeds: One per image.
        pieces: The files that come of it.
        craft: How it is rendered.
        recipe_id: The checksum of the recipe that it is a part of, which every file then carries.
    """

    name: str
    objective: Objective
    seeds: tuple[int, ...]
    pieces: tuple[Piece, ...]
    craft: Craft
    recipe_id: str | None = None

    @property
    def texts(self) -> tuple[str, ...]:
        """The texts whose words decide its files."""
        craft = self.craft
        return tuple(map(repr, (self.objective, craft.param, craft.transforms, craft.constraints)))

    @property
    def key(self) -> str | None:
        """A checksum of everything that decides its files.

        None where transforms, param or network hold a function, which has no value to compare.
        """
        craft = self.craft
        texts_say_all = [one is None or one.is_text for one in (craft.param, craft.transforms)]
        if craft.network is None or not all(texts_say_all):
            return None
        asked = (self.objective, craft.param, craft.transforms, craft.schedule, craft.engine, craft.constraints)
        texts = (craft.network, *map(key_text, asked), *map(repr, self.pieces))
        facts = {"texts": texts, "seeds": self.seeds, "threads": craft.threads, "versions": versions()}
        facts |= {"recipe_id": self.recipe_id} | defined_by(*self.texts)
        return hashlib.sha256(settings_text(facts).encode()).hexdigest()
