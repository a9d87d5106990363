"""What real images say of the unit that a picture is of, in numbers and in words."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from lucidtorch.galleries.aims import Aim
from lucidtorch.galleries.curve import number_text
from lucidtorch.scanning.layer_scan import Example, LayerScan

DIGITS = 6  # of values that are kept
COARSEST, FINEST = 1, 9  # decimals of a percentage
ALIKE = "All of these give the same value: they are the first of the images that do."


@dataclass(frozen=True)
class RealImage:
    """An image of the data that stands beside a picture.

    Attributes:
        image: Its number in the data.
        value: The unit's activation, at its highest (or lowest) place in the image.
        class_name: The name of its class, or None.
    """

    image: int
    value: float
    class_name: str | None


@dataclass(frozen=True)
class Beside:
    """What a scan says of the unit that a picture is of.

    Attributes:
        layer: The address of the unit's layer, as the scan has it.
        unit: Its number.
        down: Whether the picture makes the unit small, so that the images are those that excite it least.
        file: The path of the strip of images in the folder, the best first from the left; empty where there is none.
        images: What stands in the strip, in order.
        reached: The unit's activation at the highest (or lowest) place of the picture; None where it is not measured.
        percentile: How many percent of the unit's values, at all places of all images, lie below that; or None.
        best: The highest (or lowest) of these values.
        title: What the images are.
        note: What the picture reaches next to them, and what else a reader should know.
        again: Whether the same strip stands beside a picture shortly before it, so that a page need not repeat it.
    """

    layer: str
    unit: int
    down: bool
    file: str
    images: tuple[RealImage, ...]
    reached: float | None
    percentile: float | None
    best: float
    title: str
    note: str
    again: bool = False

    @classmethod
    def of_plain(cls, values: Mapping[str, Any]) -> Beside:
        """Take up what `dataclasses.asdict` gave."""
        return cls(**{**values, "images": tuple(RealImage(**one) for one in values["images"])})


@dataclass(frozen=True)
class Reach:
    """What the pictures of a unit come to.

    Args:
        value: The unit's activation at the highest (or lowest) place of all of them.
        pictures: How many there are.
    """

    value: float
    pictures: int


def said_of(
    found: LayerScan, aim: Aim, reach: Reach | None, *, file: str, count: int, data: str, note: str = ""
) -> Beside:
    """Say what a scan knows of a unit."""
    shown = (found.bottom(aim.unit) if aim.down else found.top(aim.unit))[:count]
    images = tuple(RealImage(one.image, _rounded(one.value), one.class_name) for one in shown)
    best = _rounded(float((found.moments.low if aim.down else found.moments.high)[aim.unit]))
    notes = [] if reach is None else [_sentence(found, aim, reach)]
    notes += [ALIKE] if len({one.value for one in images}) == 1 < len(images) else []
    notes += [note] if note else []
    return Beside(
        aim.layer,
        aim.unit,
        aim.down,
        file,
        images,
        None if reach is None else _rounded(reach.value),
        None if reach is None else found.percentile(aim.unit, reach.value),
        best,
        _title(found, aim, shown, data),
        " ".join(notes),
    )


def marked(row: Sequence[Beside | None]) -> list[Beside | None]:
    """Mark what stands beside pictures that are shown together, where the same strip stood there before."""
    files = [None if one is None else one.file for one in row]
    return [
        None if one is None else replace(one, again=bool(one.file) and one.file in files[:place])
        for place, one in enumerate(row)
    ]


def percent_text(share: float) -> str:
    """Write a percentage that is not 100 so that it is not taken for it."""
    decimals = min(FINEST, max(COARSEST, math.ceil(-math.log10(100 - share)))) if share < 100 else FINEST
    floored = math.floor(share * 10**decimals) / 10**decimals
    return f"{floored:.{decimals}f}"


def _title(found: LayerScan, aim: Aim, shown: Sequence[Example], data: str) -> str:
    windows = [(one.box, found.window(one.row, one.column)) for one in shown]
    whole = all((window.bottom - window.top, window.right - window.left) == found.sides for _, window in windows)
    cut = "" if whole else ", cut to what it sees"
    cut += "" if all(box == window for box, window in windows) else " (grey lies outside the image)"
    return f"The {len(shown)} of {data} that excite it {'least' if aim.down else 'most'}{cut}"


def _sentence(found: LayerScan, aim: Aim, reach: Reach) -> str:
    moments, value = found.moments, reach.value
    count, low, high = int(moments.count[aim.unit]), float(moments.low[aim.unit]), float(moments.high[aim.unit])
    which = "The picture" if reach.pictures == 1 else f"The best of the {reach.pictures} pictures"
    if aim.down:
        share = 100 - found.percentile(aim.unit, float(np.nextafter(value, math.inf)))
        text, end = f"{which} goes down to {number_text(value)}: less than", f"(their lowest: {number_text(low)})."
    else:
        share = found.percentile(aim.unit, value)
        text, end = f"{which} reaches {number_text(value)}: more than", f"(their highest: {number_text(high)})."
    beyond = value < low if aim.down else value > high
    return f"{text} {'any' if beyond else f'{percent_text(share)} %'} of the {count:,} values of the data {end}"


def _rounded(value: float) -> float:
    return float(f"{value:.{DIGITS}g}")
