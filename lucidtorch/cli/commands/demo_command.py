"""`lucidtorch demo`: the main job on the embedded network."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from lucidtorch.cli import options
from lucidtorch.cli.commands.gallery_command import conclude
from lucidtorch.cli.console import Voice
from lucidtorch.cli.workers import default_workers
from lucidtorch.galleries.entry import gallery
from lucidtorch.models.sources.loading import load_model
from lucidtorch.param.images import image

LAYER = "conv4_1"
STEPS = 128
PIXELS = 80


@click.command("demo", short_help="Make a gallery of the embedded network.")
@options.output("The folder; demo-gallery if left out.")
@options.seed
@options.quiet
def command(output: Path | None, seed: int, quiet: bool) -> None:
    """Render every channel of one layer of the embedded network into a folder of pages, and say where they are."""
    voice = Voice(quiet=quiet)
    network = load_model("demo")
    with contextlib.closing(voice):
        made = gallery(
            network,
            output or Path("demo-gallery"),
            layers=[LAYER],
            param=image(PIXELS),
            steps=STEPS,
            seed=seed,
            workers=default_workers(network),
            report=lambda done, total, _: voice.progress(done, total, "batches of demo"),
        )
    conclude(voice, made)
    voice.note(f"Open it in a browser: {made.index.resolve().as_uri()}")
