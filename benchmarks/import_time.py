"""How long `import lucidtorch` takes beyond `import torch`: the median over fresh processes.

python benchmarks/import_time.py [--rounds 7]
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys

GOAL_SECONDS = 0.3
CODE = """
import time, torch
clock = time.perf_counter, time.process_time
before = [one() for one in clock]
{statement}
print(*(one() - start for one, start in zip(clock, before)))
"""
STATEMENTS = {
    "import lucidtorch": "import lucidtorch",
    "... and render, its first use": "import lucidtorch; lucidtorch.render",
}


def measure(statement: str) -> tuple[float, float]:
    """Run a statement in a fresh process that has torch already, and give its wall-clock and CPU seconds."""
    words = [sys.executable, "-c", CODE.format(statement=statement)]
    wall, cpu = subprocess.run(words, capture_output=True, text=True, check=True).stdout.split()
    return float(wall), float(cpu)


def main() -> None:
    """Measure and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=7, help="fresh processes per line")
    rounds = parser.parse_args().rounds
    print(f"{'beyond import torch':<32}{'wall s':>9}{'CPU s':>9}{'goal':>9}")
    for name, statement in STATEMENTS.items():
        taken = [measure(statement) for _ in range(rounds)]
        wall, cpu = (statistics.median(column) for column in zip(*taken, strict=True))
        goal = f"<= {GOAL_SECONDS}" if statement == "import lucidtorch" else "-"
        print(f"{name:<32}{wall:>9.3f}{cpu:>9.3f}{goal:>9}")


if __name__ == "__main__":
    main()
