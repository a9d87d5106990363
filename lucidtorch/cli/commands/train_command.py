"""`lucidtorch train`: the embedded networks from scratch."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from lucidtorch.cli import options
from lucidtorch.cli.console import Voice
from lucidtorch.datasets.training import train


@click.command("train", short_help="Train one of the embedded networks from scratch.")
@click.argument("name", metavar="NAME")
@options.output("The weights; NAME.safetensors if left out. The card stands beside it.")
@click.option(
    "--steps", type=int, metavar="N", help="The number of batches; what the shipped weights took if left out."
)
@click.option("--seed", type=int, metavar="N", help="The seed; that of the shipped weights if left out.")
@options.quiet
def command(name: str, output: Path | None, steps: int | None, seed: int | None, quiet: bool) -> None:
    """Train demo, demo-judge, digits or lines from images that are drawn on the way.

    Two runs on one machine give the same bytes.
    """
    voice = Voice(quiet=quiet)
    path = output or Path(f"{name}.safetensors")
    with contextlib.closing(voice):
        facts = train(
            name,
            steps=steps,
            seed=seed,
            output=path,
            progress=lambda done, total, loss: voice.progress(done, total, f"step of {name}, loss {loss:.3f}"),
        )
    right = ", ".join(f"{head} {share:.2%}" for head, share in facts.accuracy.items())
    voice.wrote(path, f" (right on held-out images: {right})")
