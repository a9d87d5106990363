"""`lucidtorch rerun`: a picture makes itself again."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from lucidtorch.cli import options
from lucidtorch.cli.console import Voice
from lucidtorch.cli.exits import Interrupted
from lucidtorch.recipes.pictures import read_recipe, rerun
from lucidtorch.rendering.result import Rendering


@click.command("rerun", short_help="Make a picture again from what it carries.")
@click.argument("picture", type=click.Path(path_type=Path), metavar="PICTURE.png")
@options.output("The file; PICTURE-again.png if left out.")
@options.seed
@click.option("--model", metavar="NETWORK", help="The network, in the place of the one that the picture names.")
@click.option("--weights", metavar="W", help="default, random or a file, in the place of those that the picture names.")
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
    path = output or picture.with_name(f"{picture.stem}-again.png")
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
