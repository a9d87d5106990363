"""One sheet of plain pictures: every kind of param, and every family of objectives, on `demo` and on Lucid's network.

Run: `python benchmarks/contact_sheet.py --weights inceptionv1_lucid.safetensors`, or set `LUCIDTORCH_TEST_DATA` to the
folder that holds `weights/inceptionv1_lucid.safetensors`. Without these weights the sheet shows `demo` alone.
"""

from __future__ import annotations

import argparse
import os
import textwrap
import time
from dataclasses import dataclass
from pathlib import Path

import torch
from contact_sheet_entries import OBJECTIVES, PARAMS, Entry, Subject
from PIL import Image, ImageDraw, ImageFont
from reference_examples import Example
from reference_pictures import rendered
from reference_things import Things

import lucidtorch as lt
from lucidtorch.base.images import to_bytes

ROOT = Path(__file__).resolve().parents[1]
OUTPUT = ROOT / "docs" / "contact-sheet.png"
WEIGHTS = Path("weights") / "inceptionv1_lucid.safetensors"
ACROSS, SIDE, GAP = 8, 112, 8  # tiles in a row, and pixels
LETTERS, LINES, LINE, TITLE = 20, 4, 11, 16  # of a caption: letters in a line, lines, their height; a heading's height
COLOURS = 256  # of the sheet's palette, which keeps its file small
LUCIDS = (
    "mixed4a_3x3_pre_relu",
    "mixed4c_3x3_pre_relu",
    30,
)  # the layers and the unit that are shown of Lucid's network


@dataclass(frozen=True)
class Tile:
    """A picture and what stands below it."""

    picture: Image.Image
    caption: str


def subjects(weights: Path | None) -> list[Subject]:
    """Load the networks of the sheet."""
    found = [Subject(Things(), "conv2_2", "'star'", 96, 128)]
    if weights is not None:
        model = lt.load_model("inceptionv1", weights=weights, device="cpu")
        found.append(Subject(Things(model, *LUCIDS), "mixed3a", "14", 96, 160, scale=500))
    return found


def example(entry: Entry, subject: Subject, *, of_param: bool) -> Example:
    """Say how an entry is rendered on a network."""
    return Example(
        objective=subject.written("UNIT" if of_param else entry.text),
        param=subject.written(entry.text if of_param else entry.param or "image(SIZE)"),
        transforms=entry.transforms,
        steps=round(subject.steps * entry.share),
        lr=entry.lr,
    )


def tile(entry: Entry, subject: Subject, *, of_param: bool) -> Tile:
    """Render an entry on a network."""
    picture = rendered(example(entry, subject, of_param=of_param), subject.things)
    pixels = to_bytes(picture.expand(3, -1, -1)).transpose(1, 2, 0)
    image = Image.fromarray(pixels.copy()).resize((SIDE, SIDE), Image.Resampling.LANCZOS)
    pipeline = "" if entry.transforms is None else f" / {entry.transforms}"
    return Tile(image, subject.written(entry.text) + pipeline)


def laid_out(rows: list[tuple[str, list[Tile]]]) -> Image.Image:
    """Lay tiles out below their headings."""
    step = SIDE + GAP + LINES * LINE
    heights = [TITLE + step * -(-len(tiles) // ACROSS) for _, tiles in rows]
    canvas = Image.new("RGB", (GAP + ACROSS * (SIDE + GAP), GAP + sum(heights)), "white")
    draw, small, large = ImageDraw.Draw(canvas), ImageFont.load_default(9), ImageFont.load_default(13)
    top = GAP
    for (heading, tiles), height in zip(rows, heights, strict=True):
        draw.text((GAP, top), heading, "black", large)
        for place, one in enumerate(tiles):
            left, down = GAP + place % ACROSS * (SIDE + GAP), top + TITLE + place // ACROSS * step
            canvas.paste(one.picture, (left, down))
            lines = textwrap.wrap(one.caption, LETTERS)[:LINES]
            for number, line in enumerate(lines):
                draw.text((left, down + SIDE + number * LINE), line, "black", small)
        top += height
    return canvas


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--weights", type=Path, help="the weights of Lucid's network")
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    torch.set_num_threads(1)
    usual = ROOT / os.environ.get("LUCIDTORCH_TEST_DATA", "../shared") / WEIGHTS
    rows = []
    for subject in subjects(options.weights or (usual if usual.exists() else None)):
        name = subject.things.model if isinstance(subject.things.model, str) else subject.things.model.name
        for what, entries in (("params", PARAMS), ("objectives", OBJECTIVES)):
            tiles = []
            for entry in entries:
                start = time.process_time()
                tiles.append(tile(entry, subject, of_param=what == "params"))
                print(f"{name}: {tiles[-1].caption}: {time.process_time() - start:.1f} s", flush=True)
            rows.append((f"{what} on {name}", tiles))
    laid_out(rows).quantize(COLOURS).save(options.output, optimize=True)
    print(f"wrote {options.output}, {options.output.stat().st_size // 1024} KB")


if __name__ == "__main__":
    main()
