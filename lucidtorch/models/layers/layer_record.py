"""What is known of one layer, and how a list of layers is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lucidtorch.models.axes.receptive_field import ReceptiveField

HEADINGS = ("layer", "alias", "kind", "shape", "channels", "parameters", "FLOPs", "receptive field", "layout")
RIGHT_ALIGNED = ("channels", "parameters", "FLOPs")
PREFIXES = ("", "k", "M", "G", "T")
THOUSAND = 1000


@dataclass(frozen=True, slots=True)
class LayerRecord:
    """What one dry run found out about one layer.

    Args:
        address: How the layer is written: its `named_modules()` name, with `@k` where it is called several times, and
            with the part in square brackets where its output holds several tensors.
        kind: The name of its class.
        shape: What it gives for one image as an activation, `(C, H, W)` or `(C,)`; None where that is no tensor.
        channels: The number of its channels; None where it cannot be a target.
        parameters: How many weights it has, those of its parts included.
        receptive_field: What one unit sees; None for the whole image, or where that cannot be followed.
        calls: How often it is called in one forward pass.
        flops: The floating-point operations that it takes to get there, for one image.
        layout: The layer's own axes where they are others than `[B, C, H, W]`, such as ``B 1+(H W) C``.
        tokens: How many class and register tokens stand beside the grid.
        refused: Why it cannot be a target, or None where it can.
    """

    address: str
    kind: str
    shape: tuple[int, ...] | None
    channels: int | None
    parameters: int
    receptive_field: ReceptiveField | None
    calls: int
    flops: int = 0
    layout: str = ""
    tokens: int = 0
    refused: str | None = None


def cells(record: LayerRecord, alias: str | None) -> tuple[str, ...]:
    """Write what is known of a layer, in the order of `HEADINGS`."""
    shape = "-" if record.shape is None else "x".join(map(str, record.shape))
    field = "whole image" if record.receptive_field is None else str(record.receptive_field)
    channels = "-" if record.channels is None else str(record.channels)
    own = (record.address, alias or "", record.kind, shape, channels, f"{record.parameters:,}")
    return (*own, rounded(record.flops), field, record.layout)


def as_columns(rows: Sequence[tuple[LayerRecord, str | None]]) -> str:
    """Print layers one a line, in aligned columns under a line of headings."""
    table = [HEADINGS, *(cells(record, alias) for record, alias in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(_line(row, widths) for row in table)


def rounded(count: int) -> str:
    """Write a large count with three digits and a prefix."""
    number, steps = float(count), 0
    while number >= THOUSAND - 0.5 and steps < len(PREFIXES) - 1:
        number, steps = number / THOUSAND, steps + 1
    return f"{number:.3g}{PREFIXES[steps]}" if steps else str(count)


def _line(row: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.rjust(width) if heading in RIGHT_ALIGNED else cell.ljust(width)
        for heading, cell, width in zip(HEADINGS, row, widths, strict=True)
    )
    return "  ".join(padded).rstrip()
