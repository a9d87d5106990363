"""The images that a recipe names as its data."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

import numpy as np
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, InstanceOf, PlainSerializer, model_validator
from pydantic.json_schema import SkipJsonSchema
from torch import Tensor

from lucidtorch.datasets.named import SORTS, name_of
from lucidtorch.recipes.recipe import SizeField

Split: TypeAlias = Literal["train", "test"]


class NamedData(BaseModel):
    """Images that every installation has, or another library reads.

    Attributes:
        drawings: The drawings that the embedded network was trained on, of one split.
        digits: Handwritten digits, likewise.
        lines: Straight lines, likewise.
        folder: The path of a folder of images.
        torchvision: The name of one of torchvision's datasets.
        length: How many drawings or lines.
        size: Height and width that they are drawn in, or that the images of a folder are brought to.
        seed: Another seed gives other drawings or lines.
        head: Which of the four things about a line is its class.
        root: Where the files of torchvision's dataset are.
        split: Which part of torchvision's dataset.
        train: Likewise, for those that ask so.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    drawings: Split | None = Field(default=None, description="Drawings of 51 classes: train or test.")
    digits: Split | None = Field(default=None, description="Handwritten digits: train or test.")
    lines: Split | None = Field(default=None, description="Straight lines: train or test.")
    folder: str | None = Field(default=None, description="A folder of images, with a subfolder per class or none.")
    torchvision: str | None = Field(default=None, description="The name of a dataset of torchvision, such as CIFAR10.")
    length: int | None = Field(default=None, ge=1, le=10_000_000, description="How many drawings or lines.")
    size: SizeField | None = Field(default=None, description="What they are drawn in; the network's size if absent.")
    seed: int | None = Field(default=None, ge=0, description="Another seed gives other drawings or lines.")
    head: Literal["length", "width", "angle", "colour"] | None = Field(
        default=None, description="Which of the four things about a line is its class; all together if absent."
    )
    root: str | None = Field(default=None, description="Where the files of torchvision's dataset are.")
    split: str | None = Field(default=None, description="Which part of torchvision's dataset.")
    train: bool | None = Field(default=None, description="Likewise, for datasets that ask so.")

    @model_validator(mode="after")
    def _one_sort(self) -> Self:
        said = [sort for sort in SORTS if getattr(self, sort) is not None]
        if len(said) != 1:
            raise ValueError(f"Name one of {', '.join(SORTS)}; {' and '.join(said) or 'none'} was named.")
        return self

    @property
    def name(self) -> Mapping[str, Any]:
        """As `open_data` takes it."""
        return self.model_dump(exclude_none=True)


@dataclass(frozen=True, eq=False)
class GivenData:
    """Data that only a Python program has.

    Args:
        data: It.
    """

    data: Any


def _held(value: Any) -> Any:
    """Take data of a program by its name where it has one, and a path as its text."""
    if value is None or isinstance(value, str | NamedData | GivenData):
        return value
    if isinstance(value, Path):
        return str(value)
    if isinstance(value, Mapping) and not isinstance(value, Tensor | np.ndarray):
        return dict(value)
    name = name_of(value)
    if name is None and hasattr(value, "__len__") and hasattr(value, "__getitem__"):
        return value if isinstance(value, tuple) and _is_plain(value) else GivenData(value)
    if isinstance(name, Mapping):
        return NamedData.model_validate(name)
    return tuple(name) or name if isinstance(name, list) else name


def _is_plain(value: tuple[Any, ...]) -> bool:
    """Whether a list could stand in a file, so that it is one of paths or nothing that is known."""
    first = value[0] if value else None
    return (
        _is_plain(first) if isinstance(first, tuple) else first is None or isinstance(first, str | int | float | dict)
    )


_Given = SkipJsonSchema[Annotated[InstanceOf[GivenData], PlainSerializer(lambda _: None)]]
_Paths = Annotated[tuple[str, ...], Field(min_length=1)]
DataField: TypeAlias = Annotated[str | _Paths | NamedData | _Given, BeforeValidator(_held)]
