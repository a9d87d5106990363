"""One step of a render over its floor, on real architectures with random weights.

The floor is the bare loop: the network cut after the layer, weights frozen, gradient of the same objective to the
network's input only, same batch, same input size, same precision. Everything else (param, transforms, hooks, optimizer,
bookkeeping) is the overhead. Process CPU time at one thread, in short rounds of both in random order; the ratio is the
median over the rounds' own ratios.

    python benchmarks/floor.py [--quick] [--networks vgg16,resnet50] [--batch 4] [--size 128] [--rounds 20] [--steps 3]
"""

from __future__ import annotations

import argparse
import random
import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from itertools import count

import torch
from torch import Tensor, nn
from torchvision.models.feature_extraction import create_feature_extractor

import lucidtorch as lt
from lucidtorch.models.running.redirect import STEPS as REDIRECTED_STEPS

HEADINGS = "network        layer          canvas    floor ms     step ms   ratio   quartiles        goal"
STEADY = 10**9  # more steps than any run takes


@dataclass(frozen=True)
class Case:
    """A network, a layer in its middle, and the ratio to reach."""

    network: str
    layer: str
    goal: float


CASES = (
    Case("vgg16", "features.17", 1.05),  # conv4_1
    Case("resnet50", "layer3.2", 1.05),
    Case("googlenet", "inception4c", 1.05),
    Case("squeezenet1_0", "features.7", 1.10),
)


@dataclass(frozen=True)
class Result:
    """What was measured of one case: CPU seconds of one step of each, per round."""

    case: Case
    canvas: int
    floor: list[float]
    engine: list[float]

    @property
    def ratios(self) -> list[float]:
        return [engine / floor for engine, floor in zip(self.engine, self.floor, strict=True)]


def floor_step(case: Case, canvas: int, batch: int) -> Callable[[], object]:
    """Make one step of the bare loop: forward through the cut network, backward to its input."""
    module = lt.load_model(case.network, weights="random", device="cpu").module.eval().requires_grad_(False)
    cut: nn.Module = create_feature_extractor(module, {case.layer: "out"})
    images = torch.rand(batch, 3, canvas, canvas, requires_grad=True)

    def step() -> Tensor:
        values = cut(images)["out"][:, 0].flatten(1).mean(1)
        return torch.autograd.grad(-values.sum(), images)[0]

    return step


def engine_step(case: Case, size: int, batch: int) -> Callable[[], object]:
    """Make one step of `optimize`, past the first steps in which the gradients of dead ReLUs are redirected."""
    model = lt.load_model(case.network, weights="random", device="cpu")
    goal = lt.objectives.channel(case.layer, 0)
    steps = lt.optimize(model, goal, param=lt.param.image(size, batch=batch), steps=STEADY)
    for _ in range(REDIRECTED_STEPS):
        next(steps)
    return lambda: next(steps)


def measure(case: Case, size: int, batch: int, rounds: int, steps: int) -> Result:
    """Time both in short rounds, each round in an order of its own."""
    canvas = lt.transforms.standard().output_size((size, size))[0]
    actions = {"floor": floor_step(case, canvas, batch), "engine": engine_step(case, size, batch)}
    taken: dict[str, list[float]] = {name: [] for name in actions}
    shuffled = random.Random(0)
    for number in count(-1):  # the first round only warms up
        if number == rounds:
            break
        for name in shuffled.sample(list(actions), len(actions)):
            start = time.process_time()
            for _ in range(steps):
                actions[name]()
            if number >= 0:
                taken[name].append((time.process_time() - start) / steps)
    return Result(case, canvas, taken["floor"], taken["engine"])


def report(result: Result) -> str:
    """Write one line of the table: medians, and the quartiles of the ratio."""
    floor, engine = statistics.median(result.floor) * 1000, statistics.median(result.engine) * 1000
    low, middle, high = statistics.quantiles(result.ratios, n=4)
    case = result.case
    return (
        f"{case.network:<15}{case.layer:<14}{result.canvas:>7}{floor:>12.1f}{engine:>12.1f}"
        f"{middle:>8.3f}   {low:.3f} - {high:.3f}{case.goal:>8.2f}"
    )


def main() -> None:
    """Measure the networks that were asked for and print a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "--quick", action="store_true", help="batch 1 and 7 rounds of 2 steps: a rough figure in a minute or two"
    )
    parser.add_argument("--networks", default=",".join(case.network for case in CASES), help="names between commas")
    parser.add_argument("--batch", type=int, default=4)
    parser.add_argument("--size", type=int, default=128, help="of the picture; the network sees 24 pixels more")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--steps", type=int, default=3, help="steps of each in one round")
    given = parser.parse_args()
    batch, rounds, steps = (1, 7, 2) if given.quick else (given.batch, given.rounds, given.steps)
    torch.set_num_threads(1)
    print(
        f"CPU time of one step, one thread, batch {batch}, {rounds} rounds of {steps} steps, torch {torch.__version__}"
    )
    print(HEADINGS)
    for case in CASES:
        if case.network in given.networks.split(","):
            print(report(measure(case, given.size, batch, rounds, steps)), flush=True)


if __name__ == "__main__":
    main()
