"""What stands beside the pictures of a batch: made once, and found again by the same gallery."""

from __future__ import annotations

import dataclasses
import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from torch import Tensor

from lucidtorch.base.images import GAP
from lucidtorch.base.machine import threads
from lucidtorch.base.records import ExamplesRecord, settings_text, versions
from lucidtorch.galleries.beside import Beside
from lucidtorch.galleries.examples import Examples, stands
from lucidtorch.galleries.look import picture_pixels
from lucidtorch.galleries.plan import Batch
from lucidtorch.galleries.work import BATCHES, Record
from lucidtorch.runs.folder import read_record, write_file

Row: TypeAlias = tuple[Beside | None, ...]
"""What stands beside each unit's picture of a batch, in the order of its units; None beside those without examples."""


@dataclass(frozen=True, eq=False)
class UnitExamples:
    """The examples of a gallery.

    Args:
        examples: Those of the scan.
        folder: The folder of the gallery.
        sides: Height and width of one picture.
        threads: How many threads compute.
    """

    examples: Examples
    folder: Path
    sides: tuple[int, ...]
    threads: int

    def made(self, batch: Batch, record: Record) -> Row:
        """Put examples beside the pictures of a batch, or find that they stand there already.

        The strips are written first and the record of the batch last, each whole or not at all.
        """
        known = self.found(batch, record)
        if known is not None:
            return known
        with threads(self.threads):
            pairs = zip(batch.units, record["pictures"], strict=True)
            row = tuple(self._beside(batch, unit, entry) for unit, entry in pairs)
        document = {
            "key": self._key(batch, record),
            "pictures": _checksums(record),
            "words": self.examples.words,
            "beside": [None if one is None else dataclasses.asdict(one) for one in row],
        }
        write_file(self.folder, _record_of(batch.name), json.dumps(document, sort_keys=True, indent=1))
        return row

    def found(self, batch: Batch, record: Record) -> Row | None:
        """Find what was put beside these very pictures before, if it still stands."""
        known = read_record(self.folder / _record_of(batch.name), ExamplesRecord)
        if known is None or known.key != self._key(batch, record):
            return None
        row = _row(known)
        files = [one.file for one in row if one is not None and one.file]
        return row if all(stands(self.folder / file, self._inscribed(file)) for file in files) else None

    def _beside(self, batch: Batch, unit: int, entry: Record) -> Beside | None:
        aim = self.examples.aim(batch.objective_of(unit))
        if aim is None:
            return None
        pictures = [] if entry["dead"] else tiles(picture_pixels(self.folder / entry["file"]), self.sides)
        return self.examples.beside(aim, self.folder, self._inscribed, pictures)

    def _inscribed(self, file: str) -> str:
        return settings_text({"kind": "examples", "scan": self.examples.checksum, "picture": file})

    def _key(self, batch: Batch, record: Record) -> str:
        """A checksum of everything that decides what stands beside the pictures."""
        facts = {
            "scan": self.examples.checksum,
            "shown": self.examples.source is not None,
            "objectives": [repr(batch.objective_of(unit)) for unit in batch.units],
            "pictures": _checksums(record),
            "sides": self.sides,
            "threads": self.threads,
            "versions": versions(),
        }
        return hashlib.sha256(settings_text(facts).encode()).hexdigest()


def kept_row(folder: Path, name: str, record: Record) -> tuple[Row, str]:
    """Find what any command put beside the pictures of a batch."""
    known = read_record(folder / _record_of(name), ExamplesRecord)
    if known is None or list(known.pictures or ()) != _checksums(record) or known.words is None:
        return (), ""
    row = _row(known)
    whole = all((folder / one.file).is_file() for one in row if one is not None and one.file)
    return (row, known.words) if whole and len(row) == len(record["pictures"]) else ((), "")


def tiles(sheet: Tensor, sides: Sequence[int]) -> list[Tensor]:
    """Cut a sheet that has no empty place into its pictures."""
    height, width = sides
    rows, columns = (range(0, whole, side + GAP) for whole, side in zip(sheet.shape[1:], sides, strict=True))
    return [sheet[:, row : row + height, column : column + width] for row in rows for column in columns]


def _row(known: ExamplesRecord) -> Row:
    return tuple(None if one is None else Beside.of_plain(one.model_dump()) for one in known.beside)


def _checksums(record: Record) -> list[str]:
    return [one["sha256"] for one in record["pictures"]]


def _record_of(name: str) -> str:
    return f"{BATCHES}/{name}.beside.json"
