"""`lucidtorch rerun`: a picture makes itself again."""

from __future__ import annotations

import contextlib
import itertools
import os
from pathlib import Path

import click

from lucidtorch.base.errors import RecipeError
from lucidtorch.base.images import read_png_text
from lucidtorch.base.records import read_settings
from lucidtorch.cli import options
from lucidtorch.cli.console import Voice
from lucidtorch.cli.exits import Interrupted
from lucidtorch.recipes.pictures import read_recipe, rerun
from lucidtorch.rendering.result import Rendering

CIRCUMSTANCES = {"versions", "device", "threads", "steps", "planned", "recipe_id"}  # of a rerun, and no part of its aim


@click.command("rerun", short_help="Make a picture again from what it carries.")
@click.argument("picture", type=click.Path(path_type=Path), metavar="PICTURE.png")
@options.output("The file; if left out PICTURE-again.png, or -again-2.png where that is another picture.")
@options.seed
@click.option("--model", metavar="NETWORK", help="The network, in the place of the one that the picture names.")
@click.option("--weights", metavar="W", help="default, random or a file, in the place of those that the picture names.")
@options.imports
@options.trust
@options.quiet
def command(
    picture: Path,
    output: Path | None,
    seed: int,
    model: str | None,
    weights: str | None,
    trust: bool,
    quiet: bool,
) -> None:
    """Make a picture again from what it carries: the same bytes on the same machine and versions.

    A sheet or another picture that was put together runs its whole recipe again. The seeds are those of the picture;
    --seed changes nothing here.

    A picture may come from anybody: it runs no code, downloads nothing and opens only files in its own folder, unless
    you say --trust or name the network yourself with --model.
    """
    voice = Voice(quiet=quiet)
    read_recipe(picture)
    path = output or _free_name(picture)
    with contextlib.closing(voice):
        made = rerun(
            picture,
            path,
            model=model,
            weights=weights,
            trust=trust,
            callbacks=[lambda step: voice.progress(step.number, step.steps, f"step of {picture.name}")],
        )
    voice.wrote(path)
    if isinstance(made, Rendering) and made.interrupted:
        raise Interrupted(f"interrupted; the picture as it was then is in {path}")


def _free_name(picture: Path) -> Path:
    """Name the new picture: a file that is not there, or is the same picture made again before."""
    ends = itertools.chain(("",), (f"-{number}" for number in itertools.count(2)))
    names = (f"{picture.stem}-again{end}.png" for end in ends)
    places = (picture.with_name(name) for name in names)
    return next(place for place in places if not os.path.lexists(place) or _is_again(place, picture))


def _is_again(place: Path, picture: Path) -> bool:
    """Whether a file carries the recipe of a picture, with whatever versions and however far it was made."""
    try:
        first, second = (read_settings(read_png_text(one), str(one)) for one in (place, picture))
    except RecipeError:
        return False
    return all(first.get(word) == second.get(word) for word in {*first, *second} - CIRCUMSTANCES)
