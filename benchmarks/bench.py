"""Measures how fast lucidtorch is, as ratios within one run, and prints every goal with what was reached.

    make bench                      everything, about 50 minutes
    make bench BENCH=--quick        rough figures in under 5 minutes
    python benchmarks/bench.py [--quick] [--only speed,score/inceptionv1] [--plot] [-o out/bench/bench.json]

Process CPU time at one thread, all variants in short shuffled rounds; medians and quartiles of the ratios within the
rounds. Writes a JSON file with every raw figure; a full run draws docs/speed.png and writes the table into
docs/performance.md. `--plot` draws and writes them from the JSON file of a former run, without measuring.
"""

from __future__ import annotations

import argparse
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
JSON = ROOT / "out" / "bench" / "bench.json"
PAGE, PLOT = ROOT / "docs" / "performance.md", ROOT / "docs" / "speed.png"
ENVIRONMENT = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}


def groups() -> dict[str, Callable[[bool], list[Any]]]:
    """Find what can be measured, by the name that `--only` takes; all of it is imported now."""
    import import_time
    import memory
    import on_gpu
    import outside
    import speed
    import to_score

    found: dict[str, Callable[[bool], list[Any]]] = {"outside": outside.rows}
    found |= {f"speed/{name}": rows for name, rows in speed.GROUPS.items()}
    found |= {f"score/{name}": rows for name, rows in to_score.GROUPS.items()}
    return found | {"memory": memory.rows, "import": import_time.rows, "gpu": on_gpu.rows}


def chosen(names: list[str], only: str) -> list[str]:
    """Pick groups by their names, or by the part before the stroke.

    Args:
        names: Of all groups.
        only: Some, between commas; all where empty.

    Returns:
        The names of those.

    Raises:
        SystemExit: There is no such group.
    """
    wanted = [one for one in only.split(",") if one]
    known = {*names, *(name.partition("/")[0] for name in names)}
    if wrong := [one for one in wanted if one not in known]:
        raise SystemExit(f"There is no group {', '.join(wrong)}; there are {', '.join(names)}.")
    return [name for name in names if not wanted or name in wanted or name.partition("/")[0] in wanted]


def measured(options: argparse.Namespace) -> None:
    """Measure the groups that were asked for, print the table, and write the JSON file."""
    from on_gpu import hide_gpus

    hide_gpus()
    import torch
    from report import cells, machine, save, table, told

    torch.set_num_threads(1)
    known, rows, began = groups(), [], time.monotonic()
    facts = machine() | {"quick": options.quick}
    print(told(facts), flush=True)
    for name in chosen(list(known), options.only):
        started = time.monotonic()
        for row in known[name](options.quick):
            rows.append(row)
            print("  ".join(cell for cell in cells(row) if cell), flush=True)
        print(f"  ({name} took {time.monotonic() - started:.0f} s)", flush=True)
    facts["minutes"] = round((time.monotonic() - began) / 60, 1)
    save(options.output, rows, facts)
    print(f"\n{table(rows)}\n\n{facts['minutes']} minutes; wrote {options.output}")


def published(file: Path) -> None:
    """Draw the plot and write the page's table from a JSON file."""
    from plot import draw
    from report import load, markdown, written_into

    rows, facts = load(file)
    draw(rows, facts, PLOT)
    page = PAGE.read_text() if PAGE.exists() else "# Performance\n"
    PAGE.write_text(written_into(page, markdown(rows, facts)))
    print(f"wrote {PLOT} and the table in {PAGE}")


def main() -> None:
    """Read the words of the command and do as they say."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="few rounds and units: rough figures in under 5 minutes")
    parser.add_argument("--only", default="", help="names of groups between commas, such as speed or score/inceptionv1")
    parser.add_argument("--plot", action="store_true", help="draw and write from a former run, without measuring")
    parser.add_argument("-o", "--output", type=Path, default=JSON, help="the JSON file")
    options = parser.parse_args()
    os.environ.update(ENVIRONMENT)  # torch, which reads it, is imported later
    if not options.plot:
        measured(options)
    if options.plot or not (options.quick or options.only):
        published(options.output)


if __name__ == "__main__":
    main()
