"""What a recipe plans on: the network, and what its common fields come to."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from lucidtorch.base.seeds import PICTURE_BITS, SEED_BITS, picture_seed
from lucidtorch.base.sizes import short_size, size_text
from lucidtorch.galleries.plan import chosen_units
from lucidtorch.galleries.task import Craft, Piece, Task
from lucidtorch.models.layers.table import LayerTable
from lucidtorch.models.model import Model, default_layers, network_key
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.references import INPUT
from lucidtorch.objectives.term import Term
from lucidtorch.objectives.text import parse as parse_objective
from lucidtorch.param.images import image
from lucidtorch.param.param import Param
from lucidtorch.param.text import parse as parse_param
from lucidtorch.recipes.blame import FieldError, blamed
from lucidtorch.recipes.recipe import Recipe, RenderingRecipe
from lucidtorch.recipes.runs.planning import Shot, together
from lucidtorch.rendering.preparation import default_size, read_constraints
from lucidtorch.rendering.settings import RULES, Schedule
from lucidtorch.transforms.text import parse as parse_transforms

Join = Callable[[Sequence[Objective]], Objective]


@dataclass(frozen=True)
class Stage:
    """What a recipe plans on.

    Args:
        recipe: The recipe.
        network: The network.
        base: The folder that relative paths in the recipe start from.
        craft: How pictures are rendered, as the recipe's common fields say; as usual where it renders none.
        seed_bits: How large the seeds of pictures may be.
    """

    recipe: Recipe
    network: Model
    base: Path
    craft: Craft
    seed_bits: int = PICTURE_BITS

    @classmethod
    def of(cls, recipe: Recipe, network: Model, base: Path, seed_bits: int | None = None) -> Stage:
        """Read the fields that all recipes have."""
        if seed_bits is None:
            made_with = recipe.made_with
            seed_bits = SEED_BITS if made_with is not None and made_with.seed_bits is None else PICTURE_BITS
        return cls(recipe, network, base, _craft(recipe, network, base), seed_bits)

    @property
    def table(self) -> LayerTable:
        """The layers of the network."""
        return self.network.layers

    @property
    def param(self) -> Param:
        """What makes the images, of the network's own size where nobody said another."""
        if self.craft.param is not None:
            return self.craft.param
        return image(short_size(default_size(self.network)), channels=self.network.convention.channels)

    def sum_of(self, what: str) -> str | None:
        """Look up the checksum of something that an earlier run of the recipe read."""
        return None if self.recipe.made_with is None else self.recipe.made_with.files.get(what)

    def seed(self, *parts: int | str, start: int | None = None) -> int:
        """Make the seed of a picture."""
        return picture_seed(self.recipe.seed if start is None else start, *parts, bits=self.seed_bits)

    def objective(self, text: str, *key: str | int) -> Objective:
        """Read an objective."""
        with blamed(*key):
            found = parse_objective(text, self.base)
            for layer in found.layers:
                if layer != INPUT:
                    self.table.resolve(layer)
            for node in found.walk():
                self._check_units(node)
        return found

    def layers(self, given: str | Sequence[str] | None, field: str = "layers") -> tuple[str, ...]:
        """Read addresses of layers."""
        names = [given] if isinstance(given, str) else given
        for place, name in enumerate(names or ()):
            with blamed(field) if isinstance(given, str) else blamed(field, place):
                self.table.resolve(name)
        with blamed(field):
            found = default_layers(self.network, names)
        if not found:
            raise FieldError((field,), f"{self.network.name} has no convolution or linear layer; name layers.")
        return found

    def units(self, layer: str, given: str | int | Sequence[int], field: str = "units") -> tuple[int, ...]:
        """Read the units of a layer."""
        with blamed(field):
            return chosen_units(self.network, layer, [given] if isinstance(given, int) else given)

    def tasks(
        self, name: str, shots: Sequence[Shot], *, craft: Craft | None = None, join: Join = together, batch: int = 0
    ) -> tuple[Task, ...]:
        """Cut pictures into tasks of one size: a picture is the same wherever it stands.

        From a whole batch on, it is the same however many there are.
        """
        size = min(batch or self.recipe.batch, len(shots))
        return tuple(
            self._task(f"{name}-{number:05d}", shots[start : start + size], size, craft or self.craft, join)
            for number, start in enumerate(range(0, len(shots), size))
        )

    def _check_units(self, node: Objective) -> None:
        """Refuse units that a layer does not have, also where they are rendered late."""
        arguments = dict(node.arguments) if isinstance(node, Term) else {}
        units, layer = arguments.get("index"), arguments.get("layer")
        if isinstance(layer, str) and isinstance(units, int | tuple):
            chosen_units(self.network, layer, (units,) if isinstance(units, int) else units)

    def _task(self, name: str, shots: Sequence[Shot], size: int, craft: Craft, join: Join) -> Task:
        padded = [*shots, *[shots[-1]] * (size - len(shots))]
        pieces = tuple(Piece(shot.file, (place,)) for place, shot in enumerate(shots))
        return Task(name, join([one.objective for one in padded]), tuple(one.seed for one in padded), pieces, craft)

    def schedule(self, snapshots: Sequence[int]) -> Craft:
        """Keep pictures on the way."""
        with blamed("snapshots"):
            return replace(self.craft, schedule=replace(self.craft.schedule, snapshots=tuple(snapshots)))


def _craft(recipe: Recipe, network: Model, base: Path) -> Craft:
    if not isinstance(recipe, RenderingRecipe):
        return Craft(None, None, Schedule(), recipe.threads, network_key(network))
    with blamed("transforms"):
        pipeline = None if recipe.transforms is None else parse_transforms(recipe.transforms)
    with blamed("constraints"):
        held = read_constraints(recipe.constraints, base)
    for name, parse in RULES.items():
        with blamed(name):
            parse(getattr(recipe, name))
    param, key = _param(recipe, network, base), network_key(network)
    return Craft(param, pipeline, recipe.schedule, recipe.threads, key, recipe.engine, held)


def _param(recipe: RenderingRecipe, network: Model, base: Path) -> Param | None:
    sides = recipe.sides()
    if recipe.param is None:
        if sides is None:
            return None
        with blamed("size"):
            return image(short_size(sides), channels=network.convention.channels)
    with blamed("param"):
        found = parse_param(recipe.param, base)
    if sides is not None and found.size != sides:
        raise FieldError(
            ("size",),
            f"size is {size_text(sides)} and param makes {size_text(found.size)}; leave one of the two out.",
        )
    return found
