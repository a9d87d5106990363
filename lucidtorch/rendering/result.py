"""What a render returns: pictures that know how they were made."""

from __future__ import annotations

import base64
import html
import tempfile
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import OutputError
from lucidtorch.base.files import atomic_write_bytes, check_output_file
from lucidtorch.base.images import dead_mark, encode_png, sheet, to_bytes, visible
from lucidtorch.base.settings import Settings, settings_text
from lucidtorch.rendering.guard import Stop

FRAMES_PER_SECOND = 10
MOVIES = (".gif", ".mp4")


@dataclass(frozen=True, eq=False)
class Rendering:
    """The pictures of a render, how they came about, and how to make them again.

    Args:
        images: `[B, C, H, W]` in [0, 1], on the CPU.
        values: The objective of each finished picture, without transforms, `[B]`.
        dead: Whether each picture's units are dead: zero, with no gradient to the picture.
        snapshots: The pictures after so many updates, by that number.
        history: The values of every part of the objective and of the whole (``"objective"``), `[B, steps]` each, by
            its text.
        recipe: The record of everything that decides the pictures.
        stopped: The images that stopped because a value was no number, by place.
        interrupted: Whether the render was interrupted before its last step.
        arrays: The large arrays that the recipe names.
    """

    images: Tensor
    values: Tensor
    dead: tuple[bool, ...]
    snapshots: Mapping[int, Tensor]
    history: Mapping[str, Tensor]
    recipe: Settings
    stopped: Mapping[int, Stop] = field(default_factory=dict)
    interrupted: bool = False
    arrays: tuple[Array, ...] = ()

    def save(self, path: str | Path, *, images: Sequence[int] | None = None) -> Path:
        """Write the pictures into a file.

        Args:
            path: A name that ends in ``.png`` (all pictures in one sheet, the recipe inside), or in ``.gif`` or
                ``.mp4`` (the snapshots).
            images: The places of the pictures to show in a PNG; all of them where None.

        Returns:
            The path.

        Raises:
            OutputError: The name ends otherwise, there are no snapshots for a movie, or the place cannot be written to.
        """
        path = Path(path)
        check_destination(path, self.snapshots)
        suffix = path.suffix.lower()
        data = self._movie(suffix) if suffix in MOVIES else self.png(images)
        for array in self.arrays:
            array.save(path.parent)
        atomic_write_bytes(path, data)
        return path

    def picture(self, image: int) -> Tensor:
        """Give one picture as it is shown: a dead unit's is marked, never drawn.

        Args:
            image: Its place in the batch.

        Returns:
            `[C, H, W]`.
        """
        return dead_mark(self.images[image]) if self.dead[image] else self.images[image]

    def sheet(self) -> Tensor:
        """Lay all pictures out in one.

        Returns:
            `[C, h, w]`.
        """
        return sheet(torch.stack([self.picture(image) for image in range(len(self.images))]))

    def png(self, images: Sequence[int] | None = None) -> bytes:
        """Encode pictures as PNG, with the recipe inside.

        Args:
            images: The places of the pictures to show; all of them where None.

        Returns:
            The bytes of the file. Of several pictures it is a sheet.
        """
        if images is None:
            return encode_png(self.sheet(), settings_text(self.recipe))
        recipe = {**self.recipe, "images": list(images)}
        return encode_png(sheet(torch.stack([self.picture(image) for image in images])), settings_text(recipe))

    def _repr_png_(self) -> bytes:
        return self.png()

    def _repr_html_(self) -> str:
        data = base64.b64encode(self._repr_png_()).decode()
        text = html.escape(str(self.recipe["objective"]))
        return f'<figure><img alt="{text}" src="data:image/png;base64,{data}"><figcaption>{text}</figcaption></figure>'

    def __repr__(self) -> str:
        count, channels, height, width = self.images.shape
        made = self.history["objective"].shape[1]
        return f"<Rendering of {self.recipe['objective']}: {count} x {channels} x {height} x {width}, {made} steps>"

    def _movie(self, suffix: str) -> bytes:
        import imageio.v3 as imageio  # loaded only for movies

        frames = np.stack([_frame(images) for images in self.snapshots.values()])
        options: dict[str, Any] = {"fps": FRAMES_PER_SECOND, "plugin": "FFMPEG", "macro_block_size": 2}
        if suffix == ".gif":
            options = {"loop": 0, "duration": 1000 / FRAMES_PER_SECOND}
        with tempfile.TemporaryDirectory() as folder:  # the encoder of mp4 needs a real file
            path = Path(folder) / f"movie{suffix}"
            imageio.imwrite(path, frames, **options)
            return path.read_bytes()


def check_destination(path: Path, snapshots: Collection[int]) -> None:
    """Make sure, before any work, that pictures can be written to a place.

    Args:
        path: The file that shall be written.
        snapshots: After how many updates pictures are kept, for a movie.

    Raises:
        OutputError: Its name ends in nothing that can be written, it is a movie of nothing, or writing there fails.
    """
    suffix = path.suffix.lower()
    if suffix not in (".png", *MOVIES):
        name = f"{path.stem or 'picture'}.png"
        raise OutputError(f"Pictures are written as .png, .gif or .mp4, but {str(path)!r} was given; write {name}.")
    if suffix in MOVIES and not snapshots:
        raise OutputError(f"A {suffix} shows the snapshots, and none are taken; ask for some, such as 16, 64 and 256.")
    check_output_file(path)


def _frame(images: Tensor) -> np.ndarray:
    shown = to_bytes(visible(sheet(images)))
    colour = np.repeat(shown, 3, axis=0) if len(shown) == 1 else shown
    return np.ascontiguousarray(colour.transpose(1, 2, 0))
