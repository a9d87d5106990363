"""Terms: the named functions of activations, and the decorator that makes one of a plain function.

Args:
    function: Takes activations (a mapping of address to `[B, C, H, W]` or `[B, C]`) and arguments, and gives `[B]`.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Concatenate, ParamSpec

from torch import Tensor

from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import ObjectiveError, noting
from lucidtorch.base.notation import format_call
from lucidtorch.base.registry import Registry
from lucidtorch.base.shown import shown
from lucidtorch.objectives import arguments
from lucidtorch.objectives.algebra import Activations, Objective, Trace
from lucidtorch.objectives.arguments import Images
from lucidtorch.objectives.references import INPUT

Arguments = ParamSpec("Arguments")
MEMORY = "memory"  # a parameter of this name is what the term keeps from update to update, and no argument


@dataclass(frozen=True)
class Definition:
    """What the notation knows about one named function of activations."""

    function: Callable[..., Tensor]  # computes `[B]` from activations and arguments
    factory: Callable[..., Term]  # makes the objective of the arguments
    unit: bool  # whether it measures single units, so that a picture of it can be dead
    suffixes: Callable[..., Sequence[str]]  # from its arguments, what it reads of a layer, to write after the address
    remembers: bool  # whether it keeps something from update to update


DEFINITIONS: Registry[Definition] = Registry("objective", ObjectiveError, "lucidtorch.objectives")


def objective(function: Callable[Concatenate[Activations, Arguments], Tensor]) -> Callable[Arguments, Term]:
    """Make an objective of a function, to be called with its arguments alone, and give it its place in the notation.

    Annotations are resolved as `typing.get_type_hints` does, whether they are kept as text or not. A parameter whose
    name begins with ``layer`` is an address. One annotated ``X | Sequence[X]`` takes one value per image.
    One annotated ``ArrayLike`` takes a vector, or a matrix with one row per image; ``Annotated[ArrayLike, "h w"]`` says
    which axes one image's value has. One annotated ``ImageLike`` is a picture, and `of_image` looks up what the network
    makes of it. A keyword-only ``memory: Memory`` is no argument: it is what the term keeps from update to update.

    Raises:
        ObjectiveError: The name is taken by another function.

    Example:
        >>> @objective
        ... def peak(activations: Activations, layer: str) -> Tensor:
        ...     "The largest activation of a whole layer."
        ...     return activations[layer].flatten(1).amax(1)
        >>> peak("conv1_1") - 1
        peak('conv1_1') - 1
    """
    return define(function, unit=False)


DEFINITIONS.adopt = objective


def unit_objective(function: Callable[Concatenate[Activations, Arguments], Tensor]) -> Callable[Arguments, Term]:
    """Make an objective of a function that measures single units, as `objective` does; a picture of it can be dead."""
    return define(function, unit=True)


def define(
    function: Callable[Concatenate[Activations, Arguments], Tensor],
    *,
    unit: bool,
    suffixes: Callable[..., Sequence[str]] = lambda **_: ("",),
) -> Callable[Arguments, Term]:
    """Make a factory of terms, and give it its place in the notation."""
    name = getattr(function, "__name__", "") if callable(function) else ""
    if not name.isidentifier() or isinstance(function, type) or not inspect.signature(function).parameters:
        raise ObjectiveError(f"An objective is a named function of activations and arguments, not {shown(function)}.")
    signature = inspect.signature(function)
    parameters = [one for one in arguments.checked_parameters(name, signature) if one.name != MEMORY]

    @functools.wraps(function)
    def factory(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Term:
        return Term(name, arguments.bound(function, factory, args, kwargs))

    vars(factory)["__signature__"] = signature.replace(parameters=parameters, return_annotation="Term")
    del factory.__wrapped__  # the signature is the factory's own
    definition = Definition(function, factory, unit, suffixes, MEMORY in signature.parameters)
    DEFINITIONS.add(name, definition, function.__module__)
    return factory


@dataclass(frozen=True, repr=False)
class Term(Objective):
    """A named function of activations with its arguments."""

    name: str
    arguments: tuple[tuple[str, object], ...]  # every parameter with its argument, frozen, as in the signature

    @property
    def definition(self) -> Definition:
        """What the notation knows about this term's function."""
        return DEFINITIONS[self.name]

    @property
    def own_layers(self) -> tuple[str, ...]:
        suffixes = self.definition.suffixes(**dict(self.arguments))
        return tuple(layer + suffix for layer in arguments.addresses_of(self, self.arguments) for suffix in suffixes)

    @property
    def own_images(self) -> Images:
        return arguments.images_of(self, self.arguments, self.definition.function)

    @property
    def pictures(self) -> tuple[Array, ...]:
        """The pictures among the arguments."""
        return arguments.pictures_of(self.arguments, self.definition.function)

    @property
    def own_targets(self) -> tuple[tuple[str, Array], ...]:
        """The pictures among the arguments, each with a layer whose activations of it are read."""
        return tuple((layer, picture) for picture in self.pictures for layer in self.own_layers if layer != INPUT)

    def replaced(self, **changes: object) -> Term:
        """Make the same term with other arguments."""
        return Term(self.name, tuple((name, changes.get(name, value)) for name, value in self.arguments))

    def compute(self, activations: Activations, trace: Trace) -> Tensor:
        arguments.check_layers(self, self.own_layers, arguments.addresses_of(self, self.arguments), activations)
        kept = {MEMORY: trace.memories.setdefault(self, {})} if self.definition.remembers else {}
        placed, named = arguments.split(self.definition.factory, self.arguments)
        with noting(f"raised by the objective {self.name!r}"):
            return self.definition.function(activations, *placed, **named, **kept)

    def __repr__(self) -> str:
        return format_call(self.name, inspect.signature(self.definition.factory), dict(self.arguments))
