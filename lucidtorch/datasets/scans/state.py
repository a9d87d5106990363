"""How far a scan has come, as a folder holds it: whole, and with what it is the scan of."""

from __future__ import annotations

import hashlib
import io
import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.files import atomic_write_bytes, atomic_write_text
from lucidtorch.datasets.named import DataName
from lucidtorch.datasets.scans.ledger import Ledger
from lucidtorch.datasets.scans.source import Skipped
from lucidtorch.models.axes.receptive_field import ReceptiveField

FORMAT = 2
SUMMARY = "scan.json"
TABLES = "tables-*.npz"  # the star is the number of images that they speak of
LONGEST_SHOWN = 60

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

    Args:
        state: What to write.
        folder: Where; the tables of before are removed when the new ones stand.

    Raises:
        OutputError: The folder cannot be written to.
    """
    stream = io.BytesIO()
    arrays: dict[str, Any] = {
        f"{number}/{name}": array
        for number, ledger in enumerate(state.ledgers.values())
        for name, array in ledger.arrays().items()
    }
    np.savez(stream, **arrays)  # before 2.2 numpy stores each keyword as an array, `allow_pickle` too
    tables = _tables(state.done)
    data = stream.getvalue()
    atomic_write_bytes(folder / tables, data)
    atomic_write_text(folder / SUMMARY, json.dumps(_summary(state, tables, data), indent=1))
    remove_stale(state, folder)


def read_state(folder: Path) -> State | None:
    """Read how far a scan has come.

    Args:
        folder: Where it was written.

    Returns:
        The state; None where the folder holds no scan.

    Raises:
        BadInputError: What stands there is damaged, or was written by another version.
    """
    try:
        summary = json.loads((folder / SUMMARY).read_text(encoding="utf-8"))
        if summary["format"] != FORMAT:
            raise BadInputError(f"{folder} was written by another version of lucidtorch; scan into another folder.")
        data = (folder / summary["tables"]["file"]).read_bytes()
        if hashlib.sha256(data).hexdigest() != summary["tables"]["sha256"]:
            raise ValueError(f"{summary['tables']['file']} is not what was written")
        return _state(summary, data)
    except (FileNotFoundError, NotADirectoryError) as error:
        if not (folder / SUMMARY).exists():
            return None
        raise _damaged(folder, error) from error
    except BadInputError:
        raise
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise _damaged(folder, error) from error


def remove_stale(state: State, folder: Path) -> None:
    """Remove tables that the summary does not name.

    Args:
        state: What the folder holds.
        folder: The folder of a scan.
    """
    for path in folder.glob(TABLES):
        if path.name != _tables(state.done):
            path.unlink(missing_ok=True)


def check_same(known: Identity, wanted: Identity, folder: Path) -> None:
    """Refuse to go on with the scan of something else.

    Args:
        known: What the folder holds the scan of.
        wanted: What shall be scanned.
        folder: For the message.

    Raises:
        BadInputError: They differ, or nobody can say whether they do.
    """
    if wanted["network"] is None:
        raise BadInputError(
            f"{folder} holds a scan, and an input or output of this network is a function, so that nobody can say "
            "whether it is the same; scan into another folder."
        )
    words = [word for word in wanted if known.get(word) != wanted[word]]
    if words:
        told = "; ".join(f"{word}: {_shown(known.get(word))} there, {_shown(wanted[word])} here" for word in words)
        raise BadInputError(f"{folder} holds the scan of something else ({told}); scan into another folder.")


def _tables(done: int) -> str:
    return TABLES.replace("*", f"{done:09d}")


def _summary(state: State, tables: str, data: bytes) -> dict[str, Any]:
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
        "data": about.data,
        "skipped": [asdict(one) for one in state.skipped],
        "tables": {"file": tables, "sha256": hashlib.sha256(data).hexdigest()},
    }


def _state(summary: Mapping[str, Any], data: bytes) -> State:
    layers = summary["layers"]
    about = About(
        summary["model"],
        summary["identity"],
        summary["total"],
        tuple(summary["classes"]),
        {one["layer"]: tuple(one["shape"]) for one in layers},
        {one["layer"]: _receptive_field(one["receptive_field"]) for one in layers},
        summary["data"],
    )
    with np.load(io.BytesIO(data), allow_pickle=False) as tables:
        arrays: dict[int, dict[str, np.ndarray]] = {number: {} for number in range(len(layers))}
        for name in tables.files:
            number, _, own = name.partition("/")
            if own:  # not the `allow_pickle` that 0.1.0 stored with numpy before 2.2
                arrays[int(number)][own] = tables[name]
    ledgers = {one["layer"]: Ledger.from_arrays(arrays[number]) for number, one in enumerate(layers)}
    counts, right = (np.array(summary[word], dtype=np.int64) for word in ("class_counts", "right"))
    return State(about, ledgers, summary["done"], [Skipped(**one) for one in summary["skipped"]], counts, right)


def _receptive_field(found: Mapping[str, Any] | None) -> ReceptiveField | None:
    if found is None:
        return None
    size, stride, start = (_sides(found[word]) for word in ("size", "stride", "start"))
    return ReceptiveField(size, stride, start)


def _sides(value: int | Sequence[int]) -> int | tuple[int, ...]:
    return value if isinstance(value, int) else tuple(value)


def _damaged(folder: Path, error: Exception) -> BadInputError:
    return BadInputError(f"The scan in {folder} is damaged ({error}); remove the folder and scan again.")


def _shown(value: object) -> str:
    text = json.dumps(value)
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 3]}..."
