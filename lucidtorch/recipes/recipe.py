"""What all recipes have in common: the fields, how they are checked, and how they are written down."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from typing import Annotated, Any, ClassVar, Literal, Self, TypeAlias

from pydantic import BaseModel, ConfigDict, Field

from lucidtorch.base.records import LARGEST_SIDE, DefinedBy, settings_text
from lucidtorch.base.sizes import size_sides
from lucidtorch.recipes.network import Network
from lucidtorch.rendering.settings import Engine, Option, Schedule, options_of, with_fields

ID_LETTERS = 16
USUAL = {"steps": 256}  # where a recipe has another default than a render

Side: TypeAlias = Annotated[int, Field(ge=1, le=LARGEST_SIDE)]
SizeField: TypeAlias = Side | Annotated[tuple[Side, ...], Field(min_length=2, max_length=3)]
Layers: TypeAlias = str | Annotated[tuple[str, ...], Field(min_length=1)]
Unit: TypeAlias = Annotated[int, Field(ge=0)]
Units: TypeAlias = str | Unit | Annotated[tuple[Unit, ...], Field(min_length=1)]


class MadeWith(BaseModel):
    """What decided the bytes of a run beside its fields; a run writes it down, and nobody else needs to.

    Attributes:
        versions: Of everything that computes.
        files: The checksums of the network's files and of the pictures that were looked at, by name.
        seed_bits: How large the seeds of pictures may be; version 0.1.0, which had larger ones, did not say it.
        complete: Whether the texts write every argument; version 0.1.0 left defaults out, and did not say it.
        defined_by: The words of the texts that other packages define, each with its module and version.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    versions: dict[str, str] = Field(default_factory=dict, description="Of everything that computes.")
    files: dict[str, str] = Field(default_factory=dict, description="SHA-256 of what was read.")
    seed_bits: Literal[53] | None = Field(default=None, description="How large the seeds of pictures may be.")
    complete: Literal[True] | None = Field(default=None, description="Whether texts write every argument.")
    defined_by: DefinedBy | None = Field(default=None, description="Modules and versions of words of others.")


class Recipe(BaseModel):
    """A recipe: everything that decides what a run shows. A kind adds its own fields and says what is made.

    Attributes:
        recipe: The kind.
        title: The heading of the page; the kind's own where None.
        model: The network; None where only a Python program has it.
        weights: ``default``, ``random``, or the path of a file.
        device: Where it computes.
        size: The side of the pictures in pixels, or height and width; the network's own where None.
        seed: The run's; each picture's own is made from it and from what the picture shows.
        batch: How many pictures are one piece of work.
        threads: How many threads compute in each process.
        output: The folder of the run.
        made_with: What decided the bytes of an earlier run of this recipe.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, protected_namespaces=(), arbitrary_types_allowed=True, validate_default=True
    )

    summary: ClassVar[str]  # one line that says what the kind shows
    packages: ClassVar[tuple[str, ...]] = ()  # what computes here beside what computes every picture

    recipe: str
    title: str | None = Field(default=None, description="The heading of the page.")
    model: str | Network | None = Field(default=None, description="The network: a name such as vgg16, or a mapping.")
    weights: str = Field(default="default", description="default, random, or the path of a .safetensors or .pth file.")
    device: str = Field(default="auto", description="auto, cpu, cuda, cuda:1, mps ...")
    size: SizeField | None = Field(
        None, description="Pixels on a side, or [height, width]; the network's own if absent."
    )
    seed: int = Field(default=0, ge=0, lt=2**63, description="The run's seed; the seeds of pictures are made from it.")
    batch: int = Field(default=8, ge=1, le=4096, description="How many pictures are one piece of work.")
    threads: int = Field(default=1, ge=1, le=1024, description="How many threads compute in each process.")
    output: str | None = Field(default=None, description="The folder of the run; the option -o goes before it.")
    made_with: MadeWith | None = Field(default=None, description="Written by a run: versions and checksums.")

    @property
    def id(self) -> str:
        """A checksum of everything that decides the run."""
        return hashlib.sha256(settings_text(self.to_dict()).encode()).hexdigest()[:ID_LETTERS]

    def to_dict(self) -> dict[str, Any]:
        """Write the recipe as plain data, in the order of its fields, without the place where it was written to."""
        found = self.model_dump(mode="json", exclude={"output"}, exclude_none=True)
        own = [name for name in type(self).model_fields if name not in COMMON]
        first = ("recipe", "title", "model", "weights", *own)
        order = (*first, *(name for name in COMMON if name not in first))
        return {name: found[name] for name in order if found.get(name) is not None}

    def replaced(self, **fields: Any) -> Self:
        """Make the same recipe with other values."""
        return type(self).model_validate({**dict(self), **fields})

    def sides(self) -> tuple[int, ...] | None:
        """Say the size that the recipe asks for."""
        return None if self.size is None else size_sides(self.size)


def _option_fields() -> Iterator[tuple[str, tuple[Any, Any]]]:
    """The fields that say how pictures are optimized and how the network is executed, as `Schedule` and `Engine` do."""
    for name, option in (options_of(Schedule) | options_of(Engine)).items():
        if option.description:
            default = USUAL.get(name, option.default)
            more: dict[str, Any] = {"json_schema_extra": {"pattern": option.pattern}} if option.pattern else {}
            kind = option.kind | None if default is None else option.kind
            yield name, (kind, Field(default=default, description=option.description, **more))


@with_fields(dict(_option_fields()))
class _OptimizedRecipe(Recipe):
    """A recipe whose pictures are optimized; the fields of `Schedule` and `Engine` come after those below."""

    param: str | None = Field(default=None, description="What makes the images, such as image(128, decay=1.2).")
    transforms: str | None = Field(default=None, description="Such as pad(12) | jitter(8); Lucid's standard if absent.")
    constraints: str = Field(default="", description="What the images are held to, such as blur(0.5, every=4).")

    @property
    def schedule(self) -> Schedule:
        """How pictures are optimized."""
        return Schedule(**self._given(options_of(Schedule)))

    @property
    def engine(self) -> Engine:
        """How the network is executed."""
        return Engine(**self._given(options_of(Engine)))

    def _given(self, options: Mapping[str, Option]) -> dict[str, Any]:
        return {name: getattr(self, name) for name, option in options.items() if option.description}


class RenderingRecipe(_OptimizedRecipe):
    """A recipe whose pictures are optimized.

    Attributes:
        scan: The folder of a scan of the network, whose images stand beside pictures of units.
    """

    scan: str | None = Field(
        default=None,
        description="The folder of a scan of this network: real images stand beside the picture of each unit.",
    )


RENDERING = tuple(name for name in RenderingRecipe.model_fields if name not in Recipe.model_fields)
"""The fields that only recipes have whose pictures are optimized."""

_HEAD = ("recipe", "title", "model", "weights", "device", "size")
COMMON = (*_HEAD, *RENDERING, *(name for name in Recipe.model_fields if name not in _HEAD))
"""The fields that are not a kind's own, in the order in which they are written down."""
