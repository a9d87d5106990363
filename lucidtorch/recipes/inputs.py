"""Pictures that recipes look at: a file, a drawing that every installation can make, or pixels of a Python program."""

from __future__ import annotations

import hashlib
import os
import re
from pathlib import Path
from typing import Annotated, Any, Self, TypeAlias

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf, model_validator
from pydantic.json_schema import SkipJsonSchema
from torch import Tensor

from lucidtorch.base.arrays import Array, load_array
from lucidtorch.base.errors import ImageError, suggestion
from lucidtorch.base.files import read_bytes
from lucidtorch.base.images import photo, with_channels
from lucidtorch.base.sizes import Size
from lucidtorch.datasets import digits, drawings, lines
from lucidtorch.objectives.arguments import checked_picture

INPUTS = "inputs"  # the folder in a run's folder where the pictures stand that it looked at
ARRAYS = ".npy"
PICTURE_AXES = 3
MARK_LETTERS = 8  # of a file's checksum in its name
LONGEST_STEM = 60
LINES = 5000  # among which a line of given words is looked for


class Drawing(BaseModel):
    """A picture that every installation has: of a test split, that the embedded networks were not trained on.

    Attributes:
        drawing: The class of a drawing, such as ``star``.
        digit: Or a handwritten digit.
        line: Or words of the class of a line, such as ``long red``.
        number: Which of that class.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    drawing: str | None = Field(default=None, description="The class of a drawing, such as star.")
    digit: int | None = Field(default=None, ge=0, le=9, description="Or a handwritten digit.")
    line: str | None = Field(default=None, description="Or words of the class of a line, such as long red.")
    number: int = Field(default=0, ge=0, le=999, description="Which one of that class.")

    @model_validator(mode="after")
    def _one_sort(self) -> Self:
        if sum(one is not None for one in (self.drawing, self.digit, self.line)) != 1:
            raise ValueError("Name one of drawing, digit and line, such as {drawing: star}.")
        return self

    @property
    def what(self) -> str:
        """What it is a picture of, such as ``star``, ``digit 3`` or ``long red line``."""
        return f"{self.line} line" if self.line is not None else self.drawing or f"digit {self.digit}"

    @property
    def name(self) -> str:
        """A short name: what it is, with its number, if that is not 0."""
        return f"{self.what} {self.number}" if self.number else self.what


def _named(value: Any) -> Any:
    """Take pixels as an array, and a path as its text."""
    if isinstance(value, Tensor | np.ndarray):
        return Array.of(value)
    return str(value) if isinstance(value, Path) else value


ImageField: TypeAlias = Annotated[str | Drawing | SkipJsonSchema[InstanceOf[Array]], BeforeValidator(_named)]


def read_image(value: str | Drawing | Array, size: Size, channels: int, base: Path) -> Array:
    """Read a picture as a network sees it."""
    if isinstance(value, Drawing):
        found = Array.of(_drawn(value, size))
    elif isinstance(value, str) and not value.endswith(ARRAYS):
        found = photo(_path(value, base), size)
    else:
        found = checked_picture(value if isinstance(value, Array) else load_array(_path(value, base)))
    if len(found.shape) != PICTURE_AXES:
        raise ImageError(f"A picture is [C, H, W], but {list(found.shape)} was given.")
    return found if found.shape[0] == channels else Array.of(with_channels(found.numpy(), channels))


def kept_image(value: str | Drawing | Array, base: Path) -> tuple[str | Drawing, dict[str, bytes]]:
    """Make a picture a part of the run: its file is copied beside the recipe, under a name with its checksum."""
    if isinstance(value, Drawing):
        return value, {}
    if isinstance(value, Array):
        name = f"{INPUTS}/{value.file_name}"
        return name, {name: value.file_bytes()}
    path = _path(value, base)
    try:
        data = read_bytes(path)
    except OSError as error:
        raise ImageError(
            f"{path} cannot be read: {error.strerror}. Give the path of a PNG, JPEG or the like."
        ) from error
    own = _own_name(path.name, hashlib.sha256(data).hexdigest()[:MARK_LETTERS])
    return f"{INPUTS}/{own}", {f"{INPUTS}/{own}": data}


def _path(value: str, base: Path) -> Path:
    if "\0" in value or not value:
        raise ImageError(f"{value!r} is no path; give that of a PNG, JPEG or the like, or {{drawing: star}}.")
    return base / os.path.expanduser(value)  # Path.expanduser raises where there is no such user


def _own_name(name: str, mark: str) -> str:
    """Name a copy so that any file system takes it, and so that the copy of the copy has the same name."""
    stem, suffix = (re.sub(r"[^A-Za-z0-9._-]", "_", part) for part in os.path.splitext(name))
    own = stem if mark in stem else f"{stem.lstrip('.')[:LONGEST_STEM]}-{mark}"
    return f"{own}{suffix}"


def _drawn(value: Drawing, size: Size) -> np.ndarray:
    sides = (size[-2], size[-1])
    if value.drawing is not None:
        return _drawing(value.drawing, value.number, sides)
    found = digits("test", size=sides) if value.digit is not None else lines("test", length=LINES, size=sides)
    wanted = {str(value.digit)} if value.line is None else set(value.line.split())
    own = [place for place in range(len(found)) if wanted <= set(found.classes[found.label(place)].split())]
    if not wanted or value.number >= len(own):
        words = "" if value.line is None else f" They are named by words such as {found.classes[0]!r}."
        raise ImageError(f"{value.number} was asked for, but {len(own)} pictures are a {value.what}, from 0 on.{words}")
    return np.asarray(found[own[value.number]][0])


def _drawing(name: str, number: int, sides: tuple[int, int]) -> np.ndarray:
    """Draw; the classes take turns in a collection, so that drawing n of a class stands n rounds on."""
    known = drawings("test").classes
    if name not in known:
        raise ImageError(f"There is no drawing {name!r}. {suggestion(name, known)}")
    place = known.index(name) + number * len(known)
    return np.asarray(drawings("test", length=place + 1, size=sides)[place][0])
