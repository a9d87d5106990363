"""What a render will do, settled and checked before its first step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import torch

from lucidtorch.base.arrays import Array
from lucidtorch.base.defaults import record_text
from lucidtorch.base.records import Settings, versions
from lucidtorch.base.sizes import Size
from lucidtorch.constraints.constraint import Constraints
from lucidtorch.models.layers.address import Address
from lucidtorch.models.running.precision import Precision
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.images import Grid
from lucidtorch.objectives.term import Term
from lucidtorch.param.param import Param
from lucidtorch.rendering.coupling import Coupling
from lucidtorch.rendering.engine import Engine
from lucidtorch.rendering.networks import ONLY, Networks
from lucidtorch.rendering.schedule import Schedule
from lucidtorch.transforms.transform import Pipeline

KNOWN_PACKAGES = ("lucidtorch", "torch", "torchvision", "timm", "transformers")


@dataclass(frozen=True)
class Job:
    """Everything that decides a render.

    Args:
        networks: The networks.
        objective: What was asked for, as it prints.
        goal: The same with class names, networks and grids looked up, as it is computed.
        addresses: Where the layers are that it needs.
        param: The unfilled param; the render works on a copy.
        pipeline: What the images go through.
        schedule: How it steps.
        seeds: One per image.
        engine: How the networks are run; its compute batch is settled.
        coupling: How the images hang together.
        constraints: What the images are held to after each step.
    """

    networks: Networks
    objective: Objective
    goal: Objective
    addresses: Mapping[str, Address]
    param: Param
    pipeline: Pipeline
    schedule: Schedule
    seeds: tuple[int, ...]
    engine: Engine = Engine()  # noqa: RUF009  # a frozen value
    coupling: Coupling = Coupling.UNDIVIDED
    constraints: Constraints = field(default_factory=Constraints)

    @property
    def precision(self) -> Precision:
        """What the networks compute in."""
        return self.engine.computing

    @property
    def canvas(self) -> Size:
        """The height and width that the networks see; of clips and volumes, frames or slices before them."""
        return self.pipeline.output_size(self.param.size)

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The large arrays that the texts name and that must stand beside a picture."""
        named = [array for node in self.objective.walk() for array in arrays_of(node)]
        found = (*named, *self.param.arrays, *self.constraints.arrays)
        return tuple(dict.fromkeys(one for one in found if not one.is_inline))

    @property
    def draws_from_torch_alone(self) -> bool:
        """Whether all code that runs is known, and draws from no global random state but torch's."""
        terms = [node for node in self.goal.walk() if isinstance(node, Term)]
        modules = [part for model in self.networks.models.values() for part in model.module.modules()]
        homes = [
            *(type(one).__module__ for one in modules),
            *(one.definition.function.__module__ for one in terms),
        ]
        known = all(home.partition(".")[0] in KNOWN_PACKAGES for home in homes)
        given = all(model.is_data for model in self.networks.models.values())
        return known and given and self.param.is_text and self.pipeline.is_text

    def settings(self) -> Settings:
        """Write down everything that decides the bytes of the pictures."""
        sources = {
            name: None if model.source is None else model.source.portable().to_dict()
            for name, model in self.networks.models.items()
        }
        return {
            "kind": "render",
            "model": sources.get(ONLY),
            "models": None if ONLY in sources or None in sources.values() else sources,
            "model_name": self.networks.name,
            "objective": record_text(self.objective),
            "param": record_text(self.param) if self.param.is_text else None,
            "transforms": record_text(self.pipeline) if self.pipeline.is_text else None,
            "constraints": record_text(self.constraints),
            "complete": True,
            **self.schedule.settings(),
            "seed": list(self.seeds),
            "batch": self.param.batch,
            "canvas": list(self.canvas),
            **self.engine.to_dict(),
            "device": self.networks.device.type,
            "threads": torch.get_num_threads(),
            "versions": versions(),
        }


def arrays_of(node: Objective) -> list[Array]:
    """List the arrays among the arguments of one node of an expression."""
    if isinstance(node, Grid):
        return [node.image]
    return [value for _, value in node.arguments if isinstance(value, Array)] if isinstance(node, Term) else []
