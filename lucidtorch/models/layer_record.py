"""What is known of one layer, and how a list of layers is printed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lucidtorch.models.receptive_field import ReceptiveField

HEADINGS = ("layer", "alias", "kind", "shape", "channels", "parameters", "receptive field")
RIGHT_ALIGNED = ("channels", "parameters")


@dataclass(frozen=True, slots=True)
class LayerRecord:
    """What one dry run found out about one layer.

    Args:
        address: How the layer is written: its `named_modules()` name, with `@k` where it is called several times.
        kind: The name of its class.
        shape: What it gives for one image, `(C, H, W)` or `(C,)`; None where that is no single tensor.
        channels: The number of its channels; None where it gives no `[B, C, H, W]` or `[B, C]`.
        parameters: How many weights it has, those of its parts included.
        receptive_field: What one unit sees; None for the whole image, or where that cannot be followed.
        calls: How often it is called in one forward pass.
    """

    address: str
    kind: str
    shape: tuple[int, ...] | None
    channels: int | None
    parameters: int
    receptive_field: ReceptiveField | None
    calls: int


def as_columns(rows: Sequence[tuple[LayerRecord, str | None]]) -> str:
    """Print layers one a line, in aligned columns under a line of headings.

    Args:
        rows: Each layer with its alias or None.

    Returns:
        The lines, without a line end after the last one.
    """
    table = [HEADINGS, *(_cells(record, alias) for record, alias in rows)]
    widths = [max(map(len, column)) for column in zip(*table, strict=True)]
    return "\n".join(_line(cells, widths) for cells in table)


def _cells(record: LayerRecord, alias: str | None) -> tuple[str, ...]:
    shape = "-" if record.shape is None else "x".join(map(str, record.shape))
    field = "whole image" if record.receptive_field is None else str(record.receptive_field)
    channels = "-" if record.channels is None else str(record.channels)
    return record.address, alias or "", record.kind, shape, channels, f"{record.parameters:,}", field


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    padded = (
        cell.rjust(width) if heading in RIGHT_ALIGNED else cell.ljust(width)
        for heading, cell, width in zip(HEADINGS, cells, widths, strict=True)
    )
    return "  ".join(padded).rstrip()
