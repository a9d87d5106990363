"""The schema of ``scan.json``, which anybody may have written."""

from __future__ import annotations

from typing import Annotated, Literal, Self, TypeAlias

from pydantic import Field, model_validator

from lucidtorch.base.records import MOST_CHANNELS, Checksum, Count, Record, Seed, Short, Sides, Text

_Word: TypeAlias = Short | int | float | bool | tuple[int, ...] | None
DataRecord: TypeAlias = Text | tuple[Text, ...] | Annotated[dict[Short, _Word], Field(min_length=1)] | None
_Pixel: TypeAlias = Annotated[int, Field(ge=-(1 << 40), le=1 << 40)]
Pixels: TypeAlias = _Pixel | Annotated[tuple[_Pixel, ...], Field(min_length=1, max_length=3)]


class SkippedRecord(Record):
    """An image that a scan left out."""

    image: Count
    name: Text
    reason: Text


class FieldRecord(Record):
    """A receptive field: the fields of `models.layouts.receptive_field.ReceptiveField`."""

    size: Pixels
    stride: Pixels
    start: Pixels


class LayerRecord(Record):
    """A layer of a scan."""

    layer: Short
    shape: Annotated[tuple[Annotated[int, Field(ge=1, le=1 << 32)], ...], Field(min_length=1, max_length=4)]
    receptive_field: FieldRecord | None


class IdentityRecord(Record):
    """All that decides what a scan finds."""

    network: Checksum | None
    layers: Annotated[tuple[Short, ...], Field(min_length=1, max_length=100_000)]
    size: Sides
    channels: Annotated[int, Field(ge=1, le=MOST_CHANNELS)]
    images: Count
    data: Short
    classes: Annotated[tuple[Text, ...], Field(max_length=1 << 20)]
    answers: dict[Short, tuple[Annotated[int, Field(ge=-1, le=1 << 32)], ...]]
    top: Count
    bottom: Count
    ranked: Count
    batch: Count
    chunk: Count
    bins: Count
    samples: Count
    seed: Seed


class TablesRecord(Record):
    """The file with the tables of a scan."""

    file: Annotated[str, Field(pattern=r"^tables-[0-9]{1,20}\.npz$")]
    sha256: Checksum


class ProvenanceRecord(Record):
    """What ``provenance.json`` of a scan holds: where its images are on the machine that made it."""

    data: DataRecord


class ScanRecord(Record):
    """What ``scan.json`` holds: how far a scan has come, and what it is of."""

    format: Literal[2]
    model: Text
    identity: IdentityRecord
    layers: Annotated[tuple[LayerRecord, ...], Field(min_length=1, max_length=100_000)]
    total: Count
    done: Count
    classes: Annotated[tuple[Text, ...], Field(max_length=1 << 20)]
    class_counts: Annotated[tuple[Count, ...], Field(max_length=1 << 20)]
    right: Annotated[tuple[Count, ...], Field(max_length=1 << 20)]
    data: DataRecord
    skipped: tuple[SkippedRecord, ...]
    tables: TablesRecord | None  # before the first chunk there are none

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.done > self.total or tuple(one.layer for one in self.layers) != self.identity.layers:
            raise ValueError("its numbers of images or its layers contradict each other")
        if not len(self.classes) <= len(self.class_counts) == len(self.right):
            raise ValueError("its numbers of classes contradict each other")
        return self
