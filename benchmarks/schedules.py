"""Fewer steps: the clean scores that step-size schedules and optimizers reach, beside the default's after 512 steps.

    python benchmarks/schedules.py [--network squeezenet1_0] [--layer features.10] [--units 8] [--sheet FILE.png]

Every way starts from the same pictures and sees the same draws. The score is the mean of the channel on the final
picture at its own size, without transforms; beside it stands what a higher score must not be bought with: the share of
a picture's power above a quarter of a cycle per pixel, and the share of its values within 0.02 of black or white.
Units that stay dark with the default are left out. The sheet has a row of pictures for each way, in their order.
"""

from __future__ import annotations

import argparse
import random
import statistics
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from settings import BATCH, FILES, LUCENT_STEPS, missing, ours, real_network
from to_score import scores
from torch import Tensor

import lucidtorch as lt
from lucidtorch.analysis.picture_measures import power_spectrum
from lucidtorch.base.images import encode_png, sheet

FINE = 0.25  # cycles per pixel
NEAR = 0.02  # a value this near to 0 or 1 is at its bound
QUICK = {"optimizer": "adam(beta1=0.5, weight_decay=0.02)", "lr_schedule": "trapezoid"}
WAYS: dict[str, dict[str, Any]] = {
    "default": {"steps": LUCENT_STEPS},
    "default, fewer steps": {"steps": 192},
    "lr 0.2": {"steps": 192, "lr": 0.2},
    "lr 0.2, beta1 0.5": {"steps": 192, "lr": 0.2, "optimizer": "adam(beta1=0.5)"},
    "lr 0.2, beta1 0.5, cosine": {"steps": 192, "lr": 0.2, "optimizer": "adam(beta1=0.5)", "lr_schedule": "cosine"},
    "lr 0.2, beta1 0.5, trapezoid": {
        "steps": 192,
        "lr": 0.2,
        "optimizer": "adam(beta1=0.5)",
        "lr_schedule": "trapezoid",
    },
    "lr 0.2, with decay": {"steps": 192, "lr": 0.2, **QUICK},
    "lr 0.3, with decay": {"steps": 192, "lr": 0.3, **QUICK},
    "lr 0.3, with decay, shorter": {"steps": 128, "lr": 0.3, **QUICK},
}


@dataclass(frozen=True)
class Made:
    """What a way made of some units.

    Attributes:
        images: The pictures, `[B, 3, H, W]`.
        values: Their clean scores.
    """

    images: Tensor
    values: list[float]

    @property
    def looks(self) -> tuple[float, float]:
        """The medians of the share of power in fine detail, and of the share of values at their bounds."""
        bound = ((self.images < NEAR) | (self.images > 1 - NEAR)).double().mean((1, 2, 3))
        return statistics.median(map(fine_share, self.images)), float(bound.median())


def fine_share(image: Tensor) -> float:
    """Measure how much of a picture's power lies in waves shorter than four pixels.

    Args:
        image: `[C, H, W]`.

    Returns:
        The share, from 0 to 1.
    """
    power = power_spectrum(image)
    rows, columns = (torch.fft.fftshift(torch.fft.fftfreq(side)) for side in power.shape)
    fine = torch.hypot(rows[:, None], columns[None]) > FINE
    return float(power[fine].sum() / power.sum())


def made(model: lt.Model, layer: str, units: list[int], way: dict[str, Any]) -> Made:
    """Make pictures in one way.

    Args:
        model: The network.
        layer: The layer's address.
        units: The channels.
        way: What `optimize` is given.

    Returns:
        The pictures and their scores.
    """
    images, values = [], []
    for start in range(0, len(units), BATCH):
        some = units[start : start + BATCH]
        *_, last = ours(model, layer, some, seed=start, **way)
        images.append(last.images)
        values += scores(model, layer, some, last.images)
    return Made(torch.cat(images), values)


def line(name: str, found: Made, default: Made) -> str:
    """Sum up one way.

    Args:
        name: What it is called.
        found: What it made.
        default: What the default made.

    Returns:
        A line of the table.
    """
    pairs = zip(found.values, default.values, strict=True)
    shares = [own / usual for own, usual in pairs if usual > 0]
    low, middle, high = statistics.quantiles(shares, n=4, method="inclusive")
    fine, bound = found.looks
    steps = WAYS[name]["steps"]
    spread = f"{middle:.3f} ({low:.3f} - {high:.3f})"
    return f"{name:32} {steps:5} {spread:23} {min(shares):6.3f} {len(shares):3} {fine:6.3f} {bound:6.3f}"


def main() -> None:
    """Make every way's pictures of the same units, and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--network", choices=list(FILES), default="squeezenet1_0")
    parser.add_argument("--layer", default="features.10")
    parser.add_argument("--units", type=int, default=8)
    parser.add_argument("--sheet", type=Path, help="where to draw all pictures")
    options = parser.parse_args()
    torch.set_num_threads(1)
    model = real_network(options.network)
    if model is None:
        raise SystemExit(f"This {missing(options.network)}.")
    channels = model.layers[options.layer].channels
    if channels is None:
        raise SystemExit(f"{options.layer} has no channels.")
    units = random.Random(0).sample(range(channels), options.units)
    print(f"{'way':32} {'steps':>5} {'share of the score':23} {'least':>6} {'n':>3} {'fine':>6} {'bound':>6}")
    found: dict[str, Made] = {}
    for name, way in WAYS.items():
        found[name] = made(model, options.layer, units, way)
        print(line(name, found[name], found["default"]), flush=True)
    if options.sheet is not None:
        drawn = sheet(torch.cat([one.images for one in found.values()]), columns=len(units))
        options.sheet.write_bytes(encode_png(drawn))


if __name__ == "__main__":
    main()
