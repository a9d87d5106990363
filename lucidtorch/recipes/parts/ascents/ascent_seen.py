"""A picture of a comparison: measured, its measures drawn, and all of them in a table."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from torch import Tensor

from lucidtorch.analysis.picture_measures import autocorrelation, radial_spectrum
from lucidtorch.galleries.curve import number_text
from lucidtorch.recipes.parts.ascents.ascent_measures import Measures
from lucidtorch.recipes.parts.ascents.ascent_pictures import correlation_picture, histogram_picture, spectrum_picture
from lucidtorch.recipes.parts.charts.line_chart import Axes, line_chart
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.story import Cell, Figure, Section, Table

REFERENCE = "reference"
HEAD = (
    "", "objective", "way", "score", "fine waves, %", "slope", "extreme, %", "clipped, %", "saturation, %",
    "repeat", "at pixels",
)  # fmt: skip
FREQUENCIES = ((1 / 64, "1/64"), (1 / 32, "1/32"), (1 / 16, "1/16"), (1 / 8, "1/8"), (1 / 4, "1/4"), (1 / 2, "1/2"))
LEAST_POWER = 1e-6  # of the mean: what a chart shows of less


@dataclass(frozen=True)
class Seen:
    """A picture, what was measured on it, and how it is shown.

    Args:
        figure: The picture.
        pixels: `[C, H, W]` in [0, 1], as they stand in its file.
        measures: Its numbers.
        maps: Its spectrum, its values and its repeats.
    """

    figure: Figure
    pixels: Tensor
    measures: Measures
    maps: tuple[Figure, ...]


def looked_at(desk: Desk, figure: Figure, name: str) -> Seen:
    """Measure a picture, and draw what was measured."""
    pixels = desk.pixels(figure.file)
    measures, correlation = Measures.of(pixels), autocorrelation(pixels)
    drawn = {
        "spectrum": (spectrum_picture(pixels), _spectrum_note(measures)),
        "values": (histogram_picture(pixels), f"extreme {_share(measures.extreme)}"),
        "repeats": (correlation_picture(correlation, measures.repeat), _repeat_note(measures)),
    }
    maps = tuple(
        Figure(desk.write(f"maps/{name}-{word}.png", picture), note, f"The {word} of {figure.alt}")
        for word, (picture, note) in drawn.items()
    )
    return Seen(figure, pixels, measures, maps)


def numbers(found: Sequence[tuple[str, str, Seen]]) -> Section:
    """Put all measures into a table."""
    text = (
        "Fine waves: the share of the contrast in waves shorter than 4 pixels, which is half of the finest that "
        "pixels can hold. Slope: how fast waves fade as they get finer, on logarithmic axes; photographs come near "
        "\N{MINUS SIGN}2, white noise has 0. Extreme: values within 0.05 of black or full. Clipped: values at the very "
        "ends. Saturation: how far colours are from grey.",
        "Repeat: the highest correlation of the picture with its shifted self beyond the grain in its middle, and "
        "the shift. Where nothing is above 0.1, there is none; up to about 0.2 is often chance. Scores are of the "
        "bare objective, of the picture as it stands in its file.",
    )
    rows = tuple(_row(name, word, one) for name, word, one in found)
    return Section("In numbers", text, table=Table(HEAD, rows, "Every picture, and what was measured on it"))


def averages(found: Sequence[tuple[str, Sequence[Seen]]]) -> str:
    """Say the means of measures in a sentence."""
    return f"On average: {'; '.join(_sum(word, [one.measures for one in own]) for word, own in found)}."


def spectra_chart(pictures: Mapping[str, Tensor]) -> Tensor:
    """Draw the radial spectra of pictures on logarithmic axes."""
    lines = {}
    for name, picture in pictures.items():
        frequencies, power = radial_spectrum(picture)
        shown = power.clamp(min=LEAST_POWER).log10()
        lines[name] = list(zip(frequencies.log10().tolist(), shown.tolist(), strict=True))
    most = max((y for points in lines.values() for _, y in points), default=0.0)
    least = min((y for points in lines.values() for _, y in points), default=0.0)
    first = min((x for points in lines.values() for x, _ in points), default=-1.0)
    columns = [(math.log10(value), text) for value, text in FREQUENCIES if math.log10(value) >= first - 1e-9]
    rows = [(float(power), f"{10.0**power:g}") for power in range(math.floor(least), math.ceil(most) + 1)]
    return line_chart(lines, Axes(columns, rows, "cycles per pixel", "power, by the mean of all waves"))


def _spectrum_note(measures: Measures) -> str:
    slope = "" if measures.slope is None else f", slope {number_text(measures.slope, 3)}"
    return f"fine waves {_share(measures.fine)}{slope}"


def _repeat_note(measures: Measures) -> str:
    repeat = measures.repeat
    return "no repeat" if repeat is None else f"repeat {repeat.height:.2f} at {repeat.distance:.0f} pixels"


def _sum(word: str, own: Sequence[Measures]) -> str:
    slopes = [one.slope for one in own if one.slope is not None]
    slope = f"a slope of the spectrum of {number_text(_mean(slopes), 3)}, " if slopes else ""
    fine, extreme = (_share(_mean(values)) for values in ([one.fine for one in own], [one.extreme for one in own]))
    return f"{word}: {fine} of the contrast in fine waves, {slope}{extreme} extreme values"


def _row(name: str, word: str, one: Seen) -> tuple[Cell, ...]:
    found = one.measures
    shares = [round(100 * value, 1) for value in (found.extreme, found.clipped, found.saturation)]
    slope = None if found.slope is None else round(found.slope, 2)
    repeat = (None, None) if found.repeat is None else (round(found.repeat.height, 2), round(found.repeat.distance, 1))
    return (one.figure, name, word, one.figure.score, round(100 * found.fine, 1), slope, *shares, *repeat)


def _share(value: float) -> str:
    return f"{100 * value:.3g}\N{NO-BREAK SPACE}%"


def _mean(values: Sequence[float]) -> float:
    return sum(values) / len(values)
