"""How long `import lucidtorch` takes beyond `import torch`: in fresh processes, by the wall clock and the CPU's."""

from __future__ import annotations

import subprocess
import sys

from rows import Row, at_most

GOAL, ROUNDS, QUICK_ROUNDS = 0.3, 15, 3
CODE = """
import time, torch
clock = time.perf_counter, time.process_time
before = [one() for one in clock]
{statement}
print(*(one() - start for one, start in zip(clock, before)))
"""


def measure(statement: str) -> tuple[float, float]:
    """Run a statement in a fresh process that has torch already, and give its wall-clock and CPU seconds."""
    words = [sys.executable, "-c", CODE.format(statement=statement)]
    wall, cpu = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    return float(wall), float(cpu)


def rows(quick: bool) -> list[Row]:
    """Measure the import, and the first use of `render` with it.

    Args:
        quick: Whether a few processes are enough.

    Returns:
        Three rows of seconds.
    """
    number = QUICK_ROUNDS if quick else ROUNDS
    measure("import lucidtorch")  # writes the byte code
    wall, cpu = (list(one) for one in zip(*(measure("import lucidtorch") for _ in range(number)), strict=True))
    first = [measure("import lucidtorch; lucidtorch.render")[1] for _ in range(number)]
    goal = f"<= {GOAL}"
    return [
        Row("import/cpu", "`import lucidtorch` beyond `import torch`, CPU time", goal, cpu, "s", at_most(GOAL, cpu)),
        Row("import/wall", "the same by the clock on the wall", goal, wall, "s", at_most(GOAL, wall)),
        Row("import/render", "... and `lucidtorch.render`, its first use, CPU time", "", first, "s"),
    ]
