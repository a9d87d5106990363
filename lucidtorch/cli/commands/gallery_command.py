"""`lucidtorch gallery`: whole layers as pages."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import click

from lucidtorch.cli import network_words, options
from lucidtorch.cli.console import Voice
from lucidtorch.cli.exits import Interrupted
from lucidtorch.cli.loading import Loading, open_model
from lucidtorch.cli.reading import top_level_parts
from lucidtorch.cli.workers import default_workers
from lucidtorch.galleries.entry import Gallery, gallery
from lucidtorch.rendering.settings import Engine
from lucidtorch.runs.folder import GALLERY, check_folder


@click.command(
    "gallery",
    short_help="Render every unit of whole layers into a folder of pages.",
    cls=network_words.NetworkCommand,
)
@network_words.argument
@click.option("--layers", metavar="L,...", help="Addresses; every convolution and linear layer if left out.")
@click.option("--units", default="all", show_default=True, metavar="0-63|all", help="Which units of each layer.")
@click.option(
    "--variants",
    default="channel",
    show_default=True,
    metavar="V,...",
    help="Of channel, negative and diversity, or an objective such as 'neuron({layer}, {unit})'.",
)
@options.output("The folder; gallery if left out.")
@options.size
@options.param
@options.transforms
@options.constraints
@options.schedule("steps", "lr", "optimizer", "lr_schedule", "stop", steps=256)
@click.option("--batch", type=int, default=8, show_default=True, metavar="N", help="Pictures per piece of work.")
@options.seed
@options.engine
@click.option(
    "--scan",
    type=click.Path(path_type=Path),
    metavar="DIR",
    help="A scan of the network: real images stand beside the pictures.",
)
@click.option("--workers", type=int, metavar="N", help="Processes side by side; one per core on a CPU if left out.")
@options.imports
@network_words.options
@options.quiet
def command(
    loading: Loading,
    layers: str | None,
    units: str,
    variants: str,
    output: Path | None,
    size: str | None,
    param: str | None,
    transforms: str | None,
    constraints: str,
    schedule: dict[str, Any],
    batch: int,
    seed: int,
    engine: dict[str, Any],
    scan: Path | None,
    workers: int | None,
    quiet: bool,
) -> None:
    """Render every unit of whole layers into a folder of pages that open in any browser.

    A gallery that was interrupted goes on when the same command is given again. Other layers, units and variants of the
    same network and settings are added to it.
    """
    voice = Voice(quiet=quiet)
    folder = output or Path("gallery")
    check_folder(folder, GALLERY)
    network = open_model(loading)
    with contextlib.closing(voice):
        made = gallery(
            network,
            folder,
            layers=None if layers is None else [layer.strip() for layer in layers.split(",")],
            units=units,
            variants=top_level_parts(variants),
            param=options.choose_param(network, size, param, None),
            transforms=transforms,
            **schedule,
            constraints=constraints,
            batch=batch,
            seed=seed,
            engine=Engine(**engine),
            workers=default_workers(network) if workers is None else workers,
            scan=scan,
            trust=loading.trust,
            report=lambda done, total, _: voice.progress(done, total, f"batches of {loading.short_spec}"),
        )
    conclude(voice, made)


def conclude(voice: Voice, made: Gallery) -> None:
    """Say what a gallery came to."""
    if made.moved is not None:
        place = made.index.parent
        voice.note(f"note: the gallery of another network or other settings that was in {place} is in {made.moved} now")
    dead = f", {made.dead} of dead units" if made.dead else ""
    voice.wrote(made.index, f" ({made.units} pictures{dead})")
    if made.interrupted:
        raise Interrupted(f"interrupted; what was finished is in {made.index}, and the same command goes on from there")
