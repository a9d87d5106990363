"""Where a run's finished pictures are put together: read back, laid out, written, and described."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from lucidtorch.base.images import encode_png
from lucidtorch.base.records import settings_text
from lucidtorch.galleries.look import picture_pixels
from lucidtorch.galleries.work import Record
from lucidtorch.objectives.algebra import Objective
from lucidtorch.recipes.recipe import Recipe, RenderingRecipe
from lucidtorch.recipes.record import composed
from lucidtorch.recipes.runs.watching import Onlooker
from lucidtorch.recipes.story import Figure
from lucidtorch.rendering.movie import FRAMES_PER_SECOND, encode_movie
from lucidtorch.runs.folder import write_file


@dataclass(frozen=True)
class Desk:
    """The folder of a run whose pictures are rendered.

    Args:
        folder: The folder.
        recipe: The recipe as it was resolved.
        records: What is known of each rendered picture, by its file.
        onlooker: Who is told how far the work is.
    """

    folder: Path
    recipe: Recipe
    records: Mapping[str, Record]
    onlooker: Onlooker = field(default_factory=Onlooker)

    def pixels(self, file: str) -> Tensor:
        """Read a picture of the run."""
        return picture_pixels(self.folder / file)

    def stacked(self, files: Iterable[str]) -> Tensor:
        """Read pictures of one size."""
        return torch.stack([self.pixels(file) for file in files])

    def write(self, file: str, image: Tensor, *, alpha: bool = False) -> str:
        """Write a picture that is put together of others; it carries the recipe of the whole run."""
        text = settings_text(composed(self.recipe, file))
        write_file(self.folder, file, encode_png(image, text, alpha=alpha))
        return file

    def movie(self, file: str, frames: Iterable[Tensor], *, rate: float = FRAMES_PER_SECOND, hold: float = 0.0) -> str:
        """Write a movie."""
        write_file(self.folder, file, encode_movie(frames, Path(file).suffix, rate=rate, hold=hold))
        return file

    def figure(
        self, file: str, caption: str, objective: Objective | str = "", *, alt: str = "", note: str = ""
    ) -> Figure:
        """Describe a rendered picture."""
        record: Mapping[str, Any] = self.records[file]
        notes = [note, *record["stopped"]]
        return Figure(
            file,
            caption,
            alt or f"What {caption} looks for",
            objective=objective if isinstance(objective, str) else repr(objective),
            seed=record["seed"],
            score=record["score"],
            curve=tuple(record["curve"]),
            terms={text: tuple(values) for text, values in record["terms"].items()},
            steps=self.recipe.schedule.steps if isinstance(self.recipe, RenderingRecipe) else None,
            dead=record["dead"],
            note=" ".join(one for one in notes if one),
        )
