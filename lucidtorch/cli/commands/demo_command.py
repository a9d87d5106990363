"""`lucidtorch demo`: the main job on the embedded network."""

from __future__ import annotations

import contextlib
from pathlib import Path

import click

from lucidtorch.base.files import check_output_folder
from lucidtorch.base.sizes import size_pair
from lucidtorch.cli import options
from lucidtorch.cli.commands.gallery_command import conclude
from lucidtorch.cli.console import Voice
from lucidtorch.cli.workers import default_workers
from lucidtorch.datasets.drawn import drawings
from lucidtorch.galleries.entry import gallery
from lucidtorch.models.loading import load_model
from lucidtorch.param.images import image
from lucidtorch.runs.folder import GALLERY, check_folder
from lucidtorch.scanning.entry import scan

LAYER = "conv4_1"
STEPS = 128
PIXELS = 80
DRAWINGS = 1020  # 20 of each class
SCAN = "scan"  # the folder in the gallery's where the scan of them stands


@click.command("demo", short_help="Make a gallery of the embedded network.")
@options.output("The folder; demo-gallery if left out.")
@options.seed
@options.quiet
def command(output: Path | None, seed: int, quiet: bool) -> None:
    """Render every channel of one layer of the embedded network into a folder of pages, and say where they are.

    First the network looks at some drawings, so that those that excite a channel most stand beside its picture.
    """
    voice = Voice(quiet=quiet)
    network, folder = load_model("demo"), output or Path("demo-gallery")
    check_folder(folder, GALLERY)
    check_output_folder(folder)
    with contextlib.closing(voice):
        seen = scan(
            network,
            drawings("test", length=DRAWINGS, size=size_pair(network.convention.size)),
            folder / SCAN,
            layers=[LAYER],
            report=lambda done, total: voice.progress(done, total, "drawings"),
        )
        made = gallery(
            network,
            folder,
            layers=[LAYER],
            param=image(PIXELS),
            steps=STEPS,
            seed=seed,
            workers=default_workers(network),
            scan=seen,
            report=lambda done, total, _: voice.progress(done, total, "batches of demo"),
        )
    conclude(voice, made)
    voice.note(f"Open it in a browser: {made.index.resolve().as_uri()}")
