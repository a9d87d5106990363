"""Draws the plot of the README from the rows of a run: lucent's time over ours, and our step over the floor."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from peers.packages import make_importable
from rows import Row

if TYPE_CHECKING:
    from matplotlib.axes import Axes

OURS, THEIRS, SIZE_CHOICE, GREY = "#0b6e99", "#d1603d", "#e8b4a0", "#666666"
WIDTH, HEIGHT, DPI = 8.0, 4.6, 200
NAMES = {"squeezenet1_0": "SqueezeNet", "vgg16": "VGG-16", "resnet50": "ResNet-50", "googlenet": "GoogLeNet"}
NAMES |= {"inceptionv1": "InceptionV1"}
FEW = 10  # measurements
FLOOR = "floor"  # the panel on the right
PANELS = (
    ("score", OURS, "To the score of Lucent's 512 steps: Lucent / ours"),
    ("lucent", THEIRS, "A picture's step, same network size: Lucent / ours"),
    ("lucent-224", SIZE_CHOICE, "... with Lucent at its default of 224 pixels"),
    (FLOOR, OURS, "A step: ours / the bare loop"),
)


def draw(rows: list[Row], facts: dict[str, Any], file: Path) -> None:
    """Draw the plot.

    Args:
        rows: What was measured.
        facts: What `report.machine` gathered.
        file: Where it is written.
    """
    make_importable()
    import matplotlib as mpl

    mpl.use("Agg")
    mpl.rcParams |= {"font.family": "DejaVu Sans", "font.size": 9, "axes.titlesize": 9, "axes.titleweight": "bold"}
    import matplotlib.pyplot as plt

    drawn = [panel for panel in PANELS if of(panel[0], rows)]
    left = [kind for kind, _, _ in drawn if kind != FLOOR] or [FLOOR]
    layout = [[kind, FLOOR] if of(FLOOR, rows) else [kind] for kind in left]
    figure, panels = plt.subplot_mosaic(
        layout,
        figsize=(WIDTH, HEIGHT),
        width_ratios=(3, 2)[: len(layout[0])],
        height_ratios=[len(of(kind, rows)) + 1 for kind in left],
        layout="constrained",
    )
    largest = max((row.quartiles[1] for kind in left for row in of(kind, rows)), default=1)
    for kind, colour, title in drawn:
        _bars(panels[kind], of(kind, rows), colour, largest if kind != FLOOR else 1.2)
        panels[kind].set_title(title, loc="left")
    versions = facts["versions"]
    figure.supxlabel(
        f"CPU time, medians and quartiles; one thread, {facts['processor']}, torch {versions['torch']}, "
        f"torch-lucent {versions.get('torch-lucent', '-')}",
        fontsize=7,
        color=GREY,
    )
    file.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(file, dpi=DPI, facecolor="white")
    plt.close(figure)


def of(kind: str, rows: list[Row]) -> list[Row]:
    """Pick the rows of a kind that have figures."""
    return [row for row in rows if row.values and row.name.startswith(f"{kind}/")]


def network(row: Row) -> str:
    """Name the network of a row, and how often it was measured where that was seldom."""
    name = row.name.partition("/")[2]
    return NAMES.get(name, name) + (f", n = {len(row.values)}" if len(row.values) < FEW else "")


def _bars(axes: Axes, rows: list[Row], colour: str, largest: float) -> None:
    """Draw lying bars, with their quartiles, their medians in figures, and a line at 1."""
    for place, row in enumerate(rows):
        low, high = row.quartiles
        axes.barh(place, row.median, color=colour, height=0.5)
        axes.plot([low, high], [place, place], color="black", linewidth=1.2, solid_capstyle="butt")
        end = (max(high, row.median), place)
        axes.annotate(f"{row.median:.2f}", end, (4, 0), textcoords="offset points", va="center")
    axes.set_yticks(range(len(rows)), [network(row) for row in rows])
    axes.set_ylim(max(len(rows), 1) - 0.5, -0.5)
    axes.axvline(1, color=GREY, linewidth=1, linestyle=(0, (4, 3)))
    axes.set_xlim(0, 1.15 * max([largest, *(row.quartiles[1] for row in rows)]))
    axes.tick_params(axis="y", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
