"""Quality at equal step counts: the clean scores of 64 units of Lucid's InceptionV1, ours against lucent's.

    python benchmarks/equal_steps.py [--steps 128] [--again] [-o out/bench/equal_steps.jsonl]

Pictures of 128 pixels, of which both networks see 152, with each tool's defaults; units drawn at random from eight
layers. The score is the mean of the channel on the final picture at its own size, without transforms or padding.
Each unit is a line of the file as soon as it is done, so that the next run goes on where this one ended; `--again`
makes ours once more and keeps lucent's. It needs the real weights, and at 128 steps some 25 minutes of CPU time.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from peers.lucent import Lucent
from settings import BATCH, ROOT, SIZE, missing, ours, real_network
from to_score import scores

import lucidtorch as lt

NETWORK = "inceptionv1"
LAYERS = ("mixed3a", "mixed3b", "mixed4a", "mixed4b", "mixed4c", "mixed4d", "mixed4e", "mixed5a")
UNITS = 8  # of each layer
OUTPUT = ROOT / "out" / "bench" / "equal_steps.jsonl"

Line = dict[str, Any]


def drawn(model: lt.Model) -> dict[str, list[int]]:
    """Draw the units of each layer, the same ones every time."""
    dice = random.Random(0)
    return {layer: dice.sample(range(model.layers[layer].channels), UNITS) for layer in LAYERS}


def lucents(model: lt.Model, layer: str, units: list[int], steps: int) -> Iterator[Line]:
    """Let lucent make the pictures, one at a time."""
    lucent = Lucent(model)
    for unit in units:
        made = lucent.picture(layer, unit, size=SIZE, steps=steps)
        (score,) = scores(model, layer, [unit], made.image[None])
        yield {"tool": "lucent", "layer": layer, "unit": unit, "steps": steps, "score": score}


def our_own(model: lt.Model, layer: str, units: list[int], steps: int) -> Iterator[Line]:
    """Make ours, in the batches of a gallery."""
    for start in range(0, len(units), BATCH):
        some = units[start : start + BATCH]
        *_, last = ours(model, layer, some, steps=steps)
        for unit, score in zip(some, scores(model, layer, some, last.images), strict=True):
            yield {"tool": "ours", "layer": layer, "unit": unit, "steps": steps, "score": score}


def read(file: Path) -> list[Line]:
    """Read the lines that are there; one that a kill cut short is left out."""
    lines = file.read_text().split("\n")[:-1] if file.exists() else []
    return [json.loads(line) for line in lines]


def told(lines: list[Line], steps: int) -> str:
    """Sum up what there is: the median of the ratios over the units that both have lit."""
    found: dict[tuple[str, int], dict[str, float]] = {}
    for line in lines:
        if line["steps"] == steps:
            found.setdefault((line["layer"], line["unit"]), {})[line["tool"]] = line["score"]
    both = {unit: one for unit, one in found.items() if len(one) == 2}
    values = {unit: one["ours"] / one["lucent"] for unit, one in both.items() if one["lucent"] > 0}
    text = []
    for layer in LAYERS:
        own = [value for (place, _), value in values.items() if place == layer]
        if own:
            text.append(f"  {layer}: {statistics.median(own):.3f} ({min(own):.3f} - {max(own):.3f}), n = {len(own)}")
    dark = [one for one in both.values() if one["lucent"] <= 0]
    rescued = sum(one["ours"] > 0 for one in dark)
    text.append(f"  {len(dark)} units stayed dark with lucent, {rescued} of them are lit with ours")
    if len(values) > 1:
        low, middle, high = statistics.quantiles(values.values(), n=4, method="inclusive")
        text.append(
            f"ours over lucent's score, {steps} steps: {middle:.3f} ({low:.3f} - {high:.3f}), n = {len(values)}"
        )
    return "\n".join(text)


def main() -> None:
    """Make what is missing, and sum up."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--steps", type=int, default=128)
    parser.add_argument("--again", action="store_true", help="make ours again")
    parser.add_argument("-o", "--output", type=Path, default=OUTPUT)
    options = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")  # of other tools
    model = real_network(NETWORK)
    if model is None:
        raise SystemExit(f"This {missing(NETWORK)}.")
    lines = [line for line in read(options.output) if not (options.again and line["tool"] == "ours")]
    options.output.parent.mkdir(parents=True, exist_ok=True)
    options.output.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    done = {(line["tool"], line["layer"], line["unit"], line["steps"]) for line in lines}
    for layer, units in drawn(model).items():
        for tool, make in (("ours", our_own), ("lucent", lucents)):
            left = [unit for unit in units if (tool, layer, unit, options.steps) not in done]
            for line in make(model, layer, left, options.steps):
                lines.append(line)
                with options.output.open("a") as file:
                    file.write(f"{json.dumps(line)}\n")
        print(f"{layer} done", flush=True)
    print(told(lines, options.steps))


if __name__ == "__main__":
    main()
