"""`lucidtorch scan`: one pass over a set of images, which goes on where it was stopped."""

from __future__ import annotations

import contextlib
from pathlib import Path
from typing import Any

import click

from lucidtorch.base.sizes import size_pair, size_sides
from lucidtorch.cli import network_words, options
from lucidtorch.cli.console import Voice
from lucidtorch.cli.exits import Interrupted
from lucidtorch.cli.loading import Loading, open_model
from lucidtorch.datasets.named import open_data
from lucidtorch.models.model import Model
from lucidtorch.runs.folder import SCAN, check_folder
from lucidtorch.scanning.answers import right_answers
from lucidtorch.scanning.entry import scan
from lucidtorch.scanning.result import Scan
from lucidtorch.scanning.source import Source
from lucidtorch.scanning.state import SUMMARY

SHIPPED = ("drawings", "digits", "lines")
SPLIT = "test"


@click.command(
    "scan",
    short_help="Look through images, and keep what they do to every unit.",
    cls=network_words.NetworkCommand,
)
@network_words.argument
@click.argument("data")
@options.output("The folder; scan if left out.")
@click.option("--layers", metavar="L,...", help="Addresses; every convolution and linear layer if left out.")
@click.option(
    "--top", type=int, default=9, show_default=True, metavar="N", help="Images that excite a unit most, to be kept."
)
@click.option(
    "--bottom", type=int, default=9, show_default=True, metavar="N", help="Images that excite it least, to be kept."
)
@click.option("--batch", type=int, default=32, show_default=True, metavar="N", help="Images computed together.")
@click.option(
    "--size", metavar="N|HxW", help="The size that images are brought to, in pixels; the network's own if left out."
)
@click.option(
    "--seed", type=int, default=0, show_default=True, metavar="N", help="Draws the places whose activations are kept."
)
@network_words.options
@options.quiet
def command(
    loading: Loading,
    data: str,
    output: Path | None,
    layers: str | None,
    top: int,
    bottom: int,
    batch: int,
    size: str | None,
    seed: int,
    quiet: bool,
) -> None:
    """Look through images once, and keep what they do to every unit: recipes read it with scan=FOLDER.

    DATA is a folder of images, with a subfolder for each class or none; a .npy array [N, C, H, W]; or drawings, digits
    or lines, of which the test split is taken.

    A scan that was interrupted goes on when the same command is given again.
    """
    voice = Voice(quiet=quiet)
    folder = output or Path("scan")
    check_folder(folder, SCAN)
    network = open_model(loading)
    sides = size_pair(network.convention.size if size is None else size_sides(size, what="--size"))
    settings = {
        "layers": None if layers is None else [layer.strip() for layer in layers.split(",")],
        "top": top,
        "bottom": bottom,
        "batch": batch,
        "seed": seed,
        "size": sides,
    }
    with contextlib.closing(voice):
        found = _scanned(voice, network, open_data(_named(data), size=sides), folder, settings)
    _conclude(voice, found)


def _named(data: str) -> str | dict[str, str]:
    """Take the word for images that ship, unless a folder of that name stands here."""
    return {data: SPLIT} if data in SHIPPED and not Path(data).exists() else data


def _scanned(voice: Voice, network: Model, data: Any, folder: Path, settings: dict[str, Any]) -> Scan:
    classes = Source(data, network.convention.channels, settings["size"]).classes
    try:
        return scan(
            network,
            data,
            folder,
            answers=right_answers(network, classes),
            report=lambda done, total: voice.progress(done, total, f"images through {network.name}"),
            **settings,
        )
    except KeyboardInterrupt as error:
        if not (folder / SUMMARY).exists():
            raise
        raise Interrupted(
            f"interrupted; what was finished is in {folder}, and the same command goes on from there"
        ) from error


def _conclude(voice: Voice, found: Scan) -> None:
    """Say what a scan came to."""
    if found.moved is not None:
        voice.note(f"note: the scan of something else that was in {found.folder} is in {found.moved} now")
    if found.skipped:
        first, count = found.skipped[0], len(found.skipped)
        left = "1 image was" if count == 1 else f"{count} images were"
        voice.note(f"note: {left} left out, the first: {first.name}: {first.reason}")
    units = sum(layer.units for layer in found.layers.values())
    voice.wrote(found.folder / SUMMARY, f" ({found.images} images, {units} units of {len(found.layers)} layers)")
