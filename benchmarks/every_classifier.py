"""Looks into every classification network of torchvision, with random weights, and writes docs/networks.md.

    python benchmarks/every_classifier.py [NAME ...]

For each network, at the smallest size it takes: are captured activations, bit for bit, what a hook that clones every
output sees on a copy in which nothing works in place; is the network afterwards as it was; do a layer in the middle
and the logits render; does the table list every module that fires?
"""

from __future__ import annotations

import copy
import sys
import time
import warnings
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torchvision
from layouts import HEADING as LAYOUTS
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.base.natural_images import IMAGENET_MEAN, IMAGENET_STD
from lucidtorch.models.running.address import Address
from lucidtorch.models.running.capture import capture
from lucidtorch.models.running.frozen import frozen

PAGE = Path(__file__).resolve().parents[1] / "docs" / "networks.md"
LARGEST = 1024  # pixels, of the sizes that are tried
PATCHES = 4
CHECKS = ("captured", "untouched", "middle layer", "logits", "listed")


@dataclass(frozen=True)
class Verdict:
    """What was found out about one network.

    Args:
        name: Its name.
        size: The smallest side it takes.
        layers: How many layers the table lists.
        repeated: How many modules are called more than once.
        seconds: How long all of it took.
        failures: What did not hold, by the name of the check.
    """

    name: str
    size: int
    layers: int
    repeated: int
    seconds: float
    failures: dict[str, str]

    def row(self) -> str:
        """Write a line of the table."""
        marks = ["pass" if check not in self.failures else f"FAIL: {self.failures[check]}" for check in CHECKS]
        cells = [f"`{self.name}`", str(self.size), str(self.layers), str(self.repeated), *marks]
        return f"| {' | '.join(cells)} |"


def judged(name: str) -> Verdict:
    """Check one network."""
    began = time.perf_counter()
    model = transformer(name) if name.startswith("vit_") else lt.load_model(name, weights="random", device="cpu")
    size = smallest_size(model)
    before = fingerprint(model.module)
    failures: dict[str, str] = {}
    model = lt.Model(
        model.module, model.convention.overridden(size=size), name=name, source=model.source, labels=model.labels
    )
    expected = clones(model.module, model.normalize(pictures(size)))
    note(failures, "captured", lambda: compare(model, expected, size))
    note(failures, "listed", lambda: listed(model, expected))
    middle = middle_layer(model)
    for check, goal in (("middle layer", f"channel({middle!r}, 0)"), ("logits", "logit(7)")):
        note(failures, check, lambda goal=goal: rendered(model, goal, size))
    if fingerprint(model.module) != before:
        failures["untouched"] = "state, flags, hooks or random state differ"
    repeated = len({record.address.partition("@")[0] for record in model.layers.values() if record.calls > 1})
    return Verdict(name, size, len(model.layers), repeated, time.perf_counter() - began, failures)


def classifier_names() -> list[str]:
    """List torchvision's classification networks."""
    return sorted(torchvision.models.list_models(module=torchvision.models))


def transformer(name: str) -> lt.Model:
    """Build a vision transformer, which takes one size only, for images of four patches by four."""
    size = PATCHES * int(name.rpartition("_")[2])
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        network = torchvision.models.get_model(name, weights=None, image_size=size)
    return lt.load_model(network, mean=IMAGENET_MEAN, std=IMAGENET_STD, size=size)


def smallest_size(model: lt.Model) -> int:
    """Find the smallest side that the network takes, trying all from one pixel."""
    return next(size for size in range(1, LARGEST) if model.refusal((size, size)) is None)


def pictures(size: int) -> Tensor:
    """A picture of noise."""
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0))


def clones(module: nn.Module, images: Tensor) -> dict[tuple[str, int], Tensor]:
    """What every call of every module gives, on a copy with every `inplace=False`; tensors only."""
    copied = copy.deepcopy(module).eval()
    seen: dict[tuple[str, int], Tensor] = {}
    calls: Counter[str] = Counter()
    for name, part in copied.named_modules():
        if hasattr(part, "inplace"):
            part.inplace = False

        def take(_: nn.Module, __: Any, output: Any, name: str = name) -> None:
            output = output[0] if isinstance(output, tuple) else output
            seen[name, calls[name]] = output.clone()
            calls[name] += 1

        part.register_forward_hook(take)
    with torch.no_grad():
        copied(images)
    return seen


def compare(model: lt.Model, expected: dict[tuple[str, int], Tensor], size: int) -> None:
    """Capture all layers in one pass, as the table addresses them, without their layouts."""
    raw = {text: Address(one.module, one.call, parts=one.parts) for text, one in addresses(model).items()}
    with torch.no_grad(), frozen(model.module), capture(model.module, raw) as run:
        captured = run(model.normalize(pictures(size)))
    for text, one in raw.items():
        values = expected[one.module, one.call]
        if not torch.equal(captured[text], values):
            raise AssertionError(f"{text} differs by {float((captured[text] - values).abs().max()):.1e}")


def listed(model: lt.Model, expected: dict[tuple[str, int], Tensor]) -> None:
    """Every call that a hook sees has its line."""
    calls = {(place.call.module, place.call.number) for place in model.layers.directory.places.values()}
    missing = [call for call in expected if call not in calls]
    if model.layers.broken or missing:
        raise AssertionError(model.layers.broken or f"missing: {missing[:3]}")


def addresses(model: lt.Model) -> dict[str, Address]:
    """All that the table can be asked for."""
    texts = [text for text, record in model.layers.items() if record.refused is None]
    return {text: model.layers.resolve(text) for text in [*texts, "logits"]}


def middle_layer(model: lt.Model) -> str:
    """The layer in the middle of the table."""
    names = [name for name, record in model.layers.items() if record.channels]
    return names[len(names) // 2]


def rendered(model: lt.Model, goal: str, size: int) -> None:
    """Make two steps; the picture and its values must be made of numbers."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LucidtorchWarning)  # a unit of random weights may well be dead
        made = lt.render(model, goal, param=lt.param.image(size), transforms="identity()", steps=2, progress=False)
    numbers = (made.images, made.values, *made.history.values())
    if made.stopped or made.history["objective"].shape != (1, 2) or not all(one.isfinite().all() for one in numbers):
        raise AssertionError("the picture is not made of numbers")


def fingerprint(module: nn.Module) -> tuple[Any, ...]:
    """All that a look must leave as it was."""
    tensors = {name: (tensor.data_ptr(), tensor._version) for name, tensor in module.state_dict().items()}
    parts = [
        (name, part.training, getattr(part, "inplace", None), len(part._forward_hooks), len(part._forward_pre_hooks))
        for name, part in module.named_modules()
    ]
    weights = [(weight.requires_grad, weight.grad is None) for weight in module.parameters()]
    return tensors, parts, weights, torch.get_rng_state().tolist()


def note(failures: dict[str, str], check: str, run: Any) -> None:
    """Run a check and write down what it says."""
    try:
        run()
    except (lt.LucidtorchError, AssertionError, RuntimeError, ValueError, TypeError, LookupError) as error:
        failures[check] = f"{type(error).__name__}: {str(error).splitlines()[0]}"


def page(verdicts: list[Verdict]) -> str:
    """Write the page."""
    passed = sum(not one.failures for one in verdicts)
    version = torch.__version__.partition("+")[0]
    return "\n".join(
        [
            "# Every classification network of torchvision",
            "",
            f"{passed} of {len(verdicts)} pass every check (torch {version}, CPU), with random",
            "weights, at the smallest size that the network takes (vision transformers, which are built",
            f"for one size, are built for {PATCHES} x {PATCHES} patches):",
            "",
            "- **captured**: every layer's activations are, bit for bit, what a hook that clones each output sees on a",
            "  copy in which nothing works in place;",
            "- **untouched**: state, flags, hooks and the global random state are afterwards as they were;",
            "- **middle layer**, **logits**: a channel of the layer in the middle of the table, and a class, render;",
            "- **listed**: `lucidtorch layers` lists every call of every module.",
            "",
            "`python benchmarks/every_classifier.py` makes this page again; `make test-all` runs the same checks.",
            "",
            f"| network | smallest size | layers | called repeatedly | {' | '.join(CHECKS)} |",
            f"| --- | ---: | ---: | ---: |{' --- |' * len(CHECKS)}",
            *(one.row() for one in verdicts),
            "",
        ]
    )


def main(names: list[str]) -> None:
    """Judge the networks, and write the page where all of them were judged."""
    verdicts = []
    for name in names or classifier_names():
        verdicts.append(judged(name))
        print(f"{verdicts[-1].row()} {verdicts[-1].seconds:.1f} s", flush=True)
    if not names:
        _, heading, others = PAGE.read_text(encoding="utf-8").partition(f"\n{LAYOUTS}")
        PAGE.write_text(page(verdicts) + heading + others, encoding="utf-8")


if __name__ == "__main__":
    main(sys.argv[1:])
