"""One picture made in several ways: the objective, the param and what else each way is rendered with."""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import reduce
from typing import Literal

import torch

from lucidtorch.base.arrays import Array
from lucidtorch.base.sizes import short_size
from lucidtorch.constraints.constraint import Constraints
from lucidtorch.galleries.task import Craft
from lucidtorch.objectives.algebra import Objective
from lucidtorch.param.images import Image, image
from lucidtorch.param.text import parse as parse_param
from lucidtorch.recipes.blame import FieldError, Key, blamed
from lucidtorch.recipes.parts.regularizers import Regularizer
from lucidtorch.recipes.recipe import RenderingRecipe
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.rendering.job import read_constraints
from lucidtorch.transforms.text import parse as parse_transforms
from lucidtorch.transforms.transform import Pipeline

BASIS = ("fft", "sd", "decay", "spectrum")  # what `spatial` says in their place
NOTHING = "identity()"


@dataclass(frozen=True)
class Way:
    """One way to make the picture.

    Args:
        objective: What it maximizes, less the penalties.
        craft: How it is rendered.
        same_start: Whether it starts from the picture that all others start from.
    """

    objective: Objective
    craft: Craft
    same_start: bool


@dataclass(frozen=True)
class Ground:
    """What all ways have in common: plain ascent.

    Args:
        stage: What the recipe plans on.
        goal: The bare objective.
        param: What makes the picture.
        seed: The picture's.
        weight: What penalties are multiplied by.
    """

    stage: Stage
    goal: Objective
    param: Image
    seed: int
    weight: float

    @property
    def start(self) -> torch.Tensor:
        """The picture that everything starts from, `[C, *size]` in [0, 1]."""
        param = self.param.resized(batch=1)
        param.fill([self.seed])
        with torch.no_grad():
            images: torch.Tensor = param()
        return images[0]

    def way(self, parts: Sequence[tuple[Key, Regularizer]]) -> Way:
        """Add regularizers to plain ascent."""
        param = self.param
        for key, part in parts:
            with blamed(*key, "param"):
                param = _changed(param, part)
        same = param is self.param or param.invertible
        if param is not self.param and same:
            param = Image({**param.arguments, "init": Array.of(self.start)}, param.added)
        craft = replace(
            self.stage.craft, param=param, transforms=self._transforms(parts), constraints=self._constraints(parts)
        )
        return Way(self._objective(parts), craft, same)

    def changes(self, part: Regularizer) -> bool:
        """Say whether a regularizer of a param alone is something else than plain ascent."""
        if part.penalty is not None or part.transforms is not None or part.constraints is not None:
            return True
        found = _changed(self.param, part)
        return _basis(found) != _basis(self.param)

    def written(self, key: Key, part: Regularizer, write: Callable[[object], str] = repr) -> Regularizer:
        """Write a regularizer in canonical texts."""
        texts: dict[str, object] = {}
        if part.penalty is not None:
            texts["penalty"] = write(self.stage.objective(part.penalty, *key, "penalty"))
        if part.transforms is not None:
            with blamed(*key, "transforms"):
                texts["transforms"] = write(parse_transforms(part.transforms))
        if part.constraints is not None:
            with blamed(*key, "constraints"):
                texts["constraints"] = write(read_constraints(part.constraints, self.stage.base))
        return part.model_copy(update=texts)

    def _objective(self, parts: Sequence[tuple[Key, Regularizer]]) -> Objective:
        penalties = [
            self.stage.objective(part.penalty, *key, "penalty") for key, part in parts if part.penalty is not None
        ]
        weighed = [one if self.weight == 1 else self.weight * one for one in penalties]
        return reduce(operator.sub, weighed, self.goal)

    def _transforms(self, parts: Sequence[tuple[Key, Regularizer]]) -> Pipeline:
        plain = self.stage.craft.transforms
        steps = [] if plain is None or repr(plain) == NOTHING else [plain]
        for key, part in parts:
            if part.transforms is not None:
                with blamed(*key, "transforms"):
                    steps.append(parse_transforms(part.transforms))
        return Pipeline.of(steps) if steps else parse_transforms(NOTHING)

    def _constraints(self, parts: Sequence[tuple[Key, Regularizer]]) -> Constraints:
        found = self.stage.craft.constraints
        for key, part in parts:
            if part.constraints is not None:
                with blamed(*key, "constraints"):
                    found = found | read_constraints(part.constraints, self.stage.base)
        return found


def plain_image(stage: Stage, *, bounds: Literal["sigmoid", "clip"] = "sigmoid") -> Image:
    """Give what makes the picture in plain ascent: one number per pixel and colour where the recipe says nothing."""
    param = stage.param
    if not isinstance(param, Image):
        raise FieldError(("param",), f"Ways to make a picture are compared on image(...), but param is {param!r}.")
    if isinstance(stage.recipe, RenderingRecipe) and stage.recipe.param is None:
        size = short_size(param.size)
        return image(size, channels=stage.network.convention.channels, fft=False, decorrelate=False, bounds=bounds)
    if param.batch != 1:
        raise FieldError(("param",), f"One picture is shown in many ways, but param makes {param.batch}.")
    return param


def _changed(param: Image, part: Regularizer) -> Image:
    """Take other arguments of `image` from a regularizer."""
    if part.param is None or not part.param.given:
        return param
    given = parse_param(f"image({list(param.size)}, {part.param})")
    named = [*part.param.given, *(BASIS if part.param.spatial is not None else ())]
    found = given.arguments if isinstance(given, Image) else {}
    return Image({**param.arguments, **{name: found[name] for name in named}}, param.added)


def _basis(param: Image) -> tuple[object, ...]:
    return param.words, param.finish.colour is None, param.arguments["bounds"]
