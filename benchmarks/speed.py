"""One step of ours over its floor, and other tools' steps over ours, on real architectures with random weights.

All variants of a network run in the same shuffled rounds, so that every ratio is of neighbours in time. Costs are CPU
seconds of one picture's step at one thread. Ours makes pictures in the batches of a gallery, the other tools one at a
time, as they are used; what a picture costs once (set-up, the first steps in which gradients are redirected, the last
look) is spread over 512 steps on both sides. A few steps of each stand for the whole layer.
"""

from __future__ import annotations

import functools
import time
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from floor import floor_step
from paired import Variant, paired, ratios, timed
from peers.lucent import OWN_SIZE, Lucent
from peers.rest import PEERS
from rows import Row, at_least, at_most
from settings import BATCH, CASES, LUCENT_STEPS, QUICK_BATCH, SIZE, SLOW, Case, canvas, computed_at_once, ours

import lucidtorch as lt
from lucidtorch.models.running.redirect import STEPS as REDIRECTED_STEPS
from lucidtorch.rendering.loop import Step

STEADY = 10**6  # more steps than any run takes
LEFT_OUT = "left out of a quick run"
OTHERS_NETWORK = "squeezenet1_0"  # the one on which the tools beside lucent run
FIRST_STEPS = 1.15  # how much a step that redirects gradients may cost over a later one, at most


@dataclass(frozen=True)
class Pace:
    """How much is measured.

    Attributes:
        rounds: How many.
        steps: Of ours, in one round.
        lucent_steps: Of lucent's.
        budget: CPU seconds for all rounds of a network.
        lucent_sizes: What lucent's network sees, in pixels.
        starts: How many times the first steps are made.
    """

    rounds: int
    steps: int
    lucent_steps: int
    budget: float
    lucent_sizes: tuple[int, ...]
    starts: int


FULL, QUICK = Pace(20, 1, 2, 150, (canvas(), OWN_SIZE), 2), Pace(4, 1, 2, 15, (canvas(),), 1)


@dataclass(frozen=True)
class Ours:
    """Our loop past its first steps, and what one picture costs beside its steps.

    Attributes:
        steps: The iterator.
        batch: How many pictures there are.
        at_once: How many of them the network computes at once.
        started: CPU seconds from nothing to the end of the redirected steps, per picture.
    """

    steps: Iterator[Step]
    batch: int
    at_once: int
    started: float

    def once(self, step: float) -> float:
        """What a picture costs beyond its steady steps: getting ready, the slower first steps, the last look."""
        return max(0.0, self.started - REDIRECTED_STEPS * step) + step


def started(model: lt.Model, layer: str, batch: int) -> Ours:
    """Start our loop on a network that was looked at before, as all batches of a gallery but the first are."""
    units = list(range(batch))
    at_once = computed_at_once(model, layer, batch)
    began = time.process_time()
    steps = ours(model, layer, units, steps=STEADY)
    for _ in range(REDIRECTED_STEPS):
        next(steps)
    return Ours(steps, batch, at_once, (time.process_time() - began) / batch)


def first_steps(model: lt.Model, layer: str, engine: Ours, starts: int) -> list[float]:
    """Compare the steps in which gradients are redirected with later ones, each with the one made next to it.

    The very first step, which also looks whether gradients arrive, is left out.

    Args:
        model: The network.
        layer: The layer's address.
        engine: Our loop past its first steps.
        starts: How many times a loop is started.

    Returns:
        The cost of each of steps 2 to 16 over that of a later one.
    """
    found = []
    later = timed(lambda: next(engine.steps), 1, engine.batch)
    for _ in range(starts):
        steps = ours(model, layer, list(range(engine.batch)), steps=STEADY)
        next(steps)
        early = timed(functools.partial(next, steps), 1, engine.batch)
        found += [early() / later() for _ in range(REDIRECTED_STEPS - 1)]
    return found


def lucent_variant(lucent: Lucent, layer: str, steps: int, network_size: int) -> Variant:
    """Make a variant of a few steps of a picture of lucent's, with its share of the set-up."""

    def measured() -> float:
        made = lucent.picture(layer, 0, size=SIZE, network_size=network_size, steps=steps + 1)
        return made.step_seconds + made.setup_seconds / LUCENT_STEPS

    return measured


def measure(model: lt.Model, case: Case, pace: Pace, batch: int) -> tuple[dict[str, list[float]], Ours]:
    """Time all variants on one network."""
    engine, sees = started(model, case.layer, batch), canvas()
    images = torch.rand(engine.at_once, 3, sees, sees)
    variants: dict[str, Variant] = {"ours": timed(lambda: next(engine.steps), pace.steps, batch)}
    for name, matching in (("floor", True), ("plain", False)):
        step = floor_step(model.module, case.layer, images, matching=matching)
        variants[name] = timed(step, pace.steps * batch // engine.at_once, engine.at_once)
    for size in pace.lucent_sizes:
        name = "lucent" if size == sees else "lucent-224"
        variants[name] = lucent_variant(Lucent(model), case.layer, pace.lucent_steps, size)
    if case.network == OTHERS_NETWORK:
        for name, peer in PEERS.items():
            if not peer.reason():
                variants[name] = peer.variant(model, case.layer, pace.lucent_steps)
    return paired(variants, pace.rounds, pace.budget), engine


def rows_of(case: Case, quick: bool) -> list[Row]:
    """Measure one network.

    Args:
        case: The network, its layer and its goals.
        quick: Whether a rough figure is enough.

    Returns:
        A row over each floor, and one of each other tool.
    """
    batch = QUICK_BATCH if quick and case.network in SLOW else BATCH
    pace = QUICK if quick else FULL
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of other tools, and of random weights
        model = lt.load_model(case.network, weights="random", device="cpu")
        costs, engine = measure(model, case, pace, batch)
        first = first_steps(model, case.layer, engine, pace.starts)
    mine = costs["ours"]
    whole = [one + engine.once(one) / LUCENT_STEPS for one in mine]
    where = f"{case.layer}, {batch} pictures, {engine.at_once} computed at once, the network sees {canvas()}"
    row = functools.partial(_row, case, where)
    found = [
        row("floor", "our step over its matching floor", ratios(mine, costs["floor"]), f"<= {case.floor:.2f}", at_most),
        row("plain", "our step over the plain floor", ratios(mine, costs["plain"])),
        row("first", "our steps 2 to 16 over later ones", first, f"<= {FIRST_STEPS:.2f}", at_most),
        row("lucent", "lucent over ours, per picture", ratios(costs["lucent"], whole), f">= {case.lucent:g}", at_least),
        row("lucent-224", "lucent at its own 224 over ours: a choice of size", _shares(costs, "lucent-224", whole)),
    ]
    if case.network == OTHERS_NETWORK:
        found += [row(name, f"{name} over ours, per picture", _shares(costs, name, whole)) for name in PEERS]
    return found


def _shares(costs: dict[str, list[float]], name: str, whole: list[float]) -> list[float]:
    return ratios(costs[name], whole) if name in costs else []


def _row(
    case: Case,
    where: str,
    kind: str,
    what: str,
    values: list[float],
    goal: str = "",
    judge: Callable[[float, list[float]], bool | None] | None = None,
) -> Row:
    met = None if judge is None else judge(float(goal.split()[-1]), values)
    peer = PEERS.get(kind)
    note = where if kind == "floor" else "" if peer is None else peer.told
    skipped = "" if values else LEFT_OUT if peer is None else peer.reason()
    return Row(f"{kind}/{case.network}", what, goal, values, met=met, note=note, skipped=skipped)


GROUPS = {case.network: functools.partial(rows_of, case) for case in CASES}
