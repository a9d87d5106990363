"""What a render will do, settled and checked before its first step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from lucidtorch.base.arrays import Array
from lucidtorch.base.sizes import Size
from lucidtorch.constraints.constraint import Constraints
from lucidtorch.models.running.address import Address
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.images import Grid
from lucidtorch.objectives.term import Term
from lucidtorch.param.param import Param
from lucidtorch.rendering.coupling import Coupling
from lucidtorch.rendering.networks import Networks
from lucidtorch.rendering.settings import Engine, Schedule
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
    engine: Engine = Engine()
    coupling: Coupling = Coupling.UNDIVIDED
    constraints: Constraints = field(default_factory=Constraints)

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


def arrays_of(node: Objective) -> list[Array]:
    """List the arrays among the arguments of one node of an expression."""
    if isinstance(node, Grid):
        return [node.image]
    return [value for _, value in node.arguments if isinstance(value, Array)] if isinstance(node, Term) else []
