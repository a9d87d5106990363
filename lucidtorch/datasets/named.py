"""Data by name: how a recipe, a command and a scan's file say which images are meant."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from lucidtorch.base.errors import BadInputError, ImageError, suggestion
from lucidtorch.datasets.drawn import Drawings, drawings
from lucidtorch.datasets.handwriting import Digits, digits
from lucidtorch.datasets.pictures import Pictures, folder
from lucidtorch.datasets.ruled import Lines, lines

ARRAYS = ".npy"
FOLDER, TORCHVISION = "folder", "torchvision"
PATHS = (FOLDER, "root")  # the words whose values are paths

DataName: TypeAlias = str | Sequence[str] | Mapping[str, Any]
"""The path of a folder or of an array `[N, C, H, W]`; paths of images; or a mapping with one of `SORTS` as a key."""


def open_data(name: DataName, *, size: tuple[int, int], base: Path | None = None) -> Any:
    """Open data that is named.

    Args:
        name: The path of a folder of images, with a subfolder per class or none, or of a `.npy` array `[N, C, H, W]`;
            the paths of images; or a mapping: `{drawings: test, length: 500, seed: 0}`, `{digits: test}`,
            `{lines: test, head: colour}`, `{folder: PATH, size: 64}`,
            `{torchvision: CIFAR10, root: PATH, train: false}`.
        size: Height and width that drawings, digits and lines are made in, where `name` says no `size`.
        base: Where relative paths start; the current folder where None.

    Returns:
        What has a length and gives an image, or a pair of an image and its class, by number.

    Raises:
        BadInputError: There is no such data.
    """
    start = Path() if base is None else base
    if isinstance(name, str):
        path = start / Path(name).expanduser()
        return _array(path) if path.suffix == ARRAYS else folder(path)
    if not isinstance(name, Mapping):
        return [str(start / Path(one).expanduser()) for one in name]
    words = dict(name)
    sorts = [word for word in words if word in SORTS]
    if len(sorts) != 1:
        given = ", ".join(map(str, words)) or "nothing"
        raise BadInputError(f"Data is named by one of {', '.join(SORTS)}, but {given} was given.")
    value = words.pop(sorts[0])
    if sorts[0] == TORCHVISION:
        return _torchvision(value, words, start)
    if sorts[0] == FOLDER:
        return folder(start / Path(value).expanduser(), **_only(words, ("size",), FOLDER))
    opener, known = _DRAWN[sorts[0]]
    return opener(value, **({"size": size} | _only(words, known, sorts[0])))


def name_of(data: object) -> DataName | None:
    """Say how data can be opened again.

    Args:
        data: Any data.

    Returns:
        Its name, with whole paths; None where only a Python program has it.
    """
    if isinstance(data, Drawings | Lines):
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


def shown_data(name: DataName) -> DataName:
    """Say what data is called without a place on this machine.

    Args:
        name: What `open_data` takes.

    Returns:
        The same with the names of files and folders in the place of their paths.
    """
    if isinstance(name, str):
        return Path(name).name
    if not isinstance(name, Mapping):
        return [Path(one).name for one in name]
    return {word: Path(value).name if word in PATHS else value for word, value in name.items()}


def _only(words: Mapping[str, Any], known: tuple[str, ...], sort: str) -> dict[str, Any]:
    for word in words:
        if word not in known:
            raise BadInputError(f"{sort} has no {word!r}. {suggestion(word, known)}")
    return {word: tuple(value) if isinstance(value, list) else value for word, value in words.items()}


def _array(path: Path) -> np.ndarray:
    try:
        found: np.ndarray = np.load(path, mmap_mode="r", allow_pickle=False)
    except (OSError, ValueError) as error:
        raise ImageError(f"{path} is no array that can be read: {error}") from error
    if found.ndim != len("NCHW"):
        raise ImageError(f"Images in an array are [N, C, H, W], but {path} holds {list(found.shape)}.")
    return found


def _torchvision(name: object, words: Mapping[str, Any], base: Path) -> Any:
    from torchvision import datasets  # light until somebody asks for one

    kinds = {one: getattr(datasets, one) for one in datasets.__all__ if one not in ("DatasetFolder", "wrap_dataset")}
    if name not in kinds:
        raise BadInputError(f"torchvision has no dataset {name!r}. {suggestion(str(name), kinds)}")
    if "root" not in words:
        raise BadInputError(f"Say under `root` in which folder the files of {name} are.")
    options = {**words, "root": str(base / Path(words["root"]).expanduser())}
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
