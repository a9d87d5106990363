"""The pictures that a recipe looks at: one, several, or all of a folder."""

from __future__ import annotations

import os
import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Any, Self, TypeAlias

import torch
from pydantic import BaseModel, ConfigDict, Field, model_validator
from torch import Tensor

from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.base.sizes import short_size, size_pair, size_text
from lucidtorch.datasets.pictures import image_files, is_dangling
from lucidtorch.recipes.blame import FieldError, Key, blamed
from lucidtorch.recipes.inputs import ARRAYS, INPUTS, MARK_LETTERS, Drawing, ImageField, kept_image, read_image
from lucidtorch.recipes.runs.stage import Stage

MOST = 1024  # pictures of one run; more are data, which `top_patches` and others look through

Images: TypeAlias = str | Annotated[tuple[ImageField, ...], Field(min_length=1, max_length=MOST)]


class AnyPictures(BaseModel):
    """The fields of a recipe that looks at pictures, if any are named.

    Attributes:
        image: The picture.
        images: Or several, or the path of a folder of pictures.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    image: ImageField | None = Field(
        default=None, description="The picture that is looked at: a path, or {drawing: star}."
    )
    images: Images | None = Field(default=None, description="Or several pictures, or the path of a folder of pictures.")

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if self.image is not None and self.images is not None:
            raise FieldError(("images",), "Write `image` or `images`, not both.")
        return self


class PictureFields(AnyPictures):
    """The fields of a recipe that looks at pictures."""

    @model_validator(mode="after")
    def _named(self) -> Self:
        if self.image is None and self.images is None:
            raise FieldError(("image",), "Pictures are looked at here; name one, or several under `images`.")
        return self


@dataclass(frozen=True)
class LookedAt:
    """Pictures that a run looks at.

    Args:
        names: Short names for captions, no two alike.
        pixels: `[N, C, H, W]` in [0, 1], as the network takes them.
        fields: The fields ``image`` or ``images`` of the run's recipe, which name the kept copies.
        files: The copies, by their path in the run's folder.
    """

    names: tuple[str, ...]
    pixels: Tensor
    fields: Mapping[str, Any]
    files: Mapping[str, bytes] = field(default_factory=dict)


def look_at(stage: Stage, given: AnyPictures, sides: tuple[int, int] | None) -> LookedAt:
    """Read the pictures of a recipe."""
    convention = stage.network.convention
    size = (convention.size[-2], convention.size[-1]) if sides is None else sides
    read: list[Array] = []
    kept = []
    named = _named(given, stage.base)
    for value, key in named:
        with blamed(*key):
            read.append(read_image(value, size, convention.channels, stage.base))
            kept.append(kept_image(value, stage.base))
        wanted = read[0].shape[1:] if sides is None else sides
        if tuple(read[-1].shape[1:]) != tuple(wanted):
            raise FieldError(
                key,
                f"It is {size_text(read[-1].shape[1:])}, and {size_text(wanted)} was expected; the pictures of a run "
                f"have one size.",
            )
    values = tuple(name for name, _ in kept)
    return LookedAt(
        _names(values),
        torch.stack([torch.tensor(one.numpy(), dtype=torch.float32) for one in read]),
        {"images": values} if given.image is None else {"image": values[0]},
        {path: data for _, files in kept for path, data in files.items()},
    )


def see(stage: Stage, given: AnyPictures) -> LookedAt:
    """Read the pictures of a recipe whose ``size`` is that of what it looks at."""
    with blamed("size"):
        sides = None if stage.recipe.size is None else size_pair(stage.recipe.size)
    seen = look_at(stage, given, sides)
    return replace(seen, fields={"size": short_size(tuple(seen.pixels.shape[2:])), **seen.fields})


def _named(given: AnyPictures, base: Path) -> list[tuple[str | Drawing | Array, Key]]:
    """The pictures one by one, each with the way to it in the recipe."""
    if given.image is not None:
        return [(given.image, ("image",))]
    if isinstance(given.images, str):
        return [(path, ("images",)) for path in _of_folder(given.images, base)]
    return [(value, ("images", place)) for place, value in enumerate(given.images or ())]


def _of_folder(said: str, base: Path) -> list[str]:
    folder = base / os.path.expanduser(said)
    if not folder.is_dir():
        raise FieldError(("images",), f"There is no folder {folder}; name one, or write a list of pictures.")
    every = image_files(folder)
    for one in every:
        if is_dangling(one):
            message = f"{one.name} is left out: it is a link whose target is missing."
            warnings.warn(message, LucidtorchWarning, stacklevel=2)
    found = [one for one in every if not is_dangling(one)]
    if not 1 <= len(found) <= MOST:
        raise FieldError(("images",), f"{folder} holds {len(found)} pictures; a run looks at 1 to {MOST}.")
    return [str(one.resolve()) for one in found]


def _names(values: Sequence[str | Drawing]) -> tuple[str, ...]:
    """Name pictures by their kept copies, so that a run of these gives the same names; by numbers where alike."""
    found = [_name(value, number) for number, value in enumerate(values, 1)]
    return tuple(name if found.count(name) == 1 else f"{name} ({number})" for number, name in enumerate(found, 1))


def _name(value: str | Drawing, number: int) -> str:
    if isinstance(value, Drawing):
        return value.name
    return f"picture {number}" if value.endswith(ARRAYS) else plain_stem(value)  # an array is named by its content


def plain_stem(path: str) -> str:
    """Name a picture after its file, without the mark that a run's own copy bears."""
    stem = Path(path).stem
    head, dash, mark = stem.rpartition("-")
    kept = Path(path).parent.name == INPUTS and len(mark) == MARK_LETTERS and set(mark) <= set("0123456789abcdef")
    return head if dash and kept else stem
