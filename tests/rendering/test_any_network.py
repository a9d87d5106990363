"""One line renders a unit of any network: other channels, other sizes, other axes, more inputs, other outputs."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from cifar_network import MEAN, STD, pretrained
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, LucidtorchWarning, UnknownLayerError
from lucidtorch.recipes.pictures import rerun

STEPS = 8


def rises(made: lt.Rendering) -> bool:
    """Whether the objective of every picture is higher at the end than it was at the start."""
    history = made.history["objective"]
    return bool((history[:, -1] > history[:, 0]).all())


def plain(module: nn.Module, **words: Any) -> lt.Model:
    return lt.load_model(module, mean=0.0, std=1.0, **words)


def seeded(build: Callable[[], nn.Module]) -> nn.Module:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        return build().eval()


def test_one_channel(tmp_path: Path) -> None:
    made = lt.render("digits", "logit(3)", steps=STEPS, progress=False)
    assert made.images.shape == (1, 1, *lt.load_model("digits").convention.size)
    assert rises(made)
    made.save(tmp_path / "digit.png")
    assert torch.equal(rerun(tmp_path / "digit.png").images, made.images)


def test_seven_bands(tmp_path: Path) -> None:
    net = seeded(lambda: nn.Sequential(nn.Conv2d(7, 8, 3), nn.ReLU(inplace=True), nn.Conv2d(8, 4, 3)))
    with pytest.warns(LucidtorchWarning, match="with 7 channels"):
        made = lt.render(net, "2:1", param=lt.param.image((24, 31), channels=7), steps=STEPS, progress=False)
    assert made.images.shape == (1, 7, 24, 31)
    assert rises(made)
    assert made.save(tmp_path / "bands.png").stat().st_size > 0


def test_thirty_two_pixels(test_data: Path) -> None:
    model = lt.load_model(pretrained(test_data), mean=MEAN, std=STD, size=32)
    made = lt.render(model, "logit([0, 3])", steps=32, progress=False)
    assert made.images.shape == (2, 3, 32, 32)
    scores = model.activations(made.images, "logits")["logits"]
    assert scores.argmax(1).tolist() == [0, 3]


def test_a_mask_is_held_and_the_picture_made() -> None:
    net = seeded(lambda: nn.Sequential(nn.Conv2d(4, 8, 3, padding=1), nn.ReLU(), nn.Conv2d(8, 3, 3)))
    mask = torch.zeros(24, 24)
    mask[6:18, 6:18] = 1
    param = lt.param.image(24, channels=4, hold={3: mask})
    made = lt.render(plain(net, size=24), "2:1", param=param, steps=STEPS, progress=False)
    assert torch.equal(made.images[0, 3], mask)
    assert made.images[0, :3].std() > 0
    assert rises(made)


class Siamese(nn.Module):
    """Two pictures through one stem, and the difference of what it makes of them."""

    def __init__(self) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 6, 3)
        self.head = nn.Conv2d(6, 4, 1)

    def forward(self, left: Tensor, right: Tensor) -> Tensor:
        return self.head((self.stem(left) - self.stem(right)).abs())


def test_two_inputs() -> None:
    net = seeded(Siamese)
    other = torch.rand(1, 3, 20, 20, generator=torch.Generator().manual_seed(1))
    model = plain(net, size=20, inputs={"right": other})
    made = lt.render(
        model, "head:2", param=lt.param.image(20, batch=2), transforms="identity()", steps=STEPS, progress=False
    )
    assert rises(made)
    with torch.no_grad():
        expected = net(made.images, other.expand(2, -1, -1, -1))[:, 2].mean((1, 2))
    assert torch.allclose(made.values, expected, atol=1e-6)
    assert {"stem@0", "stem@1"} <= set(model.layers)
    with pytest.raises(BadInputError, match=r"needs 'right' beside the images.*inputs="):
        plain(net, size=20)


class Volumes(nn.Module):
    """A convolution over volumes, in the manner of a scan of a body."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(2, 5, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.deep = nn.Conv3d(5, 4, 3, stride=2)
        self.head = nn.Linear(4, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.head(self.deep(self.relu(self.conv(images))).mean((2, 3, 4)))


def test_volumes(tmp_path: Path) -> None:
    net = seeded(Volumes)
    model = plain(net, size=(8, 12, 14))
    assert model.layers["deep"].shape == (4, 3, 5, 6)
    made = lt.render(model, "deep:1", transforms="identity()", steps=STEPS, progress=False)
    assert made.images.shape == (1, 2, 8, 12, 14)
    assert rises(made)
    with torch.no_grad():
        expected = net.deep(net.relu(net.conv(made.images)))[:, 1].mean((1, 2, 3))  # type: ignore[operator]
    assert torch.allclose(made.values, expected, atol=1e-6)
    one = lt.render(model, "neuron('deep', 1, x=0, y=4, t=2)", steps=STEPS, transforms="identity()", progress=False)
    with torch.no_grad():
        values = net.deep(net.relu(net.conv(one.images)))[:, 1, 2, 4, 0]  # type: ignore[operator]
    assert torch.allclose(one.values, values, atol=1e-6)
    moved = lt.render(model, "logit(2)", steps=STEPS, progress=False)  # the standard pipeline, on every slice alike
    assert moved.recipe["canvas"] == [8, 36, 38]
    assert moved.save(tmp_path / "volume.gif").stat().st_size > 0


@dataclass
class Prediction:
    """An output class of a network's own."""

    logits: Tensor
    loss: Tensor | None = None


class Answering(nn.Module):
    """Gives its answer in a way of the caller's choice."""

    def __init__(self, answer: Callable[[Tensor, Tensor], Any]) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 5, 3)
        self.answer = answer

    def forward(self, images: Tensor) -> Any:
        values = self.conv(images)
        return self.answer(values, values.mean((2, 3)))


@pytest.mark.parametrize(
    ("answer", "address"),
    [
        (lambda maps, scores: (scores, maps), "logits"),
        (lambda maps, scores: {"out": maps, "aux": scores}, "output"),
        (lambda maps, scores: {"features": maps}, "output"),
        (lambda maps, scores: {"logits": scores, "maps": maps}, "logits"),
        (lambda maps, scores: Prediction(logits=scores), "logits"),
        (lambda maps, scores: [maps, scores], "output[0]"),
        (lambda maps, scores: [maps, scores], "output[1]"),
        (lambda maps, scores: {"a": {"b": maps}, "c": scores}, "output[a][b]"),
    ],
)
def test_outputs_that_are_no_tensor(answer: Any, address: str) -> None:
    net = seeded(lambda: Answering(answer))
    made = lt.render(
        plain(net, size=16), f"channel({address!r}, 2)", transforms="identity()", steps=STEPS, progress=False
    )
    with torch.no_grad():
        expected = net.conv(made.images)[:, 2].mean((1, 2))  # type: ignore[operator]
    assert torch.allclose(made.values, expected, atol=1e-6)
    assert rises(made)


def test_an_output_of_several_tensors_must_be_named() -> None:
    net = Answering(lambda maps, scores: {"a": maps, "b": scores})
    with pytest.raises(UnknownLayerError, match=r"keys 'a', 'b'.*one of 'output\[a\]', 'output\[b\]'"):
        lt.render(plain(net, size=16), "output:2", steps=2, progress=False)
    named = plain(net, size=16, output="b")
    assert rises(lt.render(named, "logit(2)", steps=STEPS, progress=False))


def test_a_module_is_an_address() -> None:
    net = seeded(Volumes)
    model = plain(net, size=(4, 12, 12))
    by_module = lt.render(model, lt.objectives.channel(net.deep, 1), steps=2, progress=False)  # type: ignore[arg-type]
    by_name = lt.render(model, "deep:1", steps=2, progress=False)
    assert torch.equal(by_module.images, by_name.images)
    assert by_module.recipe["objective"] == "channel('deep', 1)"
    with pytest.raises(UnknownLayerError, match="no part of"):
        lt.render(model, lt.objectives.channel(nn.Conv2d(1, 1, 1), 1), steps=2, progress=False)  # type: ignore[arg-type]


def test_every_call_of_a_module_is_another_layer() -> None:
    model = lt.load_model("resnet50", weights="random", device="cpu")
    traced = lt.load_model("resnet50", weights="random", device="cpu", trace=True)
    images = torch.rand(1, 3, 64, 64)
    calls = [f"layer1.0.relu@{call}" for call in range(3)]
    nodes = ["layer1.0.relu", "layer1.0.relu_1", "layer1.0.relu_2"]
    found = [model.activations(images, call)[call] for call in calls]
    expected = [traced.activations(images, node)[node] for node in nodes]
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)
    assert not torch.equal(found[0], found[1])
    assert found[1].shape != found[2].shape
    with pytest.raises(UnknownLayerError, match=r"calls 'layer1.0.relu' 3 times: .*relu@0', .*relu@1', .*relu@2'"):
        lt.render(model, "layer1.0.relu:3", steps=2, progress=False)
    made = lt.render(traced, "layer1.0.add:3", param=lt.param.image(48), steps=2, progress=False)
    assert made.recipe["objective"] == "channel('layer1.0.add', 3)"


@pytest.mark.parametrize(("side", "shown"), [(32, 32), (224, 224)])
@pytest.mark.parametrize("said", [{"mean": 0.0}, {"mean": 0.0, "size": 0}])
def test_a_network_of_one_size_gets_pictures_of_that_size(side: int, shown: int, said: dict[str, Any]) -> None:
    net = seeded(lambda: nn.Sequential(nn.Conv2d(3, 2, 8, stride=8), nn.Flatten(), nn.Linear(2 * (side // 8) ** 2, 3)))
    words = said | ({"size": side} if "size" in said else {})
    made = lt.render(lt.load_model(net, **words), "logit(1)", steps=3, progress=False)
    assert made.images.shape == (1, 3, shown, shown)
    assert made.recipe["canvas"] == [side, side]


def test_a_network_of_any_size_gets_pictures_of_the_usual_one() -> None:
    net = seeded(lambda: nn.Sequential(nn.Conv2d(3, 2, 3, stride=4), nn.ReLU(), nn.Conv2d(2, 2, 3)))
    made = lt.render(lt.load_model(net, mean=0.0), "2:1", steps=2, progress=False)
    assert made.images.shape == (1, 3, 128, 128)
    assert made.recipe["canvas"] == [152, 152]
