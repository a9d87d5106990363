"""A folder of the user's own images, in one subfolder per class or in none."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from lucidtorch.base.checks import checked
from lucidtorch.base.errors import ImageError
from lucidtorch.base.images import photo_bytes
from lucidtorch.base.trust import check_read, is_named_by_user
from lucidtorch.datasets.collection import Collection, height_and_width

SUFFIXES = frozenset((".png", ".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff"))


class Pictures(Collection):
    """The images of a folder, read on access, in the order of their paths.

    Args:
        files: The path of each image and the number of its class.
        classes: The names of the classes.
        size: Height and width to which every image is scaled and cropped; None keeps the original sizes.
        root: The folder, if all images come from one.
    """

    def __init__(
        self,
        files: tuple[tuple[Path, int], ...],
        classes: tuple[str, ...],
        size: tuple[int, int] | None,
        root: Path | None = None,
    ) -> None:
        self.files, self.size, self.root = files, size, root
        self._classes = classes
        self._needed: tuple[int, int] | None = None

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the subfolders; one empty name where there are none."""
        return self._classes

    def __len__(self) -> int:
        return len(self.files)

    def needed_at(self, sides: tuple[int, int]) -> Pictures:
        """Return the same images for a caller that scales them: very large ones are decoded no larger than needed."""
        found = Pictures(self.files, self._classes, self.size, self.root)
        found._needed = sides
        return found

    def item(self, index: int) -> tuple[Tensor, int]:
        path, label = self.files[index]
        values = torch.from_numpy(photo_bytes(path, self.size, colours=True, needed=self._needed).copy())
        return values.to(torch.float32).div_(255), label


@checked
def folder(path: Path | str, *, size: int | tuple[int, int] | None = None) -> Pictures:
    """Open a folder of images.

    Args:
        path: The folder. Each subfolder that contains images at any depth is a class; without such subfolders, the
            images in the folder itself form one class with an empty name.
        size: The side in pixels, or `(height, width)`; images are scaled to cover it and centre-cropped. None keeps
            the original sizes.

    Returns:
        A collection of `[3, H, W]` images.

    Raises:
        ImageError: There is no such folder, or no image in it.
        SizeError: A side is below 16 pixels.
    """
    root = Path(path)
    check_read(root)
    if not root.is_dir():
        raise ImageError(f"There is no folder {root}; name one that holds images, or subfolders of images.")
    found = {part.name: image_files(part, deep=True) for part in sorted(root.iterdir()) if part.is_dir()}
    found = {name: paths for name, paths in found.items() if paths} or {"": image_files(root)}
    files = tuple((one, label) for label, paths in enumerate(found.values()) for one in paths)
    if not files:
        raise ImageError(f"{root} holds no images; they end in {', '.join(sorted(SUFFIXES))}.")
    for one, _ in files if not is_named_by_user(root) else ():
        check_read(one)  # a link in an untrusted folder may point out of it
    return Pictures(files, tuple(found), None if size is None else height_and_width(size), root)


def image_files(place: Path, *, deep: bool = False) -> list[Path]:
    """List the images in a folder by their suffixes."""
    entries = place.rglob("*") if deep else place.iterdir()
    return sorted(one for one in entries if one.suffix.lower() in SUFFIXES and (one.is_file() or is_dangling(one)))


def is_dangling(path: Path) -> bool:
    """Whether a path is a broken symbolic link."""
    return path.is_symlink() and not path.exists()
