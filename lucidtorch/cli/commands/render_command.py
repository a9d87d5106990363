"""`lucidtorch render`: one objective, one file."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path
from typing import Any

import click

from lucidtorch.base.sizes import PLANE
from lucidtorch.cli import network_words, options
from lucidtorch.cli.console import Voice
from lucidtorch.cli.exits import Interrupted
from lucidtorch.cli.loading import Loading, open_model
from lucidtorch.cli.reading import whole_numbers
from lucidtorch.objectives.text import parse, vocabulary
from lucidtorch.rendering.entry import render
from lucidtorch.rendering.result import check_destination
from lucidtorch.rendering.settings import Engine

LONGEST_NAME = 80
SHORT_OPTIONS = "ohq"  # what stands behind one of these letters is theirs
NEGATED = re.compile(r"-\s*(?:\(|(?P<word>[A-Za-z_]\w*)\(|(?P<layer>[A-Za-z0-9_./@\[\]]+):[\[0-9])")


class RenderCommand(network_words.NetworkCommand):
    """A command whose objective may begin with a minus and is no option then."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Read the line."""
        return super().parse_args(ctx, [f" {word}" if is_negated(word) else word for word in args])


def is_negated(text: str) -> bool:
    """Say whether a word is an objective with a minus before it, and no option."""
    found = NEGATED.match(text)
    if found is None:
        return False
    if found["word"] is not None:
        return found["word"][0] not in SHORT_OPTIONS or found["word"] in vocabulary().names
    return found["layer"] is None or found["layer"][0] not in SHORT_OPTIONS


@click.command("render", short_help="Make a picture of what an objective looks for.", cls=RenderCommand)
@network_words.argument
@click.argument("objective", metavar="OBJECTIVE")
@options.output("The file: .png, or .gif or .mp4 of the snapshots (or of a clip).")
@options.size
@options.schedule("steps")
@click.option("--batch", type=int, metavar="N", help="The number of images.")
@options.param
@options.transforms
@options.constraints
@options.schedule("lr", "optimizer", "lr_schedule", "stop")
@options.seed
@options.schedule("snapshots")
@options.engine
@options.imports
@network_words.options
@options.quiet
def command(
    loading: Loading,
    objective: str,
    output: Path | None,
    size: str | None,
    batch: int | None,
    param: str | None,
    transforms: str | None,
    constraints: str,
    seed: int,
    schedule: dict[str, Any],
    engine: dict[str, Any],
    quiet: bool,
) -> None:
    """Make a picture of what an objective looks for.

    OBJECTIVE is an expression, such as conv4_1:12 (channel 12 of that layer), or "neuron('conv4_1', 12) - 0.01 *
    L1(constant=0.5)".
    """
    voice = Voice(quiet=quiet)
    goal = parse(objective)
    path = output or Path(f"{_name(loading.short_spec)}-{_name(repr(goal))}.png")
    kept = whole_numbers(schedule["snapshots"], "--snapshots")
    check_destination(path, kept, plays=True)  # what they are is known with the network only
    network = open_model(loading)
    chosen = options.choose_param(network, size, param, batch)
    sides = network.convention.size if chosen is None else chosen.size
    images = goal.batch if chosen is None or chosen.batch == 1 else chosen.batch
    check_destination(path, kept, plays=len(sides) > PLANE or (images or 1) > 1)
    with contextlib.closing(voice):
        rendering = render(
            network,
            goal,
            param=chosen,
            transforms=transforms,
            **{**schedule, "snapshots": kept},
            constraints=constraints,
            seed=seed,
            engine=Engine(**engine),
            progress=False,
            callbacks=[lambda step: voice.progress(step.number, step.steps, f"step of {loading.short_spec}")],
        )
    rendering.save(path)
    voice.wrote(path)
    if rendering.interrupted:
        raise Interrupted(f"interrupted; the picture as it was then is in {path}")


def _name(text: str) -> str:
    """Make a part of a file name of a text."""
    return re.sub(r"[^A-Za-z0-9._]+", "-", text).strip("-.")[:LONGEST_NAME]
