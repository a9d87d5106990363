"""How much sooner ours reaches the score that lucent reaches in 512 steps: CPU time, unit by unit, on real networks.

The score is the clean one: the mean of the channel on the final picture at its own size, without transforms or padding,
by the same evaluation for both. Lucent makes its pictures one at a time; ours are made in the batches of a gallery, and
a picture's time is its share of the batch's CPU time until its score is first reached, getting ready included. Looking
at the score is not counted. A unit that does not get there counts as 0. Live units alone are compared: those of which
lucent has something to show after a few steps.
"""

from __future__ import annotations

import functools
import itertools
import random
import time
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from peers.lucent import Lucent
from rows import Row, at_least
from settings import BATCH, LUCENT_STEPS, OURS, SIZE, canvas, missing, ours, real_network
from torch import Tensor

import lucidtorch as lt

GOAL = 5.0
A_FEW = 16  # steps that show whether lucent's unit is alive
EVERY = 4  # steps of ours between two looks at the score


@dataclass(frozen=True)
class Race:
    """A network with real weights, a layer, and how many of its units are compared.

    Attributes:
        network: A key of `settings.FILES`.
        layer: By its address.
        units: How many.
        quick: How many where a rough figure is enough.
        budget: CPU seconds after which lucent starts no further picture.
    """

    network: str
    layer: str
    units: int
    quick: int
    budget: float


RACES = (
    Race("squeezenet1_0", "features.10", 32, 2, 2000),
    Race("inceptionv1", "mixed4a", 32, 0, 360),
)


@dataclass(frozen=True)
class Unit:
    """What lucent made of a unit: the score of its picture, and the CPU seconds that it took."""

    number: int
    score: float
    seconds: float


def scores(model: lt.Model, layer: str, units: list[int], images: Tensor) -> list[float]:
    """Look at pictures, one of each unit, at their own size and without transforms.

    Args:
        model: The network.
        layer: The layer's address.
        units: The channels, one for each picture.
        images: `[B, 3, H, W]` in [0, 1].

    Returns:
        The mean of each picture's channel.
    """
    with torch.no_grad():
        maps = model.activations(images, [layer])[layer]
    return [float(one[unit].mean()) for one, unit in zip(maps, units, strict=True)]


def live_units(model: lt.Model, layer: str, lucent: Lucent, until: float) -> Iterator[Unit]:
    """Let lucent make its pictures of the layer's units, in an order drawn at random, the dead ones left out.

    Args:
        model: The network, for the evaluation.
        layer: The layer's address.
        lucent: Lucent on the same network.
        until: When no further picture starts, by `time.process_time`.

    Yields:
        What came out for each live unit.
    """
    numbers = list(range(model.layers[layer].channels))
    random.Random(0).shuffle(numbers)
    for number in numbers:
        if time.process_time() > until:
            return
        first = lucent.picture(layer, number, size=SIZE, steps=A_FEW)
        if scores(model, layer, [number], first.image[None])[0] > 0:
            made = lucent.picture(layer, number, size=SIZE, steps=LUCENT_STEPS)
            yield Unit(number, scores(model, layer, [number], made.image[None])[0], made.seconds)


def seconds_to(model: lt.Model, layer: str, units: list[Unit], **settings: Any) -> list[float]:
    """Run ours on some units until each has the score of lucent's picture.

    Args:
        model: The network.
        layer: The layer's address.
        units: What lucent made of them.
        settings: Of ours, as `settings.ours` takes them.

    Returns:
        Each one's share of the CPU seconds until then; infinite where it does not get there.
    """
    numbers = [unit.number for unit in units]
    reached = [float("inf")] * len(units)
    began = time.process_time()
    steps = ours(model, layer, numbers, **settings)
    spent = time.process_time() - began
    while float("inf") in reached:
        began = time.process_time()
        step = next(steps, None)
        spent += time.process_time() - began
        if step is None:
            break
        if step.number % EVERY == 0 or step.number == step.steps:
            found = scores(model, layer, numbers, step.images)
            for place, (unit, score) in enumerate(zip(units, found, strict=True)):
                if score >= unit.score:
                    reached[place] = min(reached[place], spent / len(units))
    return reached


def rows_of(race: Race, quick: bool) -> list[Row]:
    """Compare on one network.

    Args:
        race: The network and its layer.
        quick: Whether a rough figure is enough.

    Returns:
        One row: lucent's CPU seconds over ours, a value for each unit.
    """
    row = functools.partial(Row, f"score/{race.network}", "lucent's CPU time for its 512-step score over ours", ">= 5")
    model, wanted = real_network(race.network), race.quick if quick else race.units
    if model is None:
        return [row([], skipped=missing(race.network))]
    if wanted == 0:
        return [row([], skipped="left out of a quick run: a unit of lucent's takes minutes")]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other tools
        values = ratios_of(model, race, wanted)
    note = f"live units of {race.layer}, {SIZE} px, the network sees {canvas()}; ours: {told()}"
    return [row(values, met=at_least(GOAL, values), note=note)]


def ratios_of(model: lt.Model, race: Race, wanted: int) -> list[float]:
    """Race on batches of units until there are enough, or the time is spent.

    Args:
        model: The network.
        race: Its layer, and the time.
        wanted: How many units.

    Returns:
        For each unit lucent's CPU seconds over ours; 0 where ours does not get there.
    """
    lucents = live_units(model, race.layer, Lucent(model), time.process_time() + race.budget)
    values: list[float] = []
    while units := list(itertools.islice(lucents, min(BATCH, wanted - len(values)))):
        times = seconds_to(model, race.layer, units, **OURS)
        values += [unit.seconds / taken for unit, taken in zip(units, times, strict=True)]
    return values


def told() -> str:
    """Say how ours is set."""
    return ", ".join(f"{name}={value}" for name, value in OURS.items()) or "its defaults"


GROUPS = {race.network: functools.partial(rows_of, race) for race in RACES}
