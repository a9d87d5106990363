"""One guard for the folders that runs, galleries and scans fill: what is theirs is known, and nothing else is touched.

A folder belongs to a kind of work where the record of that kind stands in it, with a key that says which work it is.
The same work goes on in its folder; another one that stands there is moved beside it; a folder that holds something
else under a name that is needed is refused.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, TypeVar

from lucidtorch.base import records
from lucidtorch.base.errors import LucidtorchError, OutputError, RecipeError, WriteError
from lucidtorch.base.files import (
    TEMPORARY,
    check_output_folder,
    read_text,
    remove_stale,
    replace_file,
    temporary_path,
    write_failure,
)

RECIPE, GALLERY_RECORD, SCAN_RECORD = "recipe.yaml", "gallery.json", "scan.json"
RECIPE_HEADER = "# A recipe of lucidtorch as it ran; `lucidtorch run recipe.yaml -o FOLDER` makes it again. Recipe id: "
GALLERY_FORMAT, GALLERY_DATA_FORMAT = "lucidtorch-gallery-folder", "lucidtorch-gallery"
UNNAMED = "0.1.0"  # the key of a gallery of that version, which wrote none
Kind = TypeVar("Kind", bound=records.Record)
KEY_LETTERS = 16
KEY = re.compile(r"[0-9a-z]{1,64}")  # of our own folders; it becomes a part of a folder's name
MARK_LETTERS = 8  # of a key in the name of a folder that was moved aside


@dataclass(frozen=True)
class FolderKind:
    """A kind of work that fills a folder.

    Args:
        name: What messages call it.
        record: The file that says what a folder holds; it is written first, and moved last.
        key: Reads from a folder which work of this kind it holds; None where it holds none.
        folders: The folders at the top that are its own.
        files: What the names of its files at the top match.
    """

    name: str
    record: str
    key: Callable[[Path], str | None]
    folders: tuple[str, ...]
    files: re.Pattern[str]

    def owns(self, name: str) -> bool:
        """Say whether a name at the top of a folder is one that this kind of work gives."""
        found = TEMPORARY.fullmatch(name)
        return name in self.folders or self.files.fullmatch(name if found is None else found["target"]) is not None


def check_folder(folder: Path, kind: FolderKind) -> None:
    """Make sure that work may fill a folder: nothing of somebody else has a name that it needs."""
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file, and a folder is needed; choose another name.")
    held = [one for one, _ in _held(folder)]
    for name in _names(folder):
        if not kind.owns(name) or TEMPORARY.fullmatch(name):
            continue
        other = f"choose a new folder, such as {folder / kind.name}."
        if not any(one.owns(name) for one in held):
            raise OutputError(f"{folder} holds {name}, which is of no {kind.name}; {other}")
        if name in kind.folders and (folder / name).is_symlink():
            raise OutputError(f"{folder / name} is a link, and what is written there would go elsewhere; {other}")


def claim(folder: Path, kind: FolderKind, key: str | None) -> Path | None:
    """Make a folder that of some work; other work that stands in its way is moved beside the folder, and nothing else.

    Temporary files that killed processes left among what is the work's own are removed. The caller writes the record.
    """
    others = [one for one in _held(folder) if one != (kind, key) and _in_the_way(one[0], kind, folder)]
    moved = _moved_aside(folder, others) if others else None
    check_output_folder(folder)
    remove_stale(folder)
    for name in kind.folders:
        for place, _, _ in os.walk(folder / name):  # which goes into no link
            remove_stale(Path(place))
    return moved


def write_file(folder: Path, name: str, data: bytes | str) -> Path:
    """Write a file of some work, whole or not at all; no link inside the folder is followed."""
    parts = PurePosixPath(name).parts
    if not parts or parts[0] == "/" or ".." in parts:
        raise OutputError(f"{name!r} is no file in {folder}; name one by its path from there on.")
    if not folder.is_dir():
        raise _gone(folder)
    place = folder
    for part in parts[:-1]:
        place = place / part
        if place.is_symlink():
            raise OutputError(f"{place} is a link, and what is written there would go elsewhere; choose a new folder.")
        try:
            place.mkdir(exist_ok=True)
        except FileNotFoundError as error:
            raise _gone(folder) from error
        except OSError as error:
            raise write_failure(place, error) from error
    replace_file(place / parts[-1], data.encode("utf-8") if isinstance(data, str) else data)
    return place / parts[-1]


@contextlib.contextmanager
def kept_in_place(folder: Path, kind: FolderKind) -> Iterator[None]:
    """Say in one line that a folder was removed during work, where the work in the block fails of that."""
    try:
        yield
    except (OSError, LucidtorchError) as error:
        if kind.key(folder) is None:
            raise _gone(folder) from error
        raise


def checked_key(facts: Any) -> str:
    """Sum up what decides some work."""
    return hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:KEY_LETTERS]


def read_json(path: Path) -> dict[str, Any]:
    """Read a JSON file that should hold a mapping."""
    try:
        found = records.read_json(read_text(path), path.name)
    except (OSError, ValueError):  # RecipeError is a ValueError
        return {}
    return found if isinstance(found, dict) else {}


def read_record(path: Path, kind: type[Kind]) -> Kind | None:
    """Read a record of our own from a folder."""
    try:
        return kind.read(read_json(path), path.name)
    except RecipeError:
        return None


def recipe_id(folder: Path) -> str | None:
    """Say which recipe a folder holds a run of."""
    try:
        first = read_text(folder / RECIPE).partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        return None
    key = first.removeprefix(RECIPE_HEADER).strip()
    return key if first.startswith(RECIPE_HEADER) and KEY.fullmatch(key) else None


def _gallery_key(folder: Path) -> str | None:
    record = read_json(folder / GALLERY_RECORD)
    if record:
        key = record.get("key")
        known = record.get("format") == GALLERY_FORMAT and isinstance(key, str) and KEY.fullmatch(key)
        return key if known else None
    if read_json(folder / "data.json").get("format") == GALLERY_DATA_FORMAT:
        return UNNAMED
    published = any(os.path.lexists(folder / name) for name in ("index.html", "data.json", RECIPE))
    return UNNAMED if not published and _has_batches(folder) else None  # it was killed before its pages were written


def _has_batches(folder: Path) -> bool:
    records = [read_json(path) for path in sorted(folder.glob("batches/*.json"))[:2]]
    return any(isinstance(one.get("key"), str) and isinstance(one.get("pictures"), list) for one in records)


def _scan_key(folder: Path) -> str | None:
    record = read_json(folder / SCAN_RECORD)
    identity = record.get("identity")
    return checked_key(identity) if isinstance(record.get("format"), int) and isinstance(identity, dict) else None


RUN = FolderKind(
    "run",
    RECIPE,
    recipe_id,
    ("pictures", "batches", "inputs", "maps", "scan", "examples"),
    re.compile(r"recipe\.yaml|index\.html|data\.json|provenance\.json|.*\.(?i:png|gif|mp4|npy)", re.DOTALL),
)
GALLERY = FolderKind(
    "gallery",
    GALLERY_RECORD,
    _gallery_key,
    ("pictures", "batches", "examples", "layers", "assets"),
    re.compile(r"gallery\.json|index\.html|data\.json|provenance\.json"),
)
SCAN = FolderKind("scan", SCAN_RECORD, _scan_key, (), re.compile(r"scan\.json|provenance\.json|tables-\d{9}\.npz"))
KINDS = (RUN, GALLERY, SCAN)


def _held(folder: Path) -> list[tuple[FolderKind, str]]:
    """What work a folder holds, with its keys."""
    found = ((kind, kind.key(folder)) for kind in KINDS)
    return [(kind, key) for kind, key in found if key is not None]


def _in_the_way(other: FolderKind, kind: FolderKind, folder: Path) -> bool:
    """Whether work has files in a folder under names that another kind of work needs."""
    return other is kind or any(other.owns(name) and kind.owns(name) for name in _names(folder))


def _names(folder: Path) -> list[str]:
    return sorted(entry.name for entry in folder.iterdir()) if folder.is_dir() else []


def _moved_aside(folder: Path, others: list[tuple[FolderKind, str]]) -> Path:
    """Move work beside its folder; one that was stopped in the middle of this is moved on to the same place."""
    whole, key = folder.resolve(), others[0][1]
    records = [kind.record for kind, _ in others]
    ends = ("", *(f"-{one}" for one in range(2, 1000)))
    place = next(
        place
        for place in (whole.with_name(f"{whole.name}-{key:.{MARK_LETTERS}}{end}") for end in ends)
        if not os.path.lexists(place) or _begun(place)
    )
    own = [name for name in _names(folder) if any(kind.owns(name) for kind, _ in others)]
    try:
        place.mkdir(exist_ok=True)
        mark = next(iter(_marks(place)), None) or temporary_path(place / records[0])
        mark.touch()
        for name in sorted(own, key=lambda name: name in records):  # the records last
            (folder / name).rename(place / name)
        mark.unlink()
    except OSError as error:
        raise OutputError(
            f"The {others[0][0].name} in {folder} cannot be moved to {place}: {error.strerror}. Choose a new folder."
        ) from error
    return place


def _begun(place: Path) -> bool:
    """Whether a move to a place was begun and not finished, so that nothing there is in its way."""
    if place.is_symlink() or not place.is_dir() or any(os.path.lexists(place / kind.record) for kind in KINDS):
        return False
    return not _names(place) or bool(_marks(place))


def _marks(place: Path) -> list[Path]:
    """What stands in a place as long as something is being moved there: the temporary file of a record."""
    found = [(name, TEMPORARY.fullmatch(name)) for name in _names(place)]
    return [place / name for name, match in found if match and match["target"] in [kind.record for kind in KINDS]]


def _gone(folder: Path) -> WriteError:
    return WriteError(f"{folder} was removed, or what it held, while it was being written; give the command again.")
