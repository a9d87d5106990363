"""What lucidtorch writes and reads back: one schema for pictures, tasks, galleries and scans.

A picture or a folder can come from anybody, so everything that is read back is read here: as data, with bounds on
every number, text and list, and with one line that says what does not fit. Numbers are bounded like those of a recipe.
"""

from __future__ import annotations

import json
import platform
import re
from collections.abc import Mapping, Sequence
from importlib import metadata
from pathlib import PurePosixPath, PureWindowsPath
from typing import Annotated, Any, Literal, Self, TypeAlias

import torch
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError

from lucidtorch.base.errors import RecipeError

Settings: TypeAlias = dict[str, Any]  # everything that decides the bytes of a picture, as its file carries it
PACKAGES = ("lucidtorch", "torchvision", "numpy", "kornia", "pillow")

LARGEST_TEXT = 1 << 26  # characters of a JSON document
LONGEST_NUMBER = 400  # digits
DEEPEST = 64  # levels of lists and mappings
LARGEST_SIDE = 8192
MOST_STEPS = 1_000_000
MOST_IMAGES = 4096  # of one batch
MOST_THREADS = 1024
MOST_CHANNELS = 65536
LONGEST_SHOWN = 80

Short: TypeAlias = Annotated[str, Field(max_length=1000)]
Text: TypeAlias = Annotated[str, Field(max_length=1 << 20)]
Checksum: TypeAlias = Annotated[str, Field(pattern=r"^[0-9a-f]{64}$")]
Count: TypeAlias = Annotated[int, Field(ge=0, le=1 << 48)]
Side: TypeAlias = Annotated[int, Field(ge=1, le=2 * LARGEST_SIDE)]  # of a canvas, which transforms pad
Sides: TypeAlias = Annotated[tuple[Side, ...], Field(min_length=2, max_length=3)]
Steps: TypeAlias = Annotated[int, Field(ge=1, le=MOST_STEPS)]
Batch: TypeAlias = Annotated[int, Field(ge=1, le=MOST_IMAGES)]
Seed: TypeAlias = Annotated[int, Field(ge=0, lt=1 << 128)]
Number: TypeAlias = Annotated[float, Field(allow_inf_nan=False)]
Words: TypeAlias = Annotated[dict[Short, Short], Field(max_length=200)]


def inner_path(text: str) -> str:
    """Check a path that stays inside a folder."""
    parts = text.split("/")
    windows = PureWindowsPath(text)
    plain = all(part not in ("", ".", "..") and "\0" not in part and len(part) <= 255 for part in parts)
    if not plain or len(parts) > 8 or windows.drive or windows.root or PurePosixPath(text).is_absolute():
        raise ValueError("a path inside the folder is needed")
    return text


InnerPath: TypeAlias = Annotated[str, Field(max_length=1000), AfterValidator(inner_path)]


class Record(BaseModel):
    """Something that was written by lucidtorch and is read back as data: unknown fields are refused."""

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    @classmethod
    def read(cls, value: Any, what: str) -> Self:
        """Check plain data."""
        try:
            return cls.model_validate(value)
        except ValidationError as error:
            raise RecipeError(f"{what} does not fit{_first(error)}.") from error
        except RecursionError as error:
            raise RecipeError(f"{what} is nested too deeply.") from error


def read_json(text: str, what: str) -> Any:
    """Read JSON that anybody may have written."""
    if len(text) > LARGEST_TEXT:
        raise RecipeError(f"{what} has {len(text)} characters; at most {LARGEST_TEXT} are read.")
    if re.search(rf"(?<![0-9])[0-9]{{{LONGEST_NUMBER}}}", text):
        raise RecipeError(f"{what} holds a number of more than {LONGEST_NUMBER} digits.")
    try:
        found = json.loads(text, parse_constant=_no_number)
    except RecursionError as error:
        raise RecipeError(f"{what} is nested too deeply.") from error
    except ValueError as error:
        raise RecipeError(f"{what} is broken: {str(error)[:LONGEST_SHOWN]}.") from error
    if _is_deeper(found, DEEPEST):
        raise RecipeError(f"{what} is nested more than {DEEPEST} levels deep.")
    return found


def versions(more: Sequence[str] = ()) -> dict[str, str]:
    """Say which versions decide the bytes of a picture."""
    found = {"python": platform.python_version(), "torch": str(torch.__version__)}  # with torch's build
    for package in (*PACKAGES, *more):
        try:
            found[package] = metadata.version(package)
        except metadata.PackageNotFoundError:
            continue
    return found


def settings_text(settings: Mapping[str, Any]) -> str:
    """Write settings as text, the same for the same settings."""
    return json.dumps(settings, sort_keys=True, ensure_ascii=False, indent=1)


def read_settings(text: str, where: str) -> Settings:
    """Read settings back."""
    found = read_json(text, f"The recipe in {where}")
    if not isinstance(found, dict) or "kind" not in found:
        raise RecipeError(f"The text in {where} is no recipe of lucidtorch.")
    return found


class NetworkRecord(Record):
    """The network that a picture was made with: the fields of `models.sources.model_source.ModelSource`."""

    spec: Annotated[str, Field(min_length=1, max_length=4096)]
    weights: Annotated[str, Field(min_length=1, max_length=4096)] = "default"
    sha256: Checksum | None = None
    code_sha256: Checksum | None = None
    mean: Annotated[tuple[Number, ...], Field(max_length=MOST_CHANNELS)] | Short | None = None
    mean_sha256: Checksum | None = None
    std: Annotated[tuple[Number, ...], Field(max_length=MOST_CHANNELS)] | None = None
    value_range: tuple[Number, Number] | None = None
    channel_order: Literal["rgb", "bgr"] | None = None
    size: Annotated[tuple[Side, ...], Field(min_length=1, max_length=3)] | None = None
    channels: Annotated[int, Field(ge=1, le=MOST_CHANNELS)] | None = None
    labels: Annotated[tuple[Short, ...], Field(max_length=1 << 20)] | Short | None = None
    labels_sha256: Checksum | None = None
    output: Short | Annotated[int, Field(ge=-MOST_CHANNELS, le=MOST_CHANNELS)] | None = None
    trace: bool = False


class WordRecord(Record):
    """Where a word of a text was defined: the fields of `base.plugins.Origin`."""

    module: Short
    distribution: Short | None = None
    version: Short | None = None
    sha256: Checksum | None = None


DefinedBy: TypeAlias = Annotated[dict[Short, WordRecord], Field(max_length=200)]


class WordsRecord(Record):
    """Where the words of several texts were defined."""

    defined_by: DefinedBy = Field(default_factory=dict)


class ComposedRecord(Record):
    """What a picture carries that was composed of others: its path in the folder of its run, and the whole recipe."""

    kind: Short
    recipe_id: Short
    picture: InnerPath
    recipe: dict[str, Any]  # as it was resolved; its kind checks the fields


class PictureRecord(Record):
    """A picture of a finished task: its file, and what is known of it."""

    file: InnerPath
    sha256: Checksum | None
    seed: Seed
    score: float | None
    curve: Annotated[tuple[float | None, ...], Field(max_length=10_000)]
    terms: dict[Text, tuple[float | None, ...]] = Field(default_factory=dict)
    dead: bool
    stopped: tuple[Short, ...] = ()


class TaskRecord(Record):
    """A finished task of a run or a gallery, as its folder keeps it."""

    key: Checksum | None
    pictures: Annotated[tuple[PictureRecord, ...], Field(max_length=MOST_IMAGES)]


class RealImageRecord(Record):
    """A real image beside a picture: the fields of `galleries.beside.RealImage`."""

    image: Count
    value: float
    class_name: Short | None


class BesideRecord(Record):
    """What a scan says of a unit: the fields of `galleries.beside.Beside`."""

    layer: Short
    unit: Count
    down: bool
    file: InnerPath | Literal[""]
    images: Annotated[tuple[RealImageRecord, ...], Field(max_length=1000)]
    reached: float | None
    percentile: float | None
    best: float
    title: Text
    note: Text
    again: bool = False


class ExamplesRecord(Record):
    """The real images beside the pictures of a batch of a gallery."""

    key: Short
    pictures: tuple[Checksum | None, ...] | None = None  # not in the galleries of 0.1.0
    words: Text | None = None
    beside: Annotated[tuple[BesideRecord | None, ...], Field(max_length=MOST_IMAGES)]


def _first(error: ValidationError) -> str:
    """Say the first thing that does not fit, shortened."""
    one = error.errors(include_url=False)[0]
    place = ".".join(str(part) for part in one["loc"])[:LONGEST_SHOWN]
    said = one["msg"].removeprefix("Value error, ")[:LONGEST_SHOWN]
    is_short = isinstance(one["input"], str | int | float | None) and one["type"] != "missing"
    given = f", but {one['input']!r:.40} was given" if is_short else ""
    return f" at {place!r}: {said}{given}" if place else f": {said}"


def _no_number(name: str) -> float:
    raise ValueError(f"{name} is not a number that is read back")


def _is_deeper(value: Any, depth: int) -> bool:
    level = [value]
    while level and depth:
        below = [one.values() if isinstance(one, dict) else one for one in level if isinstance(one, dict | list)]
        level = [inner for one in below for inner in one if isinstance(inner, dict | list)]
        depth -= 1
    return bool(level)
