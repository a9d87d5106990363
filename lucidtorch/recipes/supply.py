"""The data that a recipe looks through, and the scan of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from lucidtorch.base.known_files import remember
from lucidtorch.base.sizes import short_size, size_pair, size_text
from lucidtorch.datasets.named import DataName, find_data, name_of, open_data, portable_name
from lucidtorch.galleries.examples import find_scan
from lucidtorch.recipes.blame import FieldError, blamed
from lucidtorch.recipes.data_field import DataField, GivenData, NamedData
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.scanning.answers import right_answers
from lucidtorch.scanning.entry import scan
from lucidtorch.scanning.result import Scan, load_scan
from lucidtorch.scanning.source import Source

SCAN = "scan"  # the folder in a run's folder where its own scan stands
DATA = "data"  # what the checksum of the data is called


class AnyData(BaseModel):
    """The fields of a recipe that looks through data, if any is named.

    Attributes:
        data: The images.
        scan: The folder of a scan of the network that stands already, instead of them.
    """

    model_config = ConfigDict(arbitrary_types_allowed=True)

    data: DataField | None = Field(
        default=None,
        description="The images: a folder, with a subfolder per class or none; a list of files; or {drawings: test}.",
    )
    scan: str | None = Field(
        default=None, description="Or the folder of a finished scan of this network, which is then not made again."
    )


class DataFields(AnyData):
    """The fields of a recipe that looks through data."""

    @model_validator(mode="after")
    def _said(self) -> Self:
        if self.data is None and self.scan is None:
            raise FieldError(("data",), "Name the images to look through: a folder, or for example {drawings: test}.")
        return self


@dataclass(frozen=True)
class Supply:
    """The data that a run looks through.

    Args:
        stage: The network.
        source: The images as the network takes them.
        found: The finished scan that was named, or None.
    """

    stage: Stage
    source: Source
    found: Scan | None

    @classmethod
    def of(cls, stage: Stage, given: AnyData) -> Supply:
        """Open the data of a recipe."""
        convention = stage.network.convention
        data = given.data.data if isinstance(given.data, GivenData) else None
        if given.scan is not None:
            with blamed(SCAN):
                found = load_scan(find_scan(given.scan, stage.base, stage.sum_of(SCAN)))
                found.check(stage.network)
            if stage.recipe.size is not None and size_pair(stage.recipe.size) != found.sides:
                raise FieldError(
                    ("size",), f"The scan looked at its images at {size_text(found.sides)}; leave size out."
                )
            with blamed(DATA if data is not None else SCAN):
                return cls(stage, found.open(data), found)
        with blamed("size"):
            sides = size_pair(convention.size if stage.recipe.size is None else stage.recipe.size)
        with blamed(DATA):
            if data is None:
                name = find_data(_name(given.data), stage.sum_of(DATA), stage.base)
                data = open_data(name, size=sides, base=stage.base)
            source = Source(data, convention.channels, sides)
            if (whole := name_of(data)) is not None:
                remember(source.checksum(), whole)
            return cls(stage, source, None)

    @property
    def fields(self) -> dict[str, Any]:
        """What the fields of the recipe came to, by name."""
        found: dict[str, Any] = {"size": short_size(self.source.sides)}
        if self.found is not None:
            return found | {"scan": self.found.folder.resolve().name}
        name = portable_name(name_of(self.source.data))
        return found if name is None else found | {DATA: name}

    @property
    def sums(self) -> dict[str, str]:
        """The checksum of the data, by name."""
        return {DATA: self.source.checksum()}

    def check(self, layers: Sequence[str], field: str = "layers") -> None:
        """Refuse layers that the finished scan does not hold."""
        if self.found is None:
            return
        for layer in layers:
            with blamed(field):
                _ = self.found[layer]

    def scanned(self, desk: Desk, layers: Sequence[str], *, top: int, bottom: int = 0, ranked: int = 100) -> Scan:
        """Look through the data, or go on where that was interrupted; or give the scan that was named."""
        if self.found is not None:
            return self.found
        network, recipe = self.stage.network, self.stage.recipe
        with desk.onlooker.counting("images", len(self.source)) as show:
            return scan(
                network,
                self.source.data,
                desk.folder / SCAN,
                layers=layers,
                top=top,
                bottom=bottom,
                ranked=ranked,
                batch=recipe.batch,
                seed=recipe.seed,
                size=self.source.sides,
                answers=right_answers(network, self.source.classes),
                report=lambda done, total: show(done),
            )


def _name(said: str | tuple[str, ...] | NamedData | GivenData | None) -> DataName:
    """The name of data that has one."""
    return said.name if isinstance(said, NamedData) else said if isinstance(said, str | tuple) else ""
