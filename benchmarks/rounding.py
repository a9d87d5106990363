"""How far pictures and scores move where networks are only run otherwise: rounding, and what optimizers make of it.

    python benchmarks/rounding.py [--quick]

The picture of each unit is made as usual and with one switch changed, from the same seed. After 3 updates the pictures
are compared, after 64 the clean scores (of the finished picture, without transforms).
"""

from __future__ import annotations

import argparse
import os
import statistics
import warnings
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import Any

import torch
from rows import Row, at_most
from settings import missing, real_network
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import LucidtorchWarning

SIZE = 96
PICTURES = 8  # made together
FEW, MANY = 3, 64  # updates
UNITS, LIVE = 64, 32
SMALL = 1e-4  # of a picture's values, which go from 0 to 1
PERCENT = 2.0
USUAL = lt.Engine(compute_batch=PICTURES)
SWITCHES = {
    "compute_batch": replace(USUAL, compute_batch=3),
    "channels_last": replace(USUAL, channels_last=False),
    "fold": replace(USUAL, fold=False),
    "winograd": replace(USUAL, winograd=False),
}


@dataclass(frozen=True)
class Case:
    """A network, a layer in its middle, and what is switched there.

    Attributes:
        network: Its name.
        load: What loads it; it gives None where its weights are not at hand.
        layer: By its address.
        switches: Keys of `SWITCHES` that make a difference in it.
    """

    network: str
    load: Callable[[], lt.Model | None]
    layer: str
    switches: tuple[str, ...]


def normalized() -> lt.Model:
    """Make a ResNet-18 of random weights whose batch normalizations have statistics of their own."""
    torch.manual_seed(0)
    model = lt.load_model("resnet18", weights="random", device="cpu")
    dice = torch.Generator().manual_seed(0)
    for part in model.module.modules():
        if isinstance(part, nn.BatchNorm2d) and part.running_mean is not None and part.running_var is not None:
            part.running_mean.normal_(0, 0.3, generator=dice)
            part.running_var.uniform_(0.5, 1.5, generator=dice)
            part.weight.data.uniform_(0.5, 1.5, generator=dice)
            part.bias.data.normal_(0, 0.3, generator=dice)
    return model


CASES = (
    Case("inceptionv1", lambda: real_network("inceptionv1"), "mixed4b", ("compute_batch", "channels_last")),
    Case("squeezenet1_0", lambda: real_network("squeezenet1_0"), "features.10", ("compute_batch", "channels_last")),
    Case("resnet18", normalized, "layer3.0", ("compute_batch", "channels_last", "fold", "winograd")),
)


def made(
    model: lt.Model, layer: str, units: list[int], steps: int, engine: lt.Engine = USUAL
) -> tuple[Tensor, Tensor, list[bool]]:
    """Make a picture of each unit, a few together.

    Args:
        model: The network.
        layer: The layer's address.
        units: Its channels.
        steps: The number of updates.
        engine: How the network is run.

    Returns:
        The pictures, their clean scores, and whether each unit is dead.
    """
    found: list[lt.Rendering] = []
    for start in range(0, len(units), PICTURES):
        some = units[start : start + PICTURES]
        goal, param = lt.objectives.channel(layer, some), lt.param.image(SIZE, batch=len(some))
        settings: dict[str, Any] = {"param": param, "steps": steps, "seed": start, "progress": False}
        found.append(lt.render(model, goal, engine=engine, **settings))
    dead = [one for rendering in found for one in rendering.dead]
    return torch.cat([one.images for one in found]), torch.cat([one.values for one in found]), dead


def picture_rows(case: Case, model: lt.Model, units: list[int]) -> list[Row]:
    """Compare pictures after a few updates."""
    usual, _, _ = made(model, case.layer, units, FEW)
    found = []
    for switch in case.switches:
        other, _, _ = made(model, case.layer, units, FEW, SWITCHES[switch])
        values = ((usual - other).abs().flatten(1).mean(1) / SMALL).tolist()
        over = sum(value > 1 for value in values) / len(values)
        note = f"mean {statistics.fmean(values):.3f}, largest {max(values):.2f}; {over:.0%} of the units are above 1"
        what = f"difference of pictures after {FEW} updates, in 1e-4"
        name = f"rounding/{case.network}/{switch}"
        found.append(Row(name, what, "<= 1", values, "1e-4", at_most(1.0, values), note))
    return found


def score_rows(case: Case, model: lt.Model, units: list[int]) -> list[Row]:
    """Compare the clean scores of live units after many updates."""
    _, usual, dead = made(model, case.layer, units, MANY)
    live = [place for place, one in enumerate(dead) if not one][:LIVE]
    found = []
    for switch in case.switches:
        chosen = [units[place] for place in range(max(live) + 1)]
        _, other, _ = made(model, case.layer, chosen, MANY, SWITCHES[switch])
        signed = (100 * (other[live] - usual[live]) / usual[live].abs()).tolist()
        values = [abs(value) for value in signed]
        note = f"with its sign, the median is {statistics.median(signed):+.2f} %"
        what = f"change of clean scores after {MANY} updates"
        name = f"rounding/{case.network}/{switch}/score"
        found.append(Row(name, what, f"<= {PERCENT:g} %", values, "%", at_most(PERCENT, values), note))
    return found


def rows(quick: bool) -> list[Row]:
    """Measure every case.

    Args:
        quick: Whether fewer units do, and scores are left out.

    Returns:
        A row for each network, switch and comparison.
    """
    found: list[Row] = []
    for case in CASES:
        model = case.load()
        if model is None:
            found.append(Row(f"rounding/{case.network}", "differences by rounding", "", skipped=missing(case.network)))
            continue
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", LucidtorchWarning)  # dead units are looked for
            found += picture_rows(case, model, list(range(PICTURES if quick else UNITS)))
            found += [] if quick else score_rows(case, model, list(range(LIVE + PICTURES)))
    return found


def main() -> None:
    """Measure and print."""
    from report import table

    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="fewer units, and no scores")
    torch.set_num_threads(1)
    print(table(rows(parser.parse_args().quick)))


if __name__ == "__main__":
    os.environ |= {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
    main()
