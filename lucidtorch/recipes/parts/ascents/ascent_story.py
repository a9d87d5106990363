"""What is told of plain ascent: each objective in all ways, with spectra, values and repeats below, and in numbers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from lucidtorch.base.images import sheet
from lucidtorch.recipes.parts.ascents.ascent_seen import REFERENCE, Seen, averages, looked_at, numbers, spectra_chart
from lucidtorch.recipes.parts.ascents.ascent_ways import SAID, WayWord
from lucidtorch.recipes.parts.scoring import clean_scores
from lucidtorch.recipes.parts.ways import Ground, Way
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Figure, Section, Story

REFERENCE_FILE = "reference.png"
ROWS = ("picture", "spectrum", "values", "repeats")


@dataclass(frozen=True)
class Ascent:
    """One objective, made in several ways.

    Args:
        name: What it is called.
        slug: A name for files that no other has.
        ground: What all ways have in common.
        ways: How each is made.
    """

    name: str
    slug: str
    ground: Ground
    ways: Mapping[WayWord, Way]

    def file(self, word: WayWord) -> str:
        """Name the picture of a way."""
        return f"pictures/{self.slug}-{word}.png"


@dataclass(frozen=True)
class Comparison:
    """Ascents, and a picture that no network made.

    Args:
        stage: What the recipe plans on.
        ascents: One per objective.
        picture: `[C, H, W]` in [0, 1]: the yardstick.
        name: What that is called.
    """

    stage: Stage
    ascents: tuple[Ascent, ...]
    picture: Tensor
    name: str

    @property
    def words(self) -> tuple[WayWord, ...]:
        """The ways, in order."""
        return tuple(self.ascents[0].ways)

    def tell(self, desk: Desk) -> Story:
        """Measure all pictures, and put together what the page says."""
        reference = self._reference(desk)
        found = {one.name: self._seen(desk, one) for one in self.ascents}
        shown = [one.pixels for own in found.values() for one in (*own.values(), reference)]
        main = desk.write("sheet.png", sheet(torch.stack(shown), 1 + len(self.words)))
        sections = [self._section(desk, one, found[one.name], reference) for one in self.ascents]
        facts = {
            "measures": {
                name: {word: one.measures.facts() for word, one in own.items()} for name, own in found.items()
            },
            REFERENCE: reference.measures.facts(),
        }
        title = self.stage.recipe.title or f"What goes wrong in plain ascent on {self.stage.network.name}"
        rows = [(name, word, one) for name, own in found.items() for word, one in own.items()]
        whole = (*sections, numbers([*rows, (self.name, REFERENCE, reference)]))
        return Story(title, self._lead(found, reference), whole, main, facts)

    def _reference(self, desk: Desk) -> Seen:
        file = desk.write(REFERENCE_FILE, self.picture)
        note = f"{self.name}: no network made it."
        figure = Figure(file, REFERENCE, f"The picture {self.name}, which no network made", note=note)
        return looked_at(desk, figure, REFERENCE)

    def _seen(self, desk: Desk, one: Ascent) -> dict[WayWord, Seen]:
        found: dict[WayWord, Seen] = {}
        for word, way in one.ways.items():
            alt = f"What looks for {one.name}, {word}"
            figure = desk.figure(one.file(word), word, way.objective, alt=alt)
            score = clean_scores(self.stage, one.ground.goal, desk.pixels(figure.file)[None])[0]
            found[word] = looked_at(desk, replace(figure, score=score), f"{one.slug}-{word}")
        return found

    def _section(self, desk: Desk, one: Ascent, found: Mapping[WayWord, Seen], reference: Seen) -> Section:
        seen = [*found.values(), reference]
        figures = [own.figure for own in seen] + [own.maps[row] for row in range(len(ROWS) - 1) for own in seen]
        names: dict[str, Tensor] = {word: own.pixels for word, own in found.items()}
        names[REFERENCE] = reference.pixels
        file = desk.write(f"spectra-{one.slug}.png", spectra_chart(names))
        alt = f"A chart of the strength of waves by their length, for {', '.join(names)}"
        chart = Figure(file, "How strong waves are, from long ones to fine ones", alt, whole=True)
        text = (
            "Below each picture: its spectrum (the longest waves in the middle, the finest at the edges and corners; "
            "each step from white to black is a power of ten, six in all), how often each value stands in it (dark on "
            "the left, light on the right; red, green and blue add up), and how alike it is to itself when shifted "
            "(no shift in the middle; white is alike, black opposite; the orange square is the strongest repeat).",
        )
        return Section(one.name, text, (*figures, chart), len(seen), ROWS, tuple(names))

    def _lead(self, found: Mapping[str, Mapping[WayWord, Seen]], reference: Seen) -> tuple[str, ...]:
        steps = self.stage.craft.schedule.steps
        made = "; ".join(f"{word}: {SAID[word]}" for word in self.words)
        return (
            "When a picture simply follows the gradient, three things tend to go wrong: fine patterns that no "
            "photograph holds, values at the ends of the range, and the same motif over and over. Here they are "
            f"measured. Every objective starts from the same faint noise in each way and goes {steps} steps. {made}.",
            averages(self._sorts(found, reference)),
            f"The last column is {self.name}, which no network made: a yardstick, not a goal, for these numbers depend "
            "on what is shown, and a natural texture repeats too. A better number is no proof of a truer picture: "
            "what keeps ascent natural also has a say in what is seen.",
        )

    def _sorts(self, found: Mapping[str, Mapping[WayWord, Seen]], reference: Seen) -> list[tuple[str, Sequence[Seen]]]:
        """The pictures of the first and the last way, and the yardstick."""
        words = dict.fromkeys((self.words[0], self.words[-1]))
        return [*((word, [own[word] for own in found.values()]) for word in words), (REFERENCE, [reference])]
