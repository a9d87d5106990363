"""`python -m training NAME`: one of the embedded networks from scratch."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from lucidtorch.cli import options
from lucidtorch.cli.console import Voice, open_streams, speak_plainly
from lucidtorch.cli.exits import exit_code, termination_as_interrupt
from training.loop import train


@click.command(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
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
        card = train(
            name,
            steps=steps,
            seed=seed,
            output=path,
            progress=lambda done, total, loss: voice.progress(done, total, f"step of {name}, loss {loss:.3f}"),
        )
    right = ", ".join(f"{head} {share:.2%}" for head, share in card.accuracy.items())
    voice.wrote(path, f" (right on held-out images: {right})")


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code, one of `lucidtorch.cli.exits`."""
    open_streams()
    speak_plainly()
    words = list(sys.argv[1:] if arguments is None else arguments)
    with termination_as_interrupt():
        return exit_code(lambda: command.main(words, prog_name="python -m training", standalone_mode=False))


if __name__ == "__main__":
    sys.exit(run())
