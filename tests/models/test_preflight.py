"""What will go wrong with a network is said before it does, each in a sentence with what to write instead."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.models.preflight import expectation, findings


def as_model(module: nn.Module, **words: Any) -> lt.Model:
    return lt.load_model(module, **({"mean": 0.0, "std": 1.0, "size": 32} | words))


def plain(channels: int = 3) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(channels, 4, 3), nn.ReLU(), nn.Conv2d(4, 4, 3))


class Bent(nn.Module):
    """Two convolutions `a` and `b`, and what `bend` makes of them."""

    def __init__(self, bend: Callable[[nn.Module, Tensor], Any], **parts: nn.Module) -> None:
        super().__init__()
        self.a, self.b, self.relu = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3), nn.ReLU()
        for name, part in parts.items():
            self.add_module(name, part)
        self._bend = bend

    def forward(self, images: Tensor) -> Any:
        return self._bend(self, images)


class Pair(nn.Module):
    """Gives a list of two."""

    def forward(self, values: Tensor) -> list[Tensor]:
        return [values, values.mean((2, 3))]


class Tokens(nn.Module):
    """Patches of 8 pixels behind a class token, `[B, 1 + N, C]`."""

    def __init__(self) -> None:
        super().__init__()
        self.patches, self.norm = nn.Conv2d(3, 6, 8, stride=8), nn.LayerNorm(6)
        self.first = nn.Parameter(torch.zeros(1, 1, 6))

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        return self.norm(torch.cat([self.first.expand(len(images), -1, -1), tokens], 1))


def bend(network: Any, images: Tensor) -> Tensor:
    return network.b(network.relu(network.a(images)))


def raising(network: Any, images: Tensor) -> Tensor:
    network.a(images)
    raise RuntimeError("no more!\nand more")


def fixed(network: Any, images: Tensor) -> Tensor:
    if images.shape[-1] != 32:
        raise ValueError("only 32")
    return bend(network, images)


def single(network: Any, images: Tensor) -> Tensor:
    if len(images) != 1:
        raise ValueError("one only")
    return bend(network, images)


def again(network: Any, images: Tensor) -> Tensor:
    return network.relu(network.relu(network.b(network.relu(network.a(images)))))


def parted(network: Any, images: Tensor) -> Tensor:
    return network.pair(bend(network, images))[0]


def keyed(network: Any, images: Tensor) -> dict[str, Tensor]:
    return {"one": bend(network, images), "two": images}


def functional(network: Any, images: Tensor) -> Tensor:
    return F.relu(network.b(F.relu(network.a(images))))


CASES: dict[str, tuple[Callable[[], lt.Model], str]] = {
    "raises": (
        lambda: as_model(Bent(raising)),
        r"The table ends early: at 32 x 32 pixels the network raises RuntimeError: no more\. The layers before can be "
        r"used; if the size is wrong, say what it was made for with size= \(--input-size\)\.",
    ),
    "fixed size": (
        lambda: as_model(Bent(fixed)),
        r"fixed size, 32 x 32: at 64 x 64 it raises ValueError: only 32\. .*crop_or_pad_to\(32, 32\)",
    ),
    "one at a time": (lambda: as_model(Bent(single)), r"one image at a time: leave batch out.*--batch 1"),
    "no labels": (
        lambda: as_model(nn.Sequential(plain(), nn.Flatten(), nn.Linear(4 * 28 * 28, 5)), size=32),
        r"Its 5 classes go by number, such as logit\(0\).*--labels FILE",
    ),
    "too few labels": (
        lambda: as_model(nn.Sequential(plain(), nn.AdaptiveMaxPool2d(1), nn.Flatten()), labels=["a", "b"]),
        "4 classes and 2 labels",
    ),
    "called again": (lambda: as_model(Bent(again)), r"1 layer is called several times.*: relu@0 to @2\."),
    "a list": (
        lambda: as_model(Bent(parted, pair=Pair())),
        r"1 layer cannot be a target \(pair gives a list of 2\); name a part of one, such as pair\[0\],",
    ),
    "a dict": (
        lambda: as_model(Bent(keyed)),
        r"The network gives a dict with the keys 'one', 'two'.*such as output\[one\], or say with output= which",
    ),
    "silent": (
        lambda: as_model(Bent(bend, head=nn.Linear(4, 2))),
        r"1 part of it never fires and cannot be a target: heads for training alone.*\(head\)\.",
    ),
    "functional": (lambda: as_model(Bent(functional)), r"No activation function of it is a module.*--trace"),
    "tokens": (lambda: as_model(Tokens()), r"1 layer holds class or register tokens .*\(1 in norm\).*norm\[tokens\]"),
    "layout": (lambda: as_model(Tokens()), r"1 layer has its channels in another place.*\(B 1\+\(H W\) C\)"),
    "range": (lambda: as_model(plain(), mean=406.0), "406"),
}


@pytest.mark.filterwarnings("ignore::lucidtorch.base.errors.LucidtorchWarning")
@pytest.mark.parametrize("case", CASES)
def test_it_is_found(case: str) -> None:
    make, said = CASES[case]
    found = findings(make())
    assert [one for one in found if re.search(said, one)], found
    assert all("\n" not in one and one.endswith(".") and not one[0].islower() for one in found)


def test_nothing_is_found_where_all_is_well(demo: lt.Model) -> None:
    assert findings(demo) == []
    assert findings(as_model(plain())) == []


def test_each_thing_is_found_only_where_it_is() -> None:
    """A network with one oddity has one finding."""
    for case in ("fixed size", "one at a time", "called again", "a dict", "silent"):
        make, said = CASES[case]
        (found,) = findings(make())
        assert re.search(said, found)


def test_the_network_is_as_it_was(fingerprint: Callable[[nn.Module], dict[str, object]]) -> None:
    module = Bent(again)
    module.train()
    before = fingerprint(module)
    findings(as_model(module))
    assert fingerprint(module) == before


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            {},
            "3 channels (RGB), 32 x 32 pixels, range 0,1, mean 0, std 1 (stated)",
        ),
        (
            {"channels": 1, "size": (20, 24), "mean": 0.5},
            "1 channel, 20 x 24 pixels, range 0,1, mean 0.5, std 1 (stated)",
        ),
        (
            {"channel_order": "bgr", "mean": (104, 117, 123), "value_range": (0, 255)},
            "3 channels (BGR), 32 x 32 pixels, range 0,255, mean 104,117,123, std 1 (stated)",
        ),
        (
            {"channels": 7, "size": (8, 16, 16)},
            "7 channels, 8 x 16 x 16 pixels, range 0,1, mean 0, std 1 (stated)",
        ),
    ],
)
def test_what_a_network_expects_is_a_line(words: dict[str, Any], said: str) -> None:
    assert expectation(as_model(nn.Identity(), **words)) == said


def test_a_guess_is_called_one() -> None:
    with pytest.warns(LucidtorchWarning, match="does not say"):
        model = lt.load_model(plain(), size=32)
    assert expectation(model).endswith("(a guess)")


def test_resnet50_names_its_calls() -> None:
    model = lt.load_model("resnet50", weights="random", device="cpu", size=64)
    (found,) = findings(model)
    assert found.startswith("16 layers are called several times; write which call you mean: layer1.0.relu@0 to @2, ")
    assert found.endswith(" and 13 more.")


@pytest.mark.slow
def test_vit_has_tokens_and_a_fixed_size() -> None:
    found = findings(lt.load_model("vit_b_16", weights="random", device="cpu"))
    for said in ("fixed size, 224 x 224", "B 1+(H W) C", "class or register tokens", "out_proj"):
        assert [one for one in found if said in one]
