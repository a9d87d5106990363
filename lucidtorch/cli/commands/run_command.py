"""`lucidtorch run`: a recipe becomes a folder of pictures with a page."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from lucidtorch.cli import options
from lucidtorch.cli.console import Voice
from lucidtorch.cli.exits import Interrupted
from lucidtorch.cli.workers import default_workers
from lucidtorch.recipes.documents.document import Document
from lucidtorch.recipes.documents.loading import load, read, read_network, run_document
from lucidtorch.recipes.runs.result import Run
from lucidtorch.runs.folder import recipe_id


@click.command("run", short_help="Run a recipe, or go on where it was interrupted.")
@click.argument("recipe", metavar="RECIPE")
@options.output("The folder; what the recipe says if left out, or the name of its file.")
@click.option(
    "--set",
    "settings",
    multiple=True,
    metavar="KEY=VALUE",
    help="Go by another value, such as steps=64, 'units=[1,2]' or 'model.mean=[0,0,0]'; may be given several times.",
)
@click.option("--seed", type=int, metavar="N", help="Short for --set seed=N.")
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    metavar="N",
    help="Processes side by side; one per core on a CPU if left out.",
)
@click.option("--model", metavar="NETWORK", help="Short for --set model.spec=NETWORK: the recipe's mean and std stay.")
@click.option("--weights", metavar="W", help="Short for --set weights=W: default, random or a file.")
@options.imports
@options.trust
@options.quiet
def command(
    recipe: str,
    output: Path | None,
    settings: tuple[str, ...],
    seed: int | None,
    workers: int | None,
    model: str | None,
    weights: str | None,
    trust: bool,
    quiet: bool,
) -> None:
    """Run a recipe: a YAML file of yours, or the name of one that ships.

    The folder holds the pictures, a page that tells what is seen, the recipe with every default filled in, and where
    it was made. A run that was interrupted goes on when the same command is given again.

    A recipe may come from anybody: it runs no code, downloads nothing and opens only files in its own folder, unless
    you say --trust or name the network yourself with --model.
    """
    voice = Voice(quiet=quiet)
    short = (("model.spec", model), ("weights", weights), ("seed", seed))
    document = load(recipe, (*settings, *(f"{word}={value}" for word, value in short if value is not None)))
    folder = output or document.folder
    with contextlib.closing(voice):
        conclude(voice, _run(voice, document, folder, workers, trust=trust))


def conclude(voice: Voice, made: Run) -> None:
    """Say what a run came to."""
    if made.moved is not None:
        voice.note(f"note: the run of another recipe that was in {made.folder} is in {made.moved} now")
    count = len(made.figures)
    voice.wrote(made.index, f" ({count} picture{'' if count == 1 else 's'})")


def _run(voice: Voice, document: Document, folder: Path, workers: int | None, *, trust: bool) -> Run:
    recipe = read(document)
    network = read_network(document, recipe, trust=trust)
    try:
        return run_document(
            document,
            folder,
            recipe=recipe,
            network=network,
            workers=default_workers(network, recipe.threads) if workers is None else workers,
            trust=trust,
            report=lambda done, total, unit: voice.progress(done, total, f"{unit} of {document.origin.short_name}"),
        )
    except KeyboardInterrupt as error:
        if recipe_id(folder) is None:
            raise
        raise Interrupted(
            f"interrupted; what was finished is in {folder}, and the same command goes on from there"
        ) from error
