"""What a render returns: pictures that know how they were made."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from lucidtorch.base.arrays import Array
from lucidtorch.base.checks import checked
from lucidtorch.base.errors import BadInputError, OutputError
from lucidtorch.base.files import atomic_write_bytes, check_output_file
from lucidtorch.base.images import block, dead_mark, encode_png, on_grey, sheet, strip
from lucidtorch.base.records import Settings, settings_text
from lucidtorch.base.shown import shown
from lucidtorch.rendering.loop import Stop
from lucidtorch.rendering.movie import MOVIES, check_encoder, encode_movie
from lucidtorch.rendering.settings import renamed
from lucidtorch.rendering.showing import (
    MOST_PICTURES,
    MOST_PIXELS,
    Label,
    figure_html,
    fitting_sheet,
    heading,
    labels,
    picture_html,
    row_html,
    summary,
)

CLIP_AXES = 5  # images have four


@dataclass(frozen=True, eq=False)
class Rendering:
    """The pictures of a render, how they came about, and how to make them again.

    Args:
        images: `[B, C, H, W]` in [0, 1], or `[B, C, T, H, W]` of clips and volumes, on the CPU.
        values: The objective of each finished picture in `images`, `[B]`: without transforms, at its own size. Where a
            network does not take that size, grey is around it up to the size that the network saw.
        dead: Whether each picture's units are dead: they are zero or asleep in the flat part of a rectifier, and no
            gradient that would wake them arrives at the picture. Units at their maximum are not.
        snapshots: The pictures after so many updates, by that number.
        history: The values of every part of the objective and of the whole (``"objective"``), `[B, steps]` each, by
            its text.
        recipe: The record of everything that decides the pictures.
        stopped: The images that stopped because a value was NaN or infinite, by place.
        converged: The last update of each image that went no further, since its score had ceased to rise, by place.
        interrupted: Whether the render was interrupted before its last step.
        arrays: The large arrays that the recipe names.
        held: The channels that were held as they are; they are in `images`, and are left out where pictures are shown.
        alpha: Whether the last channel of the pictures is opacity, which a PNG keeps.
        objective: The objective as it is shown, without what has its default; as the recipe says it where empty.
    """

    images: Tensor
    values: Tensor
    dead: tuple[bool, ...]
    snapshots: Mapping[int, Tensor]
    history: Mapping[str, Tensor]
    recipe: Settings
    stopped: Mapping[int, Stop] = field(default_factory=dict)
    converged: Mapping[int, int] = field(default_factory=dict)
    interrupted: bool = False
    arrays: tuple[Array, ...] = ()
    held: tuple[int, ...] = ()
    alpha: bool = False
    objective: str = ""

    rested = renamed("rested", "converged")

    @property
    def is_clips(self) -> bool:
        """Whether the pictures are clips or volumes."""
        return self.images.ndim == CLIP_AXES

    @checked
    def save(self, path: str | Path, *, images: Sequence[int] | None = None, snapshot: int | None = None) -> Path:
        """Write the pictures into a file.

        Args:
            path: A name that ends in ``.png`` (all pictures in one sheet, the recipe inside; a clip is a row of at most
                8 of its frames), or in ``.gif`` or ``.mp4`` (the snapshots one after another; clips play, at each
                snapshot in turn; without snapshots, the pictures one after another, or the clips as they are at the
                end). See-through pictures lie on grey in a movie.
            images: The places of the pictures to show in a PNG; all of them where None.
            snapshot: After how many updates to show them in a PNG, one of the snapshots; at the end where None.

        Returns:
            The path.

        Raises:
            OutputError: The name ends otherwise, a movie has nothing to show, or the place cannot be written to.
            BadInputError: It is an MP4, and imageio-ffmpeg, which the extra ``film`` brings, is not installed.
        """
        path = Path(path)
        check_destination(path, self.snapshots, plays=self.is_clips or len(self.images) > 1)
        suffix = path.suffix.lower()
        data = encode_movie(self._frames(), suffix) if suffix in MOVIES else self.png(images, snapshot=snapshot)
        for array in self.arrays:
            array.save(path.parent)
        atomic_write_bytes(path, data)
        return path

    @checked
    def picture(self, image: int) -> Tensor:
        """Give one picture as it is shown: the channels that were free; a dead unit's is marked, never drawn.

        Args:
            image: Its place in the batch.

        Returns:
            `[C, H, W]`; of a clip, its frames side by side.
        """
        self._check_places([image])
        marked = self._marked(image)
        return strip(marked) if self.is_clips else marked

    def sheet(self) -> Tensor:
        """Lay all pictures out in one.

        Returns:
            `[C, h, w]`; each clip in a row of its own, and a single one in about a square.
        """
        return self._sheet(range(len(self.images)))

    @checked
    def png(self, images: Sequence[int] | None = None, *, snapshot: int | None = None) -> bytes:
        """Encode pictures as PNG, with the recipe inside.

        Args:
            images: The places of the pictures to show; all of them where None.
            snapshot: After how many updates to show them, one of the snapshots; at the end where None.

        Returns:
            The bytes of the file. Of several pictures it is a sheet.
        """
        if snapshot is not None:
            if snapshot not in self.snapshots:
                kept = ", ".join(map(str, self.snapshots)) or "none"
                raise BadInputError(f"There is no snapshot after {snapshot} steps; those that are kept: {kept}.")
            earlier = replace(self, images=self.snapshots[snapshot], dead=(False,) * len(self.dead))
            return replace(earlier, recipe={**self.recipe, "snapshot": snapshot}).png(images)
        if images is None:
            return encode_png(self.sheet(), settings_text(self.recipe), alpha=self.alpha)
        self._check_places(images)
        text = settings_text({**self.recipe, "images": list(images)})
        return encode_png(self._sheet(images), text, alpha=self.alpha)

    def _check_places(self, images: Sequence[int]) -> None:
        count = len(self.images)
        if not images or not all(0 <= place < count for place in images):
            raise BadInputError(f"The places of images are from 0 to {count - 1}, but {shown(images)} was given.")

    def _repr_png_(self) -> bytes:
        return encode_png(self._fitting(), alpha=self.alpha) if self._is_large else self.png()

    def _repr_html_(self) -> str:
        made = self.history["objective"]
        remarks = [f"snapshots after {', '.join(map(str, self.snapshots))} steps"] if self.snapshots else []
        remarks += ["interrupted"] if self.interrupted else []
        told = self._told
        head = heading(told, self.images.shape[2:], made.shape[1], remarks)
        if self._is_large or len(self.images) > MOST_PICTURES:
            shown = picture_html(encode_png(self._fitting(), alpha=self.alpha), told["objective"])
            said = summary(self.values, self.dead, self.stopped, smaller=self._is_large)
            return f"<div>{head}{shown}{said}</div>"
        found = labels(told, self.values, made, self.dead, self.stopped)
        return f"<div>{head}{row_html(self._figure(place, one) for place, one in enumerate(found))}</div>"

    def __repr__(self) -> str:
        shape = " x ".join(map(str, self.images.shape))
        made = self.history["objective"].shape[1]
        return f"<Rendering of {self._told['objective']}: {shape}, {made} steps>"

    @property
    def _told(self) -> Settings:
        """The recipe with its objective as people read it."""
        return {**self.recipe, "objective": self.objective or self.recipe["objective"]}

    @property
    def _is_large(self) -> bool:
        """Whether all pictures are more than a notebook should hold."""
        height, width = self.picture(0).shape[-2:]
        return len(self.images) * height * width > MOST_PIXELS

    def _fitting(self) -> Tensor:
        """All pictures in one, no larger than a notebook should hold."""
        flat = torch.stack([self.picture(place) for place in range(len(self.images))])
        return fitting_sheet(flat, MOST_PIXELS, columns=1 if self.is_clips else None)

    def _figure(self, place: int, label: Label) -> str:
        text = settings_text({**self.recipe, "images": [place]})
        return figure_html(encode_png(self.picture(place), text, alpha=self.alpha), label.alt, label.lines)

    def _free(self, images: Tensor) -> Tensor:
        """Leave out the channels that were held."""
        return images[:, [channel for channel in range(images.shape[1]) if channel not in self.held]]

    def _marked(self, place: int) -> Tensor:
        image = self._free(self.images[place : place + 1])[0]
        if not self.dead[place]:
            return image
        marked = dead_mark(image)
        if self.alpha:
            marked = torch.cat([marked[:-1], torch.ones_like(marked[-1:])])
        return marked

    def _sheet(self, places: Sequence[int]) -> Tensor:
        if self.is_clips and len(places) == 1:
            return block(self._marked(places[0]))
        return sheet(torch.stack([self.picture(place) for place in places]), columns=1 if self.is_clips else None)

    def _frames(self) -> Iterator[Tensor]:
        """Give the frames of a movie, `[C, h, w]`: a sheet at each snapshot; of clips, at each frame of each."""
        at_the_end = torch.stack([self._marked(place) for place in range(len(self.images))])
        if not self.is_clips:
            sheets = [sheet(self._free(images)) for images in self.snapshots.values()]
            yield from (on_grey(one) if self.alpha else one for one in sheets or at_the_end)
            return
        for clips in [self._free(images) for images in self.snapshots.values()] or [at_the_end]:
            yield from (sheet(frames) for frames in clips.unbind(2))


def check_destination(path: Path, snapshots: Collection[int], *, plays: bool = False) -> None:
    """Make sure, before any work, that pictures can be written to a place."""
    suffix = path.suffix.lower()
    if suffix not in (".png", *MOVIES):
        name = f"{path.stem or 'picture'}.png"
        raise OutputError(
            f"Pictures are written as .png, .gif or .mp4, but {shown(str(path))} was given; write {name}."
        )
    if suffix in MOVIES and not snapshots and not plays:
        raise OutputError(f"A {suffix} shows the snapshots, and none are taken; ask for some, such as 16, 64 and 256.")
    check_encoder(suffix)
    check_output_file(path)
