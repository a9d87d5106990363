"""The small pictures of the reference pages, one for each word."""

from __future__ import annotations

import io
import tempfile
from pathlib import Path

import torch
from PIL import Image
from reference_examples import Example
from reference_things import Things, disc, drawing
from torch import Tensor

import lucidtorch as lt
from lucidtorch.base.images import on_grey, sheet, to_bytes, visible
from lucidtorch.base.seeds import generators
from lucidtorch.transforms import Pipeline, background
from lucidtorch.transforms import parse as parse_transforms

COLOURS = 96  # of the palette of a small picture, which keeps its file small
DRAWS = 3  # how often a transform is shown at work
GAP = 4
LETTERS = "ab"  # what several networks are called
THINGS = Things()


def picture_of(chapter: str, example: Example) -> bytes:
    """Make the picture of one example.

    Args:
        chapter: What is shown: for transforms, a drawing that went through them stands beside the render.
        example: What to render.

    Returns:
        The bytes of a PNG.
    """
    tiles = [rendered(example)]
    if chapter == "transforms":
        tiles = [*_at_work(parse_transforms(str(example.transforms))), *tiles]
    return _encoded(_row(tiles))


def rendered(example: Example, things: Things = THINGS) -> Tensor:
    """Render an example, all images of a batch in one sheet.

    Args:
        example: What to render.
        things: What names stand for, and the network where the example names no other ones.

    Returns:
        `[3, h, w]`.
    """
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        rendering = lt.render(
            _networks(example.models) if example.models else things.model,
            lt.parse(things.written_out(example.objective, folder), folder),
            param=lt.param.parse(things.written_out(example.param, folder), folder),
            transforms=example.transforms,
            constraints=example.constraints,
            steps=example.steps,
            lr=example.lr,
            optimizer=example.optimizer,
            progress=False,
        )
    pictures = [rendering.picture(place) for place in range(len(rendering.images))]
    return visible(sheet(torch.stack([on_grey(one) if rendering.alpha else one for one in pictures])))


def _networks(names: tuple[str, ...]) -> dict[str, lt.Model]:
    return {LETTERS[place]: lt.load_model(name, device="cpu") for place, name in enumerate(names)}


def _at_work(pipeline: Pipeline) -> list[Tensor]:
    """Show what a network sees of a drawing behind a pipeline, drawn a few times."""
    images = drawing()[None].repeat(DRAWS, 1, 1, 1)
    if any(isinstance(step, background) for step in pipeline.steps):  # it takes an opacity: a disc
        images = torch.cat([images, disc().expand(DRAWS, 1, -1, -1)], 1)
    seen = pipeline.apply(images, pipeline.sample(images.shape, generators(range(DRAWS), "transforms")))
    return list(seen.clamp(0, 1))


def _row(tiles: list[Tensor]) -> Image.Image:
    """Put pictures side by side on see-through ground."""
    height = max(tile.shape[1] for tile in tiles)
    canvas = Image.new("RGBA", (sum(tile.shape[2] + GAP for tile in tiles) - GAP, height))
    left = 0
    for tile in tiles:
        pixels = to_bytes(tile.expand(3, -1, -1)).transpose(1, 2, 0)
        canvas.paste(Image.fromarray(pixels.copy()), (left, (height - tile.shape[1]) // 2))
        left += tile.shape[2] + GAP
    return canvas


def _encoded(picture: Image.Image) -> bytes:
    stream = io.BytesIO()
    picture.quantize(COLOURS, method=Image.Quantize.FASTOCTREE).save(stream, format="PNG", optimize=True)
    return stream.getvalue()
