"""How far a scan has come, as a folder holds it: whole, and with what it is the scan of."""

from __future__ import annotations

import hashlib
import io
import json
import zipfile
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from lucidtorch.base.errors import BadInputError, RecipeError, UntrustedError
from lucidtorch.base.files import read_bytes, read_text
from lucidtorch.base.records import read_json
from lucidtorch.base.shown import cut
from lucidtorch.base.trust import check_read
from lucidtorch.datasets.named import DataName, portable_name
from lucidtorch.models.layouts.receptive_field import ReceptiveField
from lucidtorch.runs.folder import SCAN_RECORD, write_file
from lucidtorch.scanning.ledger import Ledger
from lucidtorch.scanning.scan_record import FieldRecord, ProvenanceRecord, ScanRecord
from lucidtorch.scanning.settings import Settings
from lucidtorch.scanning.source import Skipped

FORMAT = 2
SUMMARY = SCAN_RECORD
TABLES = "tables-{:09d}.npz"  # with the number of images that they are of
PROVENANCE = "provenance.json"

Identity: TypeAlias = dict[str, Any]


@dataclass(frozen=True)
class About:
    """What a scan is of.

    Args:
        model: The network's name.
        identity: All that decides the result, as plain data: two scans with the same give the same bytes.
        total: How many images the data has.
        classes: The names of their classes; none where nobody named them.
        shapes: What each layer gives for one image, by address.
        receptive_fields: What one unit of each layer sees; None for the whole image.
        data: How the data can be opened again; None where only a Python program has it.
    """

    model: str
    identity: Identity
    total: int
    classes: tuple[str, ...]
    shapes: dict[str, tuple[int, ...]]
    receptive_fields: dict[str, ReceptiveField | None]
    data: DataName | None

    @property
    def answers(self) -> dict[str, list[int]]:
        """By the address of each head whose answers are counted, the right one for each class, or -1."""
        found: dict[str, list[int]] = self.identity["answers"]
        return found


@dataclass
class State:
    """How far a scan has come.

    Args:
        about: What it is of.
        ledgers: What is kept of each layer, by address.
        done: How many images were looked at, skipped ones included.
        skipped: Those that were left out.
        class_counts: `[classes]`, how many of the others are of each class; as long as the largest number asks for.
        right: `[classes]`, for how many of these the network's answer was right, in all heads that have one for them.
    """

    about: About
    ledgers: dict[str, Ledger]
    done: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    class_counts: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))
    right: np.ndarray = field(default_factory=lambda: np.zeros(0, dtype=np.int64))


def write_state(state: State, folder: Path) -> None:
    """Write how far a scan has come: the tables first, then the summary that names them, each whole or not at all.

    A scan that has looked at nothing yet has a summary alone.
    """
    if state.done == 0:
        write_file(folder, SUMMARY, json.dumps(_summary(state, None), indent=1))
        return
    stream = io.BytesIO()
    arrays: dict[str, Any] = {
        f"{number}/{name}": array
        for number, ledger in enumerate(state.ledgers.values())
        for name, array in ledger.arrays().items()
    }
    np.savez(stream, **arrays)  # before 2.2 numpy stores each keyword as an array, `allow_pickle` too
    data = stream.getvalue()
    write_file(folder, TABLES.format(state.done), data)
    write_file(folder, SUMMARY, json.dumps(_summary(state, data), indent=1))
    remove_tables(state, folder)


def read_state(folder: Path) -> State | None:
    """Read how far a scan has come."""
    check_read(folder / SUMMARY)
    try:
        written = read_json(read_text(folder / SUMMARY), "its summary")
        if not isinstance(written, dict) or written.get("format") != FORMAT:
            raise BadInputError(f"{folder} was written by another version of lucidtorch; scan into another folder.")
        summary = ScanRecord.read(written, "its summary")
        named = _data_of(summary, folder)
        if summary.tables is None:
            return _state(summary, named, None)
        tables = folder / summary.tables.file
        check_read(tables)
        data = read_bytes(tables)
        if hashlib.sha256(data).hexdigest() != summary.tables.sha256:
            raise ValueError(f"{summary.tables.file} is not what was written")
        return _state(summary, named, data)
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


def remove_tables(state: State, folder: Path) -> None:
    """Remove the tables of the chunk before, which a kill may have left."""
    chunk = state.about.identity["chunk"]
    before = (state.done - 1) // chunk * chunk
    if before > 0:
        (folder / TABLES.format(before)).unlink(missing_ok=True)


def write_provenance(about: About, folder: Path) -> None:
    """Write where the images of a scan are: the one file of its folder that names places on this machine."""
    write_file(folder, PROVENANCE, json.dumps({"data": about.data}, indent=1) + "\n")


def _summary(state: State, data: bytes | None) -> dict[str, Any]:
    about = state.about
    layers = [
        {
            "layer": layer,
            "shape": list(shape),
            "receptive_field": None if (seen := about.receptive_fields[layer]) is None else asdict(seen),
        }
        for layer, shape in about.shapes.items()
    ]
    return {
        "format": FORMAT,
        "model": about.model,
        "identity": about.identity,
        "layers": layers,
        "total": about.total,
        "done": state.done,
        "classes": list(about.classes),
        "class_counts": state.class_counts.tolist(),
        "right": state.right.tolist(),
        "data": None if about.data is None else portable_name(about.data),
        "skipped": [asdict(one) for one in state.skipped],
        "tables": None
        if data is None
        else {"file": TABLES.format(state.done), "sha256": hashlib.sha256(data).hexdigest()},
    }


def _data_of(summary: ScanRecord, folder: Path) -> DataName | None:
    """Say how the images can be opened again: with their places where this machine made the scan."""
    try:
        text = read_text(folder / PROVENANCE)
    except (OSError, UnicodeDecodeError):
        found = summary.model_dump(mode="json")["data"]
    else:
        found = ProvenanceRecord.read(read_json(text, PROVENANCE), PROVENANCE).model_dump(mode="json")["data"]
    name: DataName | None = found
    return name


def _state(summary: ScanRecord, named: DataName | None, data: bytes | None) -> State:
    about = About(
        summary.model,
        summary.identity.model_dump(mode="json"),
        summary.total,
        summary.classes,
        {one.layer: one.shape for one in summary.layers},
        {one.layer: _receptive_field(one.receptive_field) for one in summary.layers},
        named,
    )
    counts, right = (np.array(one, dtype=np.int64) for one in (summary.class_counts, summary.right))
    if data is None:
        settings = Settings(**{one.name: getattr(summary.identity, one.name) for one in fields(Settings)})
        ledgers = {layer: Ledger.empty(shape[0], settings) for layer, shape in about.shapes.items()}
        return State(about, ledgers, class_counts=counts, right=right)
    if any(one.shape[0] > len(data) for one in summary.layers):
        raise ValueError("its tables are too small for its layers")
    arrays = _arrays(data, len(summary.layers))
    ledgers = {one.layer: Ledger.from_arrays(arrays[number], one.shape[0]) for number, one in enumerate(summary.layers)}
    skipped = [Skipped(**one.model_dump()) for one in summary.skipped]
    return State(about, ledgers, summary.done, skipped, counts, right)


def _arrays(data: bytes, layers: int) -> dict[int, dict[str, np.ndarray]]:
    """Read the tables of each layer; what is stored is what is read, so that nothing unpacks to more than the file."""
    found: dict[int, dict[str, np.ndarray]] = {number: {} for number in range(layers)}
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        if any(one.compress_type != zipfile.ZIP_STORED for one in archive.infolist()):
            raise ValueError("its tables are compressed")
    with np.load(io.BytesIO(data), allow_pickle=False) as tables:
        for name in tables.files:
            number, _, own = name.partition("/")
            if own:  # not the `allow_pickle` that 0.1.0 stored with numpy before 2.2
                found[int(number)][own] = tables[name]
    return found


def _receptive_field(found: FieldRecord | None) -> ReceptiveField | None:
    return None if found is None else ReceptiveField(found.size, found.stride, found.start)


def _damaged(folder: Path, error: Exception) -> BadInputError:
    return BadInputError(f"The scan in {folder} is damaged ({cut(str(error), 100)}); remove the folder and scan again.")
