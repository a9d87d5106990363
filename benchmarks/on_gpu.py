"""A layer of 512 channels on a GPU: lucent one at a time over ours, and how much of our time is the network's kernels.

Seconds by the clock on the wall, the GPU waited for at each look. It runs in a process of its own, since all else is
measured with the GPU out of sight: lucent takes one wherever it sees it. A few steps of each stand for the 512.

    python benchmarks/on_gpu.py [--quick]       prints the rows as JSON
"""

from __future__ import annotations

import dataclasses
import functools
import json
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from floor import floor_step
from paired import paired, ratios
from peers.lucent import Lucent
from rows import Row, at_least
from settings import canvas, computed_at_once, ours
from torch.profiler import ProfilerActivity, profile

import lucidtorch as lt
from lucidtorch.models.running.redirect import STEPS as REDIRECTED_STEPS

NETWORK, LAYER, CHANNELS = "googlenet", "inception4c", 512
GOAL, SHARE_GOAL = 50.0, 0.6
ROUNDS, QUICK_ROUNDS = 10, 4
STEPS, LUCENT_STEPS = 4, 16
STEADY = 10**6  # more steps than any run takes
PRECISIONS = ("float32", "bfloat16")
GPUS = "CUDA_VISIBLE_DEVICES"
KEPT = "LUCIDTORCH_BENCH_GPUS"  # what that was, before it was emptied for everything else
ABSENT = "no GPU here"


def hide_gpus() -> None:
    """Take the GPUs out of this process's sight, before torch looks for them, and keep what was to be seen."""
    os.environ.setdefault(KEPT, os.environ.get(GPUS, "all"))
    os.environ[GPUS] = ""


def rows(quick: bool) -> list[Row]:
    """Measure in a process that sees the GPUs.

    Args:
        quick: Whether a rough figure is enough.

    Returns:
        The rows; without figures where there is no GPU.
    """
    surroundings = {name: value for name, value in os.environ.items() if name != GPUS}
    kept = surroundings.pop(KEPT, "all")
    words = [sys.executable, "-W", "ignore", str(Path(__file__).resolve()), *(["--quick"] if quick else [])]
    surroundings |= {} if kept == "all" else {GPUS: kept}
    printed = subprocess.run(words, env=surroundings, stdout=subprocess.PIPE, text=True, check=True).stdout
    return [Row(**one) for one in json.loads(printed.splitlines()[-1])]


def measured(quick: bool) -> list[Row]:
    """Measure all rows in this process."""
    found = []
    for precision in PRECISIONS:
        speed = functools.partial(
            Row,
            f"gpu/lucent-{precision}",
            f"lucent over ours, {CHANNELS} channels on a GPU, {precision}",
            f">= {GOAL:g}",
        )
        share = functools.partial(
            Row, f"gpu/share-{precision}", "the network's kernels in the time of our step", f">= {SHARE_GOAL}"
        )
        if not torch.cuda.is_available():
            found += [speed([], skipped=ABSENT), share([], skipped=ABSENT)]
            continue
        costs, at_once, kernels = _costs(precision, QUICK_ROUNDS if quick else ROUNDS)
        over = ratios(costs["lucent"], costs["ours"])
        part = [kernels / one for one in costs["ours"]]
        note = f"{torch.cuda.get_device_name()}, {NETWORK} {LAYER}, {at_once} computed at once, sees {canvas()}"
        found += [
            speed(over, met=at_least(GOAL, over), note=note),
            share(part, met=at_least(SHARE_GOAL, part), note=note),
        ]
    return found


def _costs(precision: str, rounds: int) -> tuple[dict[str, list[float]], int, float]:
    """Time ours and lucent's: seconds of one picture's step; how many at once; seconds of the network's kernels."""
    network = lt.load_model(NETWORK, weights="random", device="cpu")
    model = lt.load_model(NETWORK, weights="random", device="cuda")
    at_once = computed_at_once(model, LAYER, CHANNELS)
    steps = ours(model, LAYER, list(range(CHANNELS)), steps=STEADY, engine=lt.Engine(precision))
    for _ in range(REDIRECTED_STEPS):
        next(steps)
    lucent = Lucent(network, _now)

    def lucents() -> float:
        return lucent.picture(LAYER, 0, steps=LUCENT_STEPS).step_seconds

    variants = {"ours": _per_picture(lambda: next(steps), CHANNELS), "lucent": lucents}
    return paired(variants, rounds, 120), at_once, _kernel_seconds(model, precision, at_once)


def _kernel_seconds(model: lt.Model, precision: str, at_once: int) -> float:
    """The GPU's own time in the kernels of the bare network, forward and backward, for one picture's step."""
    side = canvas()
    images = torch.rand(at_once, 3, side, side, device="cuda")
    step = floor_step(model.module, LAYER, images, matching=True)
    with torch.autocast("cuda", getattr(torch, precision), enabled=precision != "float32"):
        for _ in range(STEPS):
            step()
        with profile(activities=[ProfilerActivity.CUDA]) as seen:
            for _ in range(STEPS):
                step()
            torch.cuda.synchronize()
    microseconds = sum(event.self_device_time_total for event in seen.key_averages())
    return microseconds / 1e6 / STEPS / at_once


def _per_picture(work: Callable[[], Any], pictures: int) -> Callable[[], float]:
    def cost() -> float:
        began = _now()
        for _ in range(STEPS):
            work()
        return (_now() - began) / STEPS / pictures

    return cost


def _now() -> float:
    """The clock on the wall, once the GPU has done what it was told."""
    torch.cuda.synchronize()
    return time.perf_counter()


if __name__ == "__main__":
    warnings.simplefilter("ignore")  # of other tools, and of random weights
    print(json.dumps([dataclasses.asdict(row) for row in measured("--quick" in sys.argv)]))
