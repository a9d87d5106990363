"""A render as a notebook shows it: pictures that are small enough to be kept in it, as HTML that needs nothing else.

All styles stand in the elements themselves and take their colours from the page, so that light and dark themes, exports
and viewers that drop style sheets show the same.
"""

from __future__ import annotations

import base64
import html
import io
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from PIL import Image
from torch import Tensor
from torch.nn import functional

from lucidtorch.base.errors import LucidtorchError
from lucidtorch.base.images import sheet
from lucidtorch.base.records import Settings
from lucidtorch.objectives.images import single
from lucidtorch.objectives.text import parse
from lucidtorch.rendering.loop import Stop

MOST_PICTURES = 64  # that are shown one by one
MOST_PIXELS = 2_000_000  # that one notebook output holds of a render, all pictures together
ENLARGED_BELOW = 128  # pixels on the longer side: such a picture is shown at twice its size, with sharp pixels
NARROWEST = 160  # CSS pixels that a caption has at least
LONGEST_TEXT = 300  # characters of an objective
ROW = "display:flex;flex-wrap:wrap;gap:12px;align-items:flex-start"
QUIET = "opacity:.7"
SEE_THROUGH = ("LA", "RGBA")  # the modes of pictures with opacity
DEAD = "dead unit: it is zero, and nothing in the picture moves it"
CHEQUERED = "background:repeating-conic-gradient(#8884 0 25%,#0000 0 50%) 0 0/16px 16px;"


def fitting_sheet(images: Tensor, pixels: int, columns: int | None = None) -> Tensor:
    """Lay images out in a grid that is no larger than it may be."""
    count, _, height, width = images.shape
    shrink = math.sqrt(pixels / (count * height * width))
    if shrink >= 1:
        return sheet(images, columns)
    sides = [max(1, math.floor(side * shrink)) for side in (height, width)]
    return sheet(torch.cat([functional.interpolate(one[None], sides, mode="area") for one in images]), columns)


def picture_html(data: bytes, alt: str, *, width: int | None = None) -> str:
    """Write a picture as an HTML element that holds it."""
    with Image.open(io.BytesIO(data)) as picture:
        kind, mode, own_width = picture.get_format_mimetype(), picture.mode, picture.width
    wide = width or _shown_width(data)
    sharp = "image-rendering:pixelated;" if wide > own_width else ""
    ground = CHEQUERED if mode in SEE_THROUGH else ""
    style = f"{sharp}{ground}display:block;max-width:100%;height:auto;margin:0"
    source = f"data:{kind};base64,{base64.b64encode(data).decode()}"
    return f'<img alt="{html.escape(alt)}" width="{wide}" style="{style}" src="{source}">'


def figure_html(data: bytes, alt: str, lines: Iterable[str], *, narrowest: int = NARROWEST) -> str:
    """Write a picture with what stands under it."""
    caption = "".join(f"<div>{line}</div>" for line in lines)
    style = f"margin:0;width:{max(_shown_width(data), narrowest)}px;max-width:100%"
    words = f'<figcaption style="font-size:.9em;overflow-wrap:anywhere;margin-top:4px">{caption}</figcaption>'
    return f'<figure style="{style}">{picture_html(data, alt)}{words if caption else ""}</figure>'


def row_html(elements: Iterable[str]) -> str:
    """Put elements side by side, in as many rows as it takes."""
    return f'<div style="{ROW}">{"".join(elements)}</div>'


def code_html(text: str) -> str:
    """Write a text such as an objective, escaped, and shortened where it is very long."""
    short = text if len(text) <= LONGEST_TEXT else f"{text[: LONGEST_TEXT - 1]}…"
    return f'<code style="overflow-wrap:anywhere;white-space:normal">{html.escape(short)}</code>'


def quiet_html(text: str) -> str:
    """Write a text that is said on the side, escaped."""
    return f'<span style="{QUIET}">{html.escape(text)}</span>'


def _shown_width(data: bytes) -> int:
    with Image.open(io.BytesIO(data)) as picture:
        return picture.width * (2 if max(picture.size) < ENLARGED_BELOW else 1)


def heading(recipe: Settings, size: Sequence[int], steps: int, remarks: Sequence[str]) -> str:
    """Say what pictures are of and how they were made."""
    facts = [recipe["model_name"], " x ".join(map(str, size)), f"{steps} steps", _seeds(recipe["seed"]), *remarks]
    words = quiet_html(" · ".join(one for one in facts if one))
    return f'<div>{code_html(recipe["objective"])}</div><div style="font-size:.9em;margin-bottom:8px">{words}</div>'


@dataclass(frozen=True)
class Label:
    """What stands with one picture."""

    alt: str  # what it shows, for those who cannot see it
    lines: tuple[str, ...]  # HTML


def labels(
    recipe: Settings, values: Tensor, history: Tensor, dead: Sequence[bool], stopped: Mapping[int, Stop]
) -> list[Label]:
    """Say of each picture what it is asked for, its score, and whether it is one at all."""
    several = len(dead) > 1
    found = []
    for place, (own, seed) in enumerate(zip(own_texts(recipe), recipe["seed"], strict=True)):
        name = f"picture {place}" if several else ""
        facts = [f"score {float(values[place]):.4g}"]
        facts += [f"from {float(history[place, 0]):.4g}"] if history.shape[1] else []
        facts += [f"seed {seed}"] if several else []
        lines = [name if own is None else code_html(own), quiet_html(", ".join(facts))]
        lines += [f"<strong>{DEAD}</strong>"] if dead[place] else []
        lines += [quiet_html(str(stopped[place]))] if place in stopped else []
        alt = ": ".join(one for one in (name, own or recipe["objective"]) if one)
        found.append(Label(alt, tuple(line for line in lines if line)))
    return found


def summary(values: Tensor, dead: Sequence[bool], stopped: Mapping[int, Stop], *, smaller: bool) -> str:
    """Say what came of pictures that are too many, or too large, to be shown one by one."""
    low, high = float(values.min()), float(values.max())
    count = len(values)
    facts = [f"score {low:.4g}" if count == 1 else f"{count} pictures row by row · scores {low:.4g} to {high:.4g}"]
    marked = [str(place) for place, one in enumerate(dead) if one]
    facts += [f"dead units: {', '.join(marked)}"] if marked else []
    facts += [f"stopped: {', '.join(map(str, stopped))}"] if stopped else []
    facts += ["shown smaller than they are; `save` writes them whole"] if smaller else []
    return f'<div style="font-size:.9em;margin-top:4px">{quiet_html(" · ".join(facts))}</div>'


def own_texts(recipe: Settings) -> list[str | None]:
    """Say of each image of a batch what it alone is asked for."""
    text, count = recipe["objective"], recipe["batch"]
    try:
        whole = parse(text)
        own = [repr(single(whole, place)) for place in range(count)]
    except LucidtorchError:
        return [None] * count
    return [None if one == text else one for one in own]


def _seeds(seeds: Sequence[int]) -> str:
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    in_a_row = list(seeds) == list(range(seeds[0], seeds[0] + len(seeds)))
    return f"seeds {seeds[0]} to {seeds[-1]}" if in_a_row else ""
