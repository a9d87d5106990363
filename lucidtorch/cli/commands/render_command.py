"""`lucidtorch render`: one objective, one file."""

from __future__ import annotations

import re
from pathlib import Path

import click

from lucidtorch.cli import options
from lucidtorch.cli.console import Voice
from lucidtorch.cli.exits import Interrupted
from lucidtorch.objectives.text import parse
from lucidtorch.rendering.entry import render
from lucidtorch.rendering.result import check_destination

LONGEST_NAME = 80


@click.command("render", short_help="Make a picture of what an objective looks for.")
@options.model
@click.argument("objective", metavar="OBJECTIVE")
@options.output("The file: .png, or .gif or .mp4 of the snapshots.")
@options.size
@options.steps(512)
@click.option("--batch", type=int, metavar="N", help="The number of images.")
@options.param
@options.transforms
@options.lr
@options.seed
@options.weights
@options.device
@click.option("--snapshots", metavar="64,256", help="After how many updates a picture is kept, for a movie.")
@options.convention
@options.quiet
def command(
    model: str,
    objective: str,
    output: Path | None,
    size: str | None,
    steps: int,
    batch: int | None,
    param: str | None,
    transforms: str | None,
    lr: float,
    seed: int,
    weights: str,
    device: str,
    snapshots: str | None,
    mean: str | None,
    std: str | None,
    value_range: str | None,
    labels: Path | None,
    quiet: bool,
) -> None:
    """Make a picture of what an objective looks for.

    OBJECTIVE is an expression, such as conv4_1:12 (channel 12 of that layer), or "neuron('conv4_1', 12) - 0.01 *
    L1(constant=0.5)".
    """
    voice = Voice(quiet=quiet)
    goal = parse(objective)
    path = output or Path(f"{_name(model)}-{_name(repr(goal))}.png")
    kept = options.whole_numbers(snapshots, "--snapshots")
    check_destination(path, kept)
    network = options.open_model(model, weights, device, mean=mean, std=std, value_range=value_range, labels=labels)
    rendering = render(
        network,
        goal,
        param=options.choose_param(network, size, param, batch),
        transforms=transforms,
        steps=steps,
        snapshots=kept,
        lr=lr,
        seed=seed,
        progress=False,
        callbacks=[lambda step: voice.progress(step.number, step.steps, f"step of {model}")],
    )
    voice.close()
    rendering.save(path)
    voice.wrote(path)
    if rendering.interrupted:
        raise Interrupted(f"interrupted; the picture as it was then is in {path}")


def _name(text: str) -> str:
    """Make a part of a file name of a text."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")[:LONGEST_NAME]
