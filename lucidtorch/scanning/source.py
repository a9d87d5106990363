"""Any set of images, read one by one and brought to what a network takes; what cannot be read is skipped and named."""

from __future__ import annotations

import functools
import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import torch
from PIL import Image, ImageOps
from torch import Tensor

from lucidtorch.base.checks import is_dense, is_whole
from lucidtorch.base.errors import BadInputError, ImageError
from lucidtorch.base.images import decoded, photo_bytes, with_channels
from lucidtorch.base.shown import shown
from lucidtorch.datasets.named import check_some_exist
from lucidtorch.datasets.pictures import Pictures, is_dangling

NO_CLASS = -1
NAMELESS = ("",)  # how a folder without subfolders names the only class it has
COMPARED = 8  # how many images tell one set from another
UNREADABLE = (ImageError, OSError, ValueError, SyntaxError, EOFError, RuntimeError, Image.DecompressionBombError)
LONGEST_REASON = 300
BRIGHTEST = 255  # of whole numbers
SLACK = 1e-3  # how far rounding may carry a value out of [0, 1]
WITHOUT_CHANNELS, WITH_CHANNELS = 2, 3  # axes of an array
LISTS = ("files", "samples", "imgs")  # where data lists its files: ours, and torchvision's

Data: TypeAlias = Any
"""What has a length and gives an image, or a pair of an image and its class, by number."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """An image that cannot be used.

    Args:
        image: Its number.
        name: Its file, where that is known.
        reason: What is wrong with it.
    """

    image: int
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Item:
    """An image as the network takes it: its number, pixels `[C, H, W]` in [0, 1], and its class, -1 for none."""

    image: int
    pixels: Tensor
    label: int


class Source:
    """A set of images, each brought to what a network takes.

    Args:
        data: A `Collection`, a torchvision dataset, a sequence of images or of pairs of an image and its class, or an
            array `[N, C, H, W]`.
        channels: How many the network takes.
        sides: Height and width that it takes.

    Raises:
        BadInputError: It has no length or gives nothing by number, is empty, or its first item is not an image.
    """

    def __init__(self, data: Data, channels: int, sides: tuple[int, int]) -> None:
        listed = hasattr(data, "__len__") and hasattr(data, "__getitem__") and getattr(data, "ndim", 1) > 0
        if isinstance(data, str | Path | Mapping) or not listed:
            raise BadInputError(
                f"Data has a length and gives an image by number, but {type(data).__name__} was given; write a list, "
                "an array [N, C, H, W], or for a folder datasets.folder(path)."
            )
        self.data = data.needed_at(sides) if isinstance(data, Pictures) else data
        self.channels, self.sides = channels, sides
        names = _class_names(data)
        self._has_classes = names != NAMELESS
        self.classes = names if self._has_classes else ()
        if len(data) == 0:
            raise BadInputError("The data holds no image; give one at least.")
        self._check_first()

    def __len__(self) -> int:
        return len(self.data)

    def read(self, number: int) -> Item | Skipped:
        """Read the image of one number."""
        try:
            image, label = _image_and_label(self.data[number])
            pixels = fitted(image, self.channels, self.sides)
            return Item(number, pixels, label if self._has_classes else NO_CLASS)
        except UNREADABLE as error:
            return Skipped(number, self.name(number), self._reason(number, error))

    def items(self, numbers: Iterable[int], skipped: list[Skipped]) -> Iterator[Item]:
        """Read images one after the other, and add those that cannot be read to `skipped`."""
        for number in numbers:
            found = self.read(number)
            if isinstance(found, Item):
                yield found
            else:
                skipped.append(found)

    def name(self, number: int) -> str:
        """The name of an image: its path inside the data, the name of its file, or its number."""
        path = self._path(number)
        if path is None:
            return f"image {number}"
        if self._root is not None and Path(path).is_relative_to(self._root):
            return Path(path).relative_to(self._root).as_posix()
        return Path(path).name

    @functools.cached_property
    def _root(self) -> Path | None:
        """The folder that names of files are relative to: that of the data, or the one that all listed files share."""
        root = getattr(self.data, "root", None)
        if isinstance(root, str | Path):
            return Path(root)
        if not isinstance(self.data, list | tuple) or not all(isinstance(one, str | Path) for one in self.data):
            return None
        try:
            return Path(os.path.commonpath([Path(one).parent for one in self.data]))
        except ValueError:  # paths from the root and relative ones, or several drives
            return None

    def _path(self, number: int) -> str | Path | None:
        """The file of an image, where the data lists its files."""
        listed = next((found for word in LISTS if isinstance(found := getattr(self.data, word, None), Sequence)), ())
        entries = self.data if isinstance(self.data, list | tuple) else listed
        entry = entries[number] if len(entries) == len(self) else None
        path = entry[0] if isinstance(entry, tuple) and entry else entry
        return path if isinstance(path, str | Path) else None

    def _reason(self, number: int, error: Exception) -> str:
        """Why an image is skipped, without a place on this machine."""
        path = self._path(number)
        if path is not None and is_dangling(Path(path)):
            return "It is a link whose target is missing."
        message = f"{type(error).__name__}: {error}"
        return (message if path is None else message.replace(str(path), self.name(number)))[:LONGEST_REASON]

    def checksum(self) -> str:
        """The SHA-256 of a few images, evenly spread, which tells this data from other data."""
        digest = hashlib.sha256()
        for number in sorted({(len(self) - 1) * step // (COMPARED - 1) for step in range(COMPARED)}):
            item = self.read(number)
            digest.update(f"{number} {item.label if isinstance(item, Item) else 'skipped'} ".encode())
            if isinstance(item, Item):
                digest.update(item.pixels.numpy().tobytes())
        return digest.hexdigest()

    def _check_first(self) -> None:
        """Refuse data of the wrong type, all of which would be skipped; a broken file is no reason to."""
        try:
            image, _ = _image_and_label(self.data[0])
        except UNREADABLE:
            return
        if not isinstance(image, str | Path):
            fitted(image, self.channels, self.sides)
        elif isinstance(self.data, list | tuple | np.ndarray) and not os.path.isfile(image):
            entries = [_image_and_label(one)[0] for one in self.data]
            paths = [path for path in entries if isinstance(path, str | Path)]
            if len(paths) == len(entries):
                check_some_exist(paths, paths)


def _image_and_label(entry: Any) -> tuple[object, int]:
    """Split what the data gave into an image and its class."""
    if not isinstance(entry, tuple | list):
        return entry, NO_CLASS
    if not entry:
        raise ImageError("An empty tuple stands in the place of an image.")
    label = entry[1] if len(entry) > 1 else NO_CLASS
    if isinstance(label, Tensor | np.ndarray | np.integer) and np.ndim(label) == 0:
        label = label.item()
    return entry[0], label if is_whole(label) and label >= 0 else NO_CLASS


def _class_names(data: Data) -> tuple[str, ...]:
    """The names of the classes; none where the data does not name them."""
    names = getattr(data, "classes", None)
    if not isinstance(names, Sequence) or isinstance(names, str):
        return ()
    return tuple(str(name) for name in names)


def fitted(image: object, channels: int, sides: tuple[int, int]) -> Tensor:
    """Crop an image of any form around its centre and scale it to a size: `[channels, *sides]` in [0, 1]."""
    values = with_channels(_values_of(image, sides), channels)
    if values.shape[1:] != sides:
        values = np.stack([_scaled(channel, sides) for channel in values])
    return torch.from_numpy(np.ascontiguousarray(values))


def _values_of(image: object, needed: tuple[int, int]) -> np.ndarray:
    """The values of an image of any form: `[C, H, W]` in [0, 1], float32."""
    if isinstance(image, str | Path):
        image = photo_bytes(Path(image), needed=needed)
    elif isinstance(image, Image.Image):
        pixels = np.asarray(decoded(image, "L" if image.mode in ("1", "L") else "RGB", needed))
        image = pixels.reshape(*pixels.shape[:2], -1).transpose(2, 0, 1)
    elif isinstance(image, Tensor) and is_dense(image):
        image = image.detach().cpu().numpy()
    if not isinstance(image, np.ndarray) or image.ndim not in (WITHOUT_CHANNELS, WITH_CHANNELS):
        known = "real numbers [C, H, W], a Pillow image or the path of a file"
        raise ImageError(f"An image is {known}, but {shown(image)} was given.")
    values = image.astype(np.float32, copy=False)
    if image.dtype == np.uint8:
        values /= BRIGHTEST
    return _in_range(values if values.ndim == WITH_CHANNELS else values[None])


def _in_range(values: np.ndarray) -> np.ndarray:
    low, high = (float(values.min()), float(values.max())) if values.size else (0.0, np.nan)
    if not (low >= -SLACK and high <= 1 + SLACK):  # also where a value is NaN
        raise ImageError(
            f"Images are in [0, 1], but one of shape {list(values.shape)} with values from {low:g} to {high:g} was "
            "given; leave normalization to the network."
        )
    clipped: np.ndarray = values if low >= 0 and high <= 1 else values.clip(0, 1)
    return clipped


def _scaled(channel: np.ndarray, sides: tuple[int, int]) -> np.ndarray:
    picture = ImageOps.fit(Image.fromarray(channel), (sides[1], sides[0]), Image.Resampling.LANCZOS)
    return np.asarray(picture).clip(0, 1)
