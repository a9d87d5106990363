"""What `set` keeps for later renders, and how each value is checked."""

from __future__ import annotations

from collections.abc import Callable

from lucidtorch.base.errors import BadInputError, suggestion
from lucidtorch.base.seeds import image_seeds
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import size_sides
from lucidtorch.constraints.text import parse as parse_constraints
from lucidtorch.param.text import parse as parse_param
from lucidtorch.rendering.settings import Precision, Schedule
from lucidtorch.transforms.text import parse as parse_transforms

RIVALS = {"size": "param", "param": "size"}  # a param says the size already


def _whole(text: str, name: str) -> int:
    try:
        return int(text)
    except ValueError as error:
        raise BadInputError(f"{name} is a whole number, but {shown(text)} was given.") from error


def _batch(text: str) -> None:
    if _whole(text, "batch") < 1:
        raise BadInputError(f"batch is a whole number from 1, but {text} was given.")


def _lr(text: str) -> None:
    try:
        Schedule(lr=float(text))
    except ValueError as error:
        raise BadInputError(f"lr is a positive number, but {shown(text)} was given.") from error


# The settings, and what raises where a value does not fit; each is an option of `render` of the same name.
CHECKS: dict[str, Callable[[str], object]] = {
    "steps": lambda text: Schedule(_whole(text, "steps")),
    "size": lambda text: size_sides(text, what="size"),
    "batch": _batch,
    "seed": lambda text: image_seeds(_whole(text, "seed"), 1),
    "lr": _lr,
    "param": parse_param,
    "transforms": parse_transforms,
    "constraints": parse_constraints,
    "precision": Precision,
}
# A gallery's batch is another thing: how many pictures are computed together.
TAKEN_BY = {
    "render": tuple(CHECKS),
    "gallery": ("steps", "size", "seed", "lr", "param", "transforms"),
}


def known_setting(name: str) -> str:
    """Refuse what is no setting."""
    if name not in CHECKS:
        raise BadInputError(f"There is no setting {name!r}. {suggestion(name, CHECKS)}")
    return name


def put(settings: dict[str, str], name: str, value: str) -> None:
    """Keep a setting; a size and a param take each other's place."""
    CHECKS[known_setting(name)](value)
    settings[name] = value
    settings.pop(RIVALS.get(name, ""), None)
