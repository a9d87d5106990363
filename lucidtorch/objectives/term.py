"""Terms: the named functions of activations, and the decorator that makes one of a plain function."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Annotated, Any, Concatenate, ParamSpec, get_origin

from torch import Tensor, nn

from lucidtorch.base.arrays import Array, Pictured
from lucidtorch.base.checks import is_whole
from lucidtorch.base.errors import ObjectiveError, UnitError, UnknownLayerError, suggestion
from lucidtorch.base.hints import Hints, alternatives, hints_of, marks_of
from lucidtorch.base.notation import bind, format_call
from lucidtorch.base.noting import noting
from lucidtorch.base.shown import shown
from lucidtorch.objectives.algebra import Objective, Operand
from lucidtorch.objectives.counts import Images
from lucidtorch.objectives.references import INPUT, checked_picture
from lucidtorch.objectives.trace import Activations, Trace

Arguments = ParamSpec("Arguments")
MEMORY = "memory"  # a parameter of this name is what the term keeps from update to update, and no argument
PICTURE_AXES = 3  # of `[C, H, W]`


@dataclass(frozen=True)
class Definition:
    """What the notation knows about one named function of activations.

    Args:
        name: Its name in expressions.
        function: Computes `[B]` from activations and arguments.
        signature: Its parameters, without the activations.
        unit: Whether it speaks of single units, so that a picture of it can be dead.
        factory: Makes the objective of the arguments.
        suffixes: What it reads of its layers, as brackets to write behind the address, from its arguments by name;
            None where it reads the activations themselves.
        remembers: Whether it keeps something from update to update.
    """

    name: str
    function: Callable[..., Tensor]
    signature: inspect.Signature
    unit: bool
    factory: Callable[..., Term]
    suffixes: Callable[..., Sequence[str]] | None = None
    remembers: bool = False

    def is_per_image(self, parameter: str) -> bool:
        """Say whether a parameter takes one value, or a list of one per image: `X | Sequence[X]`."""
        hint = self._hint(parameter)
        kinds = [get_origin(one) for one in alternatives(hint) if one is not NoneType]
        lists = [isinstance(kind, type) and issubclass(kind, Sequence) for kind in kinds]
        return any(lists) and not all(lists) and Array not in marks_of(hint)

    def is_picture(self, parameter: str) -> bool:
        """Say whether a parameter takes a picture, whose activations are read too."""
        return Pictured in marks_of(self._hint(parameter))

    def axes(self, parameter: str) -> int | None:
        """Count the axes that one image's value of an array has, as in `Annotated[ArrayLike, "h w"]`."""
        marks = marks_of(self._hint(parameter))
        if Pictured in marks:
            return PICTURE_AXES
        named = next((one for one in marks if isinstance(one, str)), "")
        return max(1, len(named.split())) if Array in marks else None

    def _hint(self, parameter: str) -> Any:
        return _types(self.function).get(parameter, Any)


DEFINITIONS: dict[str, Definition] = {}


def objective(
    function: Callable[Concatenate[Activations, Arguments], Tensor],
) -> Callable[Arguments, Term]:
    """Make an objective of a function, and give it its place in the notation.

    Annotations are resolved as `typing.get_type_hints` does, whether they are kept as text or not. A parameter whose
    name begins with ``layer`` is an address. One annotated ``X | Sequence[X]`` takes one value per image.
    One annotated ``ArrayLike`` takes a vector, or a matrix with one row per image; ``Annotated[ArrayLike, "h w"]`` says
    which axes one image's value has. One annotated ``ImageLike`` is a picture, and `of_image` looks up what the network
    makes of it. A keyword-only ``memory: Memory`` is no argument: it is what the term keeps from update to update.

    Args:
        function: Takes activations (a mapping of address to `[B, C, H, W]` or `[B, C]`) and arguments, and gives `[B]`.

    Returns:
        A function of the arguments alone that gives the objective.

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
    return _defined(function, unit=False)


def unit_objective(
    function: Callable[Concatenate[Activations, Arguments], Tensor],
) -> Callable[Arguments, Term]:
    """Make an objective of a function that speaks of single units; a picture of it can be dead.

    Args:
        function: As for `objective`.

    Returns:
        As `objective`.
    """
    return _defined(function, unit=True)


def view_objective(
    suffixes: Callable[..., Sequence[str]],
) -> Callable[[Callable[Concatenate[Activations, Arguments], Tensor]], Callable[Arguments, Term]]:
    """Make a unit objective of a function that reads other things of its layer than the activations."""

    def decorator(function: Callable[Concatenate[Activations, Arguments], Tensor]) -> Callable[Arguments, Term]:
        return _defined(function, unit=True, suffixes=suffixes)

    return decorator


def viewed(activations: Activations, layer: str, suffix: str) -> Tensor:
    """Look up what is read of a layer beside its activations."""
    return activations[layer + suffix] if layer + suffix in activations else activations[layer]


def _defined(
    function: Callable[Concatenate[Activations, Arguments], Tensor],
    *,
    unit: bool,
    suffixes: Callable[..., Sequence[str]] | None = None,
) -> Callable[Arguments, Term]:
    name = getattr(function, "__name__", "") if callable(function) else ""
    if not name.isidentifier() or isinstance(function, type) or not inspect.signature(function).parameters:
        raise ObjectiveError(f"An objective is a named function of activations and arguments, not {shown(function)}.")
    known = DEFINITIONS.get(name)
    if known is not None and known.function.__module__ != function.__module__:
        raise ObjectiveError(
            f"There is an objective {name!r} already, in {known.function.__module__}; choose another name."
        )
    full = inspect.signature(function)
    parameters = list(full.parameters.values())[1:]
    signature = full.replace(parameters=[one for one in parameters if one.name != MEMORY])

    @functools.wraps(function)
    def factory(*args: Arguments.args, **kwargs: Arguments.kwargs) -> Term:
        return Term(name, tuple(bind(factory, args, kwargs, _types(function)).items()))

    vars(factory)["__signature__"] = signature.replace(return_annotation="Term")
    del factory.__wrapped__  # the signature is the factory's own
    remembers = MEMORY in full.parameters
    DEFINITIONS[name] = Definition(name, function, signature, unit, factory, suffixes, remembers)
    return factory


@functools.cache
def _types(function: Callable[..., Tensor]) -> Hints:
    """The types of a function's arguments; a layer may be a module too, until a render writes its address."""
    hints = hints_of(function)
    whole = {name: hint | nn.Module if name.startswith("layer") else hint for name, hint in hints.items()}
    return {name: Annotated[hint, ObjectiveError] for name, hint in whole.items()}


@dataclass(frozen=True, repr=False)
class Term(Objective):
    """A named function of activations with its arguments.

    Args:
        name: The name of the function.
        arguments: Every parameter with its argument, frozen, in the order of the signature.
    """

    name: str
    arguments: tuple[tuple[str, object], ...]

    @property
    def definition(self) -> Definition:
        """What the notation knows about this term's function."""
        if self.name not in DEFINITIONS:
            raise ObjectiveError(f"No objective {self.name!r} is defined here; import the module that defines it.")
        return DEFINITIONS[self.name]

    @property
    def own_layers(self) -> tuple[str, ...]:
        """The addresses among the arguments, with what is read of them."""
        return tuple(layer + suffix for layer in self._addresses() for suffix in self._suffixes())

    def _addresses(self) -> tuple[str, ...]:
        named = [value for name, value in self.arguments if name.startswith("layer") and value is not None]
        return tuple(self._address(value) for value in named)

    def _suffixes(self) -> Sequence[str]:
        suffixes = self.definition.suffixes
        return ("",) if suffixes is None else suffixes(**dict(self.arguments))

    def _address(self, layer: object) -> str:
        if not isinstance(layer, str):
            raise ObjectiveError(
                f"{self!r} names a layer by a {type(layer).__name__}, whose address only `render` and `optimize` know; "
                f"write the address as text."
            )
        return layer

    @property
    def own_targets(self) -> tuple[tuple[str, Array], ...]:
        """The pictures among the arguments, each with a layer whose activations of it are read."""
        layers = [layer for layer in self.own_layers if layer != INPUT]
        return tuple((layer, picture) for picture in self.pictures for layer in layers)

    @property
    def pictures(self) -> tuple[Array, ...]:
        """The pictures among the arguments."""
        named = [value for name, value in self.arguments if self.definition.is_picture(name)]
        return tuple(checked_picture(value) for value in named if isinstance(value, Array))

    @property
    def own_images(self) -> Images:
        """How many images the arguments speak of."""
        found = Images()
        for name, value in self.arguments:
            found = found.also(Images(self._images_of(name, value)))
        return found

    def _images_of(self, name: str, value: object) -> int | None:
        if isinstance(value, tuple) and self.definition.is_per_image(name):
            if not value:
                raise ObjectiveError(f"{self!r} names no {name}; name one, or one per image.")
            return len(value)
        axes = self.definition.axes(name)
        if axes is not None and isinstance(value, tuple | Array):
            shape = Array.of(value).shape
            return shape[0] if len(shape) > axes else None
        return None

    def children(self) -> tuple[Operand, ...]:
        return ()

    def rebuilt(self, children: tuple[Any, ...]) -> Objective:
        return self

    def replaced(self, **changes: object) -> Term:
        """Make the same term with other arguments."""
        return Term(self.name, tuple((name, changes.get(name, value)) for name, value in self.arguments))

    def evaluate(self, activations: Activations, trace: Trace) -> Tensor:
        if self not in trace:
            bare = [one for one in self._addresses() if one in activations]
            for layer in self.own_layers:
                if layer not in activations and not any(layer.startswith(one) for one in bare):
                    hint = suggestion(layer, activations)
                    raise UnknownLayerError(f"{self!r} needs the activations of {layer!r}, which are not there. {hint}")
            kept = {MEMORY: trace.memory_of(self)} if self.definition.remembers else {}
            with noting(f"raised by the objective {self.name!r}"):
                trace[self] = self.definition.function(activations, **dict(self.arguments), **kept)
        return trace[self]

    def __repr__(self) -> str:
        return format_call(self.name, self.definition.signature, dict(self.arguments))


def check_unit(index: object, size: int, what: str, layer: str) -> int:
    """Make sure that an index names one of a layer's units."""
    if not is_whole(index) or not 0 <= index < size:
        raise UnitError(f"{layer!r} has {size} {what}, 0 to {size - 1}, but {shown(index)} was given.")
    return index
