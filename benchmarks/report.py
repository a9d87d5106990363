"""What was measured as a table for the terminal, as Markdown, and as JSON with the facts about the machine."""

from __future__ import annotations

import dataclasses
import json
import os
import platform
from importlib import metadata
from pathlib import Path
from typing import Any

import torch
from peers.packages import FOLDER
from rows import Row

HEADINGS = ("row", "what", "median", "quartiles", "n", "goal", "met")
PACKAGES = ("torch", "torchvision", "kornia", "numpy", "lucidtorch")
START, END = "<!-- measured: written by `make bench` -->", "<!-- end of measured -->"


def number(value: float, unit: str) -> str:
    """Write a figure: three digits that count, ratios with at least two behind the point."""
    digits = 2 if abs(value) >= 1 or unit == "x" else 4
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.1f}" if abs(value) >= 20 else f"{value:.{digits}f}"


def cells(row: Row) -> tuple[str, ...]:
    """Write a row's cells, in the order of `HEADINGS`."""
    met = {None: "", True: "yes", False: "NO"}[row.met]
    if not row.values:
        return row.name, row.what, "-", row.skipped, "0", row.goal, met
    unit = "x" if row.unit == "x" else f" {row.unit}"
    low, high = (number(one, row.unit) for one in row.quartiles)
    return (
        row.name,
        row.what,
        number(row.median, row.unit) + unit,
        f"{low} - {high}",
        str(len(row.values)),
        row.goal,
        met,
    )


def table(rows: list[Row]) -> str:
    """Write a table for a terminal, with what must be known about each row below it."""
    lines = [HEADINGS, *(cells(row) for row in rows)]
    widths = [
        max(len(line[place]) for line in lines if len(line[3]) < 24 or place != 3) for place in range(len(HEADINGS))
    ]
    text = "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip() for line in lines
    )
    notes = "\n".join(f"  {row.name}: {row.note}" for row in rows if row.note and row.values)
    return f"{text}\n\n{notes}"


def markdown(rows: list[Row], facts: dict[str, Any]) -> str:
    """Write a table for a page, between the marks by which `written_into` finds it again."""
    lines = [START, "", f"Measured with {told(facts)}.", ""]
    for line in (HEADINGS, ("---",) * len(HEADINGS), *(cells(row) for row in rows)):
        lines.append(f"| {' | '.join(line)} |")
    lines += ["", *(f"- `{row.name}`: {row.note}." for row in rows if row.note), "", END]
    return "\n".join(lines)


def written_into(page: str, section: str) -> str:
    """Put a section of Markdown into a page: in the place of the former one, or at the end.

    Args:
        page: The page's text.
        section: What `markdown` wrote.

    Returns:
        The new text.
    """
    before, mark, rest = page.partition(START)
    if not mark:
        return f"{page.rstrip()}\n\n## Measured\n\n{section}\n"
    return f"{before}{section}{rest.partition(END)[2]}"


def machine() -> dict[str, Any]:
    """Gather the facts about the machine and the versions that the figures hang on."""
    graphics = torch.cuda.get_device_name() if torch.cuda.is_available() else None
    return {
        "processor": processor(),
        "cores": os.cpu_count(),
        "capability": torch.backends.cpu.get_cpu_capability(),
        "gpu": graphics,
        "system": platform.system(),
        "python": platform.python_version(),
        "versions": {name: metadata.version(name) for name in PACKAGES} | others(),
    }


def others() -> dict[str, str]:
    """List the other tools that are installed, with their versions."""
    return {one.name: one.version for one in metadata.distributions(path=[str(FOLDER)])}


def processor() -> str:
    """Name the processor, as far as the system tells."""
    file = Path("/proc/cpuinfo")
    lines = file.read_text().splitlines() if file.exists() else []
    named = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return named[0] if named else platform.processor()


def told(facts: dict[str, Any]) -> str:
    """Say in one sentence what was measured on, and with what."""
    versions = ", ".join(f"{name} {facts['versions'][name]}" for name in ("torch", "torchvision", "torch-lucent"))
    kind = "a quick run" if facts["quick"] else "a full run"
    return f"{kind} on {facts['cores']} cores of {facts['processor']} ({facts['capability']}), one thread, {versions}"


def save(file: Path, rows: list[Row], facts: dict[str, Any]) -> None:
    """Write everything, each raw figure too, to a JSON file.

    Args:
        file: Where.
        rows: What was measured.
        facts: What `machine` gathered, and how the run was.
    """
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"facts": facts, "rows": [dataclasses.asdict(row) for row in rows]}, indent=1) + "\n")


def load(file: Path) -> tuple[list[Row], dict[str, Any]]:
    """Read what `save` wrote.

    Args:
        file: Where.

    Returns:
        The rows, and the facts.
    """
    found = json.loads(file.read_text())
    return [Row(**row) for row in found["rows"]], found["facts"]
