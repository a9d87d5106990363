"""What a term's arguments are: addresses, pictures, one value per image; and how many images they require."""

from __future__ import annotations

import functools
import inspect
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType, UnionType
from typing import Annotated, Any, TypeAlias, Union, get_args, get_origin

from torch import nn

from lucidtorch.base.arrays import Array, ImageLike, Pictured
from lucidtorch.base.checks import Hints, hints_of, marks_of
from lucidtorch.base.errors import BadInputError, ImageError, ObjectiveError, UnknownLayerError, suggestion
from lucidtorch.base.notation import bind, freeze
from lucidtorch.base.shown import shown

Arguments: TypeAlias = tuple[tuple[str, object], ...]  # every parameter with its argument, frozen
PICTURE_AXES = 3  # of `[C, H, W]`
EXACT = 2**53  # whole numbers up to here are exact in float64


@dataclass(frozen=True)
class Images:
    """How many images an expression requires."""

    exactly: int | None = None  # None where any number will do
    at_least: int = 0  # for every image that it names to exist

    @property
    def number(self) -> int | None:
        """The number of images to make, or None where any number will do."""
        return self.exactly if self.exactly is not None else (self.at_least or None)

    def also(self, other: Images) -> Images:
        """Combine the requirements of two parts of an expression."""
        stated = {number for number in (self.exactly, other.exactly) if number is not None}
        least = max(self.at_least, other.at_least)
        if len(stated) > 1:
            raise ObjectiveError(f"One part speaks of {self.exactly} images and another of {other.exactly}.")
        exactly = stated.pop() if stated else None
        if exactly is not None and least > exactly:
            raise ObjectiveError(f"`.on({least - 1})` names an image that is not there: there are {exactly}.")
        return Images(exactly, least)


@dataclass(frozen=True)
class Kind:
    """What the annotation of a parameter means for its values."""

    per_image: bool  # whether it takes one value, or a list of one per image: `X | Sequence[X]`
    picture: bool  # whether it takes a picture, whose activations are looked up
    axes: int | None  # of one image's value of an array, as in `Annotated[ArrayLike, "h w"]`; None where it is no array

    @classmethod
    def of(cls, hint: Any) -> Kind:
        """Read an annotation."""
        marks = marks_of(hint)
        origins = [get_origin(one) for one in _alternatives(hint) if one is not NoneType]
        lists = [isinstance(origin, type) and issubclass(origin, Sequence) for origin in origins]
        named = next((mark for mark in marks if isinstance(mark, str)), "")
        axes = PICTURE_AXES if Pictured in marks else max(1, len(named.split()))
        is_array = Array in marks
        return cls(any(lists) and not all(lists) and not is_array, Pictured in marks, axes if is_array else None)

    def images(self, value: object) -> int | None:
        """Count the images that an argument has a value for; None where it is one for all."""
        if isinstance(value, tuple) and self.per_image:
            return len(value)
        if self.axes is not None and isinstance(value, tuple | Array):
            shape = Array.of(value).shape
            return shape[0] if len(shape) > self.axes else None
        return None


@functools.cache
def types_of(function: Callable[..., Any]) -> Hints:
    """The types of a function's arguments; a layer may be a module too, until a render writes its address."""
    hints = hints_of(function)
    whole = {name: hint | nn.Module if is_layer(name) else hint for name, hint in hints.items()}
    return {name: Annotated[hint, ObjectiveError] for name, hint in whole.items()}


@functools.cache
def kinds_of(function: Callable[..., Any]) -> Mapping[str, Kind]:
    """The kind of each argument of a function."""
    types = types_of(function)
    return {name: Kind.of(types.get(name, Any)) for name in inspect.signature(function).parameters}


def is_layer(parameter: str) -> bool:
    """Say whether a parameter is the address of a layer."""
    return parameter.startswith("layer")


def checked_parameters(name: str, signature: inspect.Signature) -> list[inspect.Parameter]:
    """List the parameters after the activations; those whose arguments a text cannot name one by one are refused."""
    first, *others = signature.parameters.values()
    if first.kind not in (first.POSITIONAL_ONLY, first.POSITIONAL_OR_KEYWORD):
        raise ObjectiveError(f"{name} takes its activations by place: write {name}(activations, ...).")
    stars = [one for one in others if one.kind in (one.VAR_POSITIONAL, one.VAR_KEYWORD)]
    if stars:
        raise ObjectiveError(
            f"{name}({stars[0]}) takes any number of arguments, but each argument of an objective has a name of its "
            "own; write one that takes a list, such as `units: Sequence[int]`."
        )
    return others


def bound(
    function: Callable[..., Any], factory: Callable[..., Any], given: tuple[Any, ...], named: dict[str, Any]
) -> Arguments:
    """Bind the arguments of a call of a factory, frozen and checked."""
    found = bind(factory, given, named, types_of(function))
    check_arguments(function, found)
    return tuple(found.items())


def split(factory: Callable[..., Any], arguments: Arguments) -> tuple[list[object], dict[str, object]]:
    """Split arguments into positional-only ones and those that have names."""
    named = dict(arguments)
    return [named.pop(name) for name in _positional_only(factory)], named


@functools.cache  # every evaluation of a term asks
def _positional_only(factory: Callable[..., Any]) -> tuple[str, ...]:
    parameters = inspect.signature(factory).parameters.values()
    return tuple(one.name for one in parameters if one.kind is one.POSITIONAL_ONLY)


def check_arguments(function: Callable[..., Any], arguments: Mapping[str, object]) -> None:
    """Refuse frozen arguments that a text cannot hold, and those that have a meaning only by an unknown annotation."""
    for name, value in arguments.items():
        call = f"{getattr(function, '__name__', 'objective')}({name})"
        if not _has_text(value, name):
            raise ObjectiveError(
                f"{call} takes what the text of an objective can hold, numbers, texts, lists and arrays, but "
                f"{shown(value)} was given."
            )
        annotation = getattr(function, "__annotations__", {}).get(name)
        if isinstance(value, tuple | Array) and annotation is not None and name not in types_of(function):
            raise ObjectiveError(
                f"{call} is annotated {shown(annotation)}, which cannot be resolved, so that it is not known whether "
                "a list has one value per image; import that name outside of `if TYPE_CHECKING`."
            )


def _has_text(value: object, name: str) -> bool:
    if isinstance(value, tuple):
        return all(_has_text(one, name) for one in value)
    plain = isinstance(value, bool | int | float | str | Array | None)
    return plain or (is_layer(name) and isinstance(value, nn.Module))


def addresses_of(term: object, arguments: Arguments) -> tuple[str, ...]:
    """The addresses among a term's arguments."""
    layers = [value for name, value in arguments if is_layer(name) and value is not None]
    for layer in layers:
        if not isinstance(layer, str):
            raise ObjectiveError(
                f"{term!r} names a layer by a {type(layer).__name__}, whose address only `render` and `optimize` know; "
                f"write the address as text."
            )
    return tuple(layer for layer in layers if isinstance(layer, str))


def check_layers(
    term: object, read: Sequence[str], addresses: Sequence[str], activations: Mapping[str, object]
) -> None:
    """Make sure that what a term reads is there; in the place of a view of a layer, its activations may be given."""
    bare = [layer for layer in addresses if layer in activations]
    for layer in read:
        if layer not in activations and not any(layer.startswith(one) for one in bare):
            hint = suggestion(layer, activations)
            raise UnknownLayerError(f"{term!r} needs the activations of {layer!r}, which are not there. {hint}")


def images_of(term: object, arguments: Arguments, function: Callable[..., Any]) -> Images:
    """How many images a term's arguments require."""
    found = Images()
    for name, value in arguments:
        count = kinds_of(function)[name].images(value)
        if count == 0:
            raise ObjectiveError(f"{term!r} names no {name}; name one, or one per image.")
        found = found.also(Images(count))
    return found


def pictures_of(arguments: Arguments, function: Callable[..., Any]) -> tuple[Array, ...]:
    """The pictures among a term's arguments."""
    named = [value for name, value in arguments if kinds_of(function)[name].picture]
    return tuple(checked_picture(value) for value in named if isinstance(value, Array))


def checked_picture(image: ImageLike) -> Array:
    """Make sure that an argument is a picture."""
    picture = Array.of(image)
    if len(picture.shape) not in (PICTURE_AXES, PICTURE_AXES + 1):
        raise ImageError(f"A picture is [C, H, W], or [B, C, H, W], but one of shape {list(picture.shape)} was given.")
    low, high = picture.span
    if low < 0 or high > 1:
        raise ImageError(f"A picture lies in [0, 1], but this one runs from {low:.3g} to {high:.3g}; divide by 255?")
    return picture


def frozen_operand(value: Any) -> Any:
    """Take an operand into an expression."""
    plain = freeze(value)
    if isinstance(plain, bool):
        return int(plain)
    if isinstance(plain, int) and abs(plain) > EXACT:
        try:
            return float(plain)
        except OverflowError as error:
            raise BadInputError(
                f"A number up to {sys.float_info.max:.1e} is needed, but a larger one was given."
            ) from error
    return plain


def _alternatives(hint: Any) -> tuple[Any, ...]:
    """List the types that a union joins."""
    if get_origin(hint) is Annotated:
        return _alternatives(get_args(hint)[0])
    if get_origin(hint) in (Union, UnionType):
        return tuple(inner for one in get_args(hint) for inner in _alternatives(one))
    return (hint,)
