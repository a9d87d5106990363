"""How far a scan has come, and the folder that holds it: `scan.json`, the tables that it names, and `provenance.json`.

Anybody may have written these files, so they are read through a schema with bounds.
"""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Annotated, Any, Literal, Self, TypeAlias

import numpy as np
from pydantic import Field, model_validator

from lucidtorch.base.errors import BadInputError, RecipeError, UntrustedError
from lucidtorch.base.files import read_bytes, read_text
from lucidtorch.base.records import MOST_CHANNELS, Checksum, Count, Record, Seed, Short, Sides, Text, read_json
from lucidtorch.base.shown import cut
from lucidtorch.base.trust import check_read
from lucidtorch.datasets.named import DataName, portable_name
from lucidtorch.models.layouts.receptive_field import ReceptiveField
from lucidtorch.runs.folder import SCAN_RECORD, write_file
from lucidtorch.scanning.layer_stats import LayerStats, ScanSettings
from lucidtorch.scanning.source import Skipped

FORMAT = 2
SUMMARY = SCAN_RECORD
TABLES = "tables-{:09d}.npz"  # with the number of images that they are of
PROVENANCE = "provenance.json"

_Word: TypeAlias = Short | int | float | bool | tuple[int, ...] | None
DataRecord: TypeAlias = Text | tuple[Text, ...] | Annotated[dict[Short, _Word], Field(min_length=1)] | None
_Pixel: TypeAlias = Annotated[int, Field(ge=-(1 << 40), le=1 << 40)]
Pixels: TypeAlias = _Pixel | Annotated[tuple[_Pixel, ...], Field(min_length=1, max_length=3)]
Classes: TypeAlias = Annotated[tuple[Text, ...], Field(max_length=1 << 20)]
ClassCounts: TypeAlias = Annotated[tuple[Count, ...], Field(max_length=1 << 20)]


class SkippedRecord(Record):
    """An image that a scan left out."""

    image: Count
    name: Text
    reason: Text


class FieldRecord(Record):
    """A receptive field: the fields of `models.axes.receptive_field.ReceptiveField`."""

    size: Pixels
    stride: Pixels
    start: Pixels


class LayerRecord(Record):
    """A layer of a scan."""

    layer: Short
    shape: Annotated[tuple[Annotated[int, Field(ge=1, le=1 << 32)], ...], Field(min_length=1, max_length=4)]
    receptive_field: FieldRecord | None


class IdentityRecord(Record):
    """All that decides the result of a scan."""

    network: Checksum | None
    layers: Annotated[tuple[Short, ...], Field(min_length=1, max_length=100_000)]
    size: Sides
    channels: Annotated[int, Field(ge=1, le=MOST_CHANNELS)]
    images: Count
    data: Short
    classes: Classes
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
    """The content of ``provenance.json``: where the images are on the machine that made the scan."""

    data: DataRecord


class ScanRecord(Record):
    """The content of ``scan.json``: how far a scan has come, and what it is of."""

    format: Literal[2]
    model: Text
    identity: IdentityRecord
    layers: Annotated[tuple[LayerRecord, ...], Field(min_length=1, max_length=100_000)]
    total: Count
    done: Count
    classes: Classes
    class_counts: ClassCounts
    right: ClassCounts
    data: DataRecord
    skipped: tuple[SkippedRecord, ...]
    tables: TablesRecord | None  # before the first chunk there are none

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        own = self.identity
        if self.done > self.total or self.total != own.images or tuple(one.layer for one in self.layers) != own.layers:
            raise ValueError("its numbers of images or its layers contradict each other")
        if self.classes != own.classes or not len(self.classes) <= len(self.class_counts) == len(self.right):
            raise ValueError("its numbers of classes contradict each other")
        return self


@dataclass
class ScanState:
    """What a scan is of, and how far it has come.

    Args:
        model: The network's name.
        identity: All that decides the result, as plain data: two scans with the same give the same bytes.
        shapes: By the address of each layer, its shape for one image.
        receptive_fields: The receptive field of one unit of each layer; None for the whole image.
        data: How the data can be opened again; None where only a Python program has it.
        stats: The statistics of each layer, by address.
        class_counts: `[classes]`, how many images of each class were not skipped; as long as the largest number needs.
        right: `[classes]`, for how many of these the network's answer was right, in all heads that have one for them.
        done: How many images were processed, skipped ones included.
        skipped: The images that were left out.
    """

    model: str
    identity: dict[str, Any]
    shapes: dict[str, tuple[int, ...]]
    receptive_fields: dict[str, ReceptiveField | None]
    data: DataName | None
    stats: dict[str, LayerStats]
    class_counts: np.ndarray
    right: np.ndarray
    done: int = 0
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def total(self) -> int:
        """How many images the data has."""
        return int(self.identity["images"])


def write_state(state: ScanState, folder: Path) -> None:
    """Write how far a scan has come: the tables first, then the summary that names them, each whole or not at all.

    A scan that has processed no image yet has a summary alone.
    """
    if state.done == 0:
        write_file(folder, SUMMARY, json.dumps(_summary(state, None), indent=1))
        return
    stream = io.BytesIO()
    arrays: dict[str, Any] = {
        f"{number}/{name}": array
        for number, stats in enumerate(state.stats.values())
        for name, array in stats.arrays().items()
    }
    np.savez(stream, **arrays)  # before 2.2 numpy stores each keyword as an array, `allow_pickle` too
    data = stream.getvalue()
    write_file(folder, TABLES.format(state.done), data)
    write_file(folder, SUMMARY, json.dumps(_summary(state, data), indent=1))
    remove_tables(state, folder)


def remove_tables(state: ScanState, folder: Path) -> None:
    """Remove the tables of the chunk before, which a kill may have left."""
    chunk = state.identity["chunk"]
    before = (state.done - 1) // chunk * chunk
    if before > 0:
        (folder / TABLES.format(before)).unlink(missing_ok=True)


def write_provenance(state: ScanState, folder: Path) -> None:
    """Write where the images of a scan are: the one file of its folder that names places on this machine."""
    write_file(folder, PROVENANCE, json.dumps({"data": state.data}, indent=1) + "\n")


def read_state(folder: Path) -> ScanState | None:
    """Read how far a scan has come; None where the folder holds none."""
    check_read(folder / SUMMARY)
    try:
        written = read_json(read_text(folder / SUMMARY), "its summary")
        if not isinstance(written, dict) or written.get("format") != FORMAT:
            raise BadInputError(f"{folder} was written by another version of lucidtorch; scan into another folder.")
        summary = ScanRecord.read(written, "its summary")
        data = _data_of(summary, folder)
        return _state(summary, data, None if summary.tables is None else _tables(summary.tables, folder))
    except (FileNotFoundError, NotADirectoryError) as error:
        if not (folder / SUMMARY).exists():
            return None
        raise _damaged(folder, error) from error
    except UntrustedError:
        raise
    except RecipeError as error:
        raise _damaged(folder, error) from error
    except BadInputError:
        raise
    except (OSError, ValueError, KeyError, TypeError, MemoryError, zipfile.BadZipFile) as error:
        raise _damaged(folder, error) from error


def _summary(state: ScanState, tables: bytes | None) -> dict[str, Any]:
    layers = [
        {
            "layer": layer,
            "shape": list(shape),
            "receptive_field": None if (seen := state.receptive_fields[layer]) is None else asdict(seen),
        }
        for layer, shape in state.shapes.items()
    ]
    return {
        "format": FORMAT,
        "model": state.model,
        "identity": state.identity,
        "layers": layers,
        "total": state.total,
        "done": state.done,
        "classes": state.identity["classes"],
        "class_counts": state.class_counts.tolist(),
        "right": state.right.tolist(),
        "data": portable_name(state.data),
        "skipped": [asdict(one) for one in state.skipped],
        "tables": None
        if tables is None
        else {"file": TABLES.format(state.done), "sha256": hashlib.sha256(tables).hexdigest()},
    }


def _data_of(summary: ScanRecord, folder: Path) -> DataName | None:
    """How the images can be opened again: with their paths where this machine made the scan."""
    record: ScanRecord | ProvenanceRecord = summary
    try:
        text = read_text(folder / PROVENANCE)
    except (OSError, UnicodeDecodeError):
        pass
    else:
        record = ProvenanceRecord.read(read_json(text, PROVENANCE), PROVENANCE)
    name: DataName | None = record.model_dump(mode="json", include={"data"})["data"]
    return name


def _tables(named: TablesRecord, folder: Path) -> bytes:
    check_read(folder / named.file)
    data = read_bytes(folder / named.file)
    if hashlib.sha256(data).hexdigest() != named.sha256:
        raise ValueError(f"{named.file} is not what was written")
    return data


def _state(summary: ScanRecord, data: DataName | None, tables: bytes | None) -> ScanState:
    shapes = {one.layer: one.shape for one in summary.layers}
    seen = {one.layer: one.receptive_field for one in summary.layers}
    if tables is None:
        settings = ScanSettings(**{one.name: getattr(summary.identity, one.name) for one in fields(ScanSettings)})
        stats = {layer: LayerStats.empty(shape[0], settings) for layer, shape in shapes.items()}
    else:
        stats = _stats(tables, shapes)
    return ScanState(
        model=summary.model,
        identity=summary.identity.model_dump(mode="json"),
        shapes=shapes,
        receptive_fields={
            layer: None if one is None else ReceptiveField(one.size, one.stride, one.start)
            for layer, one in seen.items()
        },
        data=data,
        stats=stats,
        class_counts=np.array(summary.class_counts, dtype=np.int64),
        right=np.array(summary.right, dtype=np.int64),
        done=0 if tables is None else summary.done,
        skipped=[] if tables is None else [Skipped(**one.model_dump()) for one in summary.skipped],
    )


def _stats(tables: bytes, shapes: dict[str, tuple[int, ...]]) -> dict[str, LayerStats]:
    """Read the tables of each layer; they are stored uncompressed, so that nothing unpacks to more than the file."""
    if any(shape[0] > len(tables) for shape in shapes.values()):
        raise ValueError("its tables are too small for its layers")
    with zipfile.ZipFile(io.BytesIO(tables)) as archive:
        if any(one.compress_type != zipfile.ZIP_STORED for one in archive.infolist()):
            raise ValueError("its tables are compressed")
    arrays: dict[int, dict[str, np.ndarray]] = {number: {} for number in range(len(shapes))}
    with np.load(io.BytesIO(tables), allow_pickle=False) as stored:
        for name in stored.files:
            number, _, own = name.partition("/")
            if own:  # not the `allow_pickle` that 0.1.0 stored with numpy before 2.2
                arrays[int(number)][own] = stored[name]
    return {
        layer: LayerStats.from_arrays(arrays[number], shape[0]) for number, (layer, shape) in enumerate(shapes.items())
    }


def _damaged(folder: Path, error: Exception) -> BadInputError:
    return BadInputError(f"The scan in {folder} is damaged ({cut(str(error), 100)}); remove the folder and scan again.")
