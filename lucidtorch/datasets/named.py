"""Data by name, as recipes, commands and scan files state it."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from lucidtorch.base.errors import BadInputError, ImageError, suggestion
from lucidtorch.base.files import read_npy, user_path
from lucidtorch.base.known_files import file_name, recall
from lucidtorch.base.shown import shown
from lucidtorch.base.trust import allow, check_code, check_read
from lucidtorch.datasets.drawn import Drawings, drawings
from lucidtorch.datasets.handwriting import Digits, digits
from lucidtorch.datasets.pictures import Pictures, folder
from lucidtorch.datasets.ruled import LineImages, lines

ARRAYS = ".npy"
FOLDER, TORCHVISION = "folder", "torchvision"
PATHS = (FOLDER, "root")  # keys of a mapping whose values are paths

DataName: TypeAlias = str | Sequence[str] | Mapping[str, Any]
"""The path of a folder or of an array `[N, C, H, W]`; paths of images; or a mapping with one of `SORTS` as a key."""


def open_data(name: DataName, *, size: tuple[int, int], base: Path | None = None) -> Any:
    """Open data by name; paths are relative to `base`, and `size` is the default size of synthetic images."""
    start = Path() if base is None else base
    for path in paths_of(name):
        check_read(start / user_path(path))
    if isinstance(name, str):
        path = start / user_path(name)
        return _array(path) if path.suffix == ARRAYS else folder(path)
    if not isinstance(name, Mapping):
        paths = [str(start / user_path(one)) for one in name]
        check_some_exist(paths, name)
        return paths
    words = dict(name)
    sorts = [word for word in words if word in SORTS]
    if len(sorts) != 1:
        given = ", ".join(map(str, words)) or "nothing"
        raise BadInputError(f"Data is named by one of {', '.join(SORTS)}, but {given} was given.")
    value = words.pop(sorts[0])
    if sorts[0] == TORCHVISION:
        return _torchvision(value, words, start)
    if sorts[0] == FOLDER:
        return folder(start / user_path(value), **_only(words, ("size",), FOLDER))
    opener, known = _DRAWN[sorts[0]]
    return opener(value, **({"size": size} | _only(words, known, sorts[0])))


def check_some_exist(paths: Sequence[str | Path], names: Sequence[str | Path]) -> None:
    """Raise an error if none of the images is a file."""
    if not any(os.path.isfile(path) for path in paths):
        raise BadInputError(f"Not one of the images that data names is a file: {shown(list(map(str, names)))}.")


def name_of(data: object) -> DataName | None:
    """Return the name by which data can be opened again; None for data that only exists in Python."""
    if isinstance(data, Drawings | LineImages):
        sort, head = ("drawings", None) if isinstance(data, Drawings) else ("lines", data.head)
        own = {"length": data.length, "size": [data.height, data.width], "seed": data.seed}
        return {sort: data.split, **({} if head is None else {"head": head}), **own}
    if isinstance(data, Digits):
        return {"digits": data.split, "size": list(data.images.shape[2:])}
    if isinstance(data, Pictures) and data.root is not None:
        whole = str(data.root.resolve())
        return whole if data.size is None else {FOLDER: whole, "size": list(data.size)}
    if isinstance(data, list | tuple) and all(isinstance(one, str | Path) for one in data):
        return [str(Path(one).resolve()) for one in data]
    return None


def portable_name(name: DataName | None) -> DataName | None:
    """Replace the paths in a name by file names."""
    if name is None or isinstance(name, str):
        return name and file_name(name)
    if not isinstance(name, Mapping):
        return [file_name(one) for one in name]
    return {word: file_name(str(value)) if word in PATHS else value for word, value in name.items()}


def find_data(name: DataName, checksum: str | None, base: Path) -> DataName:
    """Complete a name without paths by the paths under which the user opened the same data on this machine before."""
    known, portable = recall(checksum), portable_name(name)
    if portable_name(known) != portable:
        beside = portable is not None and all(os.path.exists(base / path) for path in paths_of(portable))
        return portable if beside and portable is not None else name
    for path in paths_of(known):
        allow(path)
    found: DataName = known
    return found


def paths_of(name: DataName) -> list[Path]:
    """List the files and folders in a name."""
    if isinstance(name, str):
        return [Path(name)]
    if not isinstance(name, Mapping):
        return [Path(one) for one in name]
    return [Path(str(value)) for word, value in name.items() if word in PATHS]


def _only(words: Mapping[str, Any], known: tuple[str, ...], sort: str) -> dict[str, Any]:
    for word in words:
        if word not in known:
            raise BadInputError(f"{sort} has no {word!r}. {suggestion(word, known)}")
    return {word: tuple(value) if isinstance(value, list) else value for word, value in words.items()}


def _array(path: Path) -> np.ndarray:
    try:
        found = read_npy(path, mapped=True)
    except (OSError, ValueError) as error:
        raise ImageError(f"{path} is no array that can be read: {error}") from error
    if found.ndim != len("NCHW"):
        raise ImageError(f"Images in an array are [N, C, H, W], but {path} holds {list(found.shape)}.")
    return found


def _torchvision(name: object, words: Mapping[str, Any], base: Path) -> Any:
    from torchvision import datasets  # slow to import, and only this function needs it

    kinds = {one: getattr(datasets, one) for one in datasets.__all__ if one not in ("DatasetFolder", "wrap_dataset")}
    if name not in kinds:
        raise BadInputError(f"torchvision has no dataset {name!r}. {suggestion(str(name), kinds)}")
    if "root" not in words:
        raise BadInputError(f"Say under `root` in which folder the files of {name} are.")
    options = {**words, "root": str(base / user_path(words["root"]))}
    check_code(Path(options["root"]))  # some of these datasets are pickles, which run code when loaded
    if options.pop("download", False):
        raise BadInputError(
            f"{name} is read from files that are here already; fetch them once, and leave download out."
        )
    try:
        return kinds[str(name)](**options)
    except (TypeError, ValueError, RuntimeError, OSError) as error:
        raise BadInputError(f"torchvision does not open {name} with {options}: {error}") from error


_DRAWN: dict[str, tuple[Callable[..., Any], tuple[str, ...]]] = {
    "drawings": (drawings, ("length", "size", "seed")),
    "digits": (digits, ("size",)),
    "lines": (lines, ("length", "size", "seed", "head")),
}
SORTS = (*_DRAWN, FOLDER, TORCHVISION)
"""The first keys of a mapping that names data."""
