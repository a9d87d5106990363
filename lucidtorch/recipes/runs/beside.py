"""The real images beside the pictures of a run, where a scan of the network was named."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.records import settings_text
from lucidtorch.galleries.aims import Aim
from lucidtorch.galleries.beside import Beside, marked
from lucidtorch.galleries.examples import Examples, find_scan
from lucidtorch.objectives.text import parse
from lucidtorch.recipes.blame import blamed
from lucidtorch.recipes.recipe import RenderingRecipe
from lucidtorch.recipes.record import composed
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Figure, Section, Story


def open_examples(stage: Stage) -> Examples | None:
    """Open the scan that a recipe names for its pictures."""
    recipe = stage.recipe
    if not isinstance(recipe, RenderingRecipe) or recipe.scan is None:
        return None
    with blamed("scan"):
        return Examples.open(find_scan(recipe.scan, stage.base, stage.sum_of("scan")), stage.network)


def with_examples(story: Story, desk: Desk, examples: Examples) -> Story:
    """Put real images beside the rendered pictures that are of one unit each."""
    aims = {one.objective: _aim(one, desk, examples) for one in story.figures if one.file in desk.records}
    aimed = [one for one in story.figures if one.file in desk.records and aims[one.objective] is not None]
    if not aimed:
        return story
    found: dict[tuple[str, str], Beside] = {}
    with desk.onlooker.counting("examples", len(aimed)) as show:
        for number, figure in enumerate(aimed, 1):
            aim = aims[figure.objective]
            if aim is not None and (figure.file, figure.objective) not in found:
                found[figure.file, figure.objective] = _beside(figure, aim, desk, examples)
            show(number)
    sections = tuple(_with(section, found) for section in story.sections)
    return replace(story, lead=(*story.lead, examples.words), sections=sections)


def _aim(figure: Figure, desk: Desk, examples: Examples) -> Aim | None:
    try:
        return examples.aim(parse(figure.objective, desk.folder)) if figure.objective else None
    except BadInputError:
        return None  # what only a Python program can say


def _beside(figure: Figure, aim: Aim, desk: Desk, examples: Examples) -> Beside:
    pictures = [] if figure.dead else [desk.pixels(figure.file)]
    return examples.beside(aim, desk.folder, lambda file: settings_text(composed(desk.recipe, file)), pictures)


def _with(section: Section, found: Mapping[tuple[str, str], Beside]) -> Section:
    row = marked([found.get((one.file, one.objective)) for one in section.figures])
    pairs = zip(section.figures, row, strict=True)
    return replace(section, figures=tuple(replace(figure, beside=beside) for figure, beside in pairs))
