from __future__ import annotations

import copy
import random

import pytest
import torch
from torch import Tensor, nn

import lucidtorch.models as models
from lucidtorch.base.errors import ImageError, SizeError, UnitError, UnknownLabelError, UnknownLayerError


def normalized(images: Tensor) -> Tensor:
    mean, std = torch.tensor([0.5, 0.4, 0.3]).view(1, 3, 1, 1), torch.tensor([0.1, 0.2, 0.3]).view(1, 3, 1, 1)
    return (images - mean) / std


def hooked(net: nn.Module, images: Tensor) -> dict[str, list[Tensor]]:
    """What hooks that clone each output see on a copy in which nothing works in place."""
    net = copy.deepcopy(net).eval()
    found: dict[str, list[Tensor]] = {}
    for name, part in net.named_modules():
        if hasattr(part, "inplace"):
            part.inplace = False
        part.register_forward_hook(lambda _, __, output, name=name: found.setdefault(name, []).append(output.clone()))
    with torch.no_grad():
        net(normalized(images))
    return found


def test_activations_are_what_cloning_hooks_see(model: models.Model) -> None:
    images = torch.rand(2, 3, 12, 15)
    layers = [*model.layers, "logits", "prob", "input"]
    found = model.activations(images, layers)
    expected = hooked(model.module, images)
    assert list(found) == layers
    assert torch.equal(found["input"], images)
    for address in model.layers:
        name, _, call = address.partition("@")
        torch.testing.assert_close(found[address], expected[name][int(call or 0)])
    torch.testing.assert_close(found["logits"], expected[""][0])
    torch.testing.assert_close(found["prob"], expected[""][0].exp() / expected[""][0].exp().sum(dim=1, keepdim=True))
    assert not any(values.requires_grad for values in found.values())


def test_one_address_may_be_given_alone(model: models.Model) -> None:
    assert list(model.activations(torch.rand(1, 3, 8, 8), "block")) == ["block"]


def test_images_are_brought_to_the_networks_type(small: nn.Module) -> None:
    model = models.load_model(small.double(), mean=0.0, size=8)
    assert model.dtype == torch.float64
    assert model.activations(torch.rand(1, 3, 8, 8), "head")["head"].dtype == torch.float64


@pytest.mark.parametrize(
    ("images", "layers", "error"),
    [
        (torch.rand(1, 1, 8, 8), ["head"], ImageError),
        (torch.zeros(1, 3, 8, 8, dtype=torch.uint8), ["head"], ImageError),
        (torch.rand(1, 3, 8, 8), ["haed"], UnknownLayerError),
    ],
)
def test_bad_input_is_refused(model: models.Model, images: Tensor, layers: list[str], error: type[Exception]) -> None:
    with pytest.raises(error):
        model.activations(images, layers)


class Restless(nn.Module):
    """Draws random numbers, counts in buffers, and normalizes by the batch in train mode."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.BatchNorm2d(3)
        self.drop = nn.Dropout(0.5)
        self.register_buffer("added", torch.zeros(1))
        self.register_buffer("replaced", torch.zeros(1))

    def forward(self, images: Tensor) -> Tensor:
        self.added += 1
        self.replaced = self.replaced + 1
        noise = torch.rand_like(images) + torch.rand(1)
        if images.shape[-1] < 4:
            raise ValueError("too small for this network")
        return self.drop(self.norm(images + noise)).mean(dim=(2, 3))


def state_of(net: nn.Module) -> tuple[object, ...]:
    tensors = {name: (id(value), value.tolist()) for name, value in net.state_dict(keep_vars=True).items()}
    flags = [(part.training, len(part._forward_hooks), len(part._forward_pre_hooks)) for part in net.modules()]
    grads = [(weight.requires_grad, weight.grad) for weight in net.parameters()]
    return tensors, flags, grads, torch.get_rng_state().tolist(), random.getstate()


def test_looking_leaves_no_mark() -> None:
    net = Restless().train()
    net.drop.eval()
    net.norm.weight.requires_grad_(False)
    before = state_of(net)
    model = models.load_model(net, mean=0.0)
    assert model.layers.broken is None
    model.check_images(3, (8, 8))
    with pytest.raises(SizeError):
        model.check_images(3, (2, 2))
    with pytest.raises(UnknownLayerError):
        model.activations(torch.rand(1, 3, 8, 8, generator=torch.Generator()), "none")
    assert state_of(net) == before


def test_the_dry_run_happens_once(small: nn.Module) -> None:
    calls = []
    small.register_forward_pre_hook(lambda *_: calls.append(1))
    model = models.load_model(small, mean=0.0, size=16)
    assert calls == []
    for _ in range(3):
        assert "head" in model.layers
    assert calls == [1]


class Interrupting(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        raise KeyboardInterrupt


def test_an_interrupt_passes_through() -> None:
    net = Interrupting()
    with pytest.raises(KeyboardInterrupt):
        _ = models.load_model(net, mean=0.0, channels=3).layers
    assert net.training
    assert not net._forward_hooks


def test_sizes_that_the_network_takes_pass(model: models.Model) -> None:
    for size in ((1, 1), (7, 300)):
        model.check_images(3, size)


def test_a_size_too_small_is_refused_with_one_that_works() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 11), nn.MaxPool2d(2), nn.Conv2d(2, 2, 5), nn.AdaptiveAvgPool2d(1))
    model = models.load_model(net, mean=0.0, size=64)
    model.check_images(1, (20, 20))
    with pytest.raises(SizeError, match=r"cannot take 12x19 pixels.*The smallest size tried that works is 32x32"):
        model.check_images(1, (12, 19))
    model.check_images(1, (12, 19), layers=["1", "input"])
    with pytest.raises(SizeError, match="from 1"):
        model.check_images(1, (0, 5))


def test_a_fixed_size_is_named() -> None:
    net = nn.Sequential(nn.Conv2d(3, 2, 3), nn.Flatten(), nn.Linear(2 * 18 * 28, 4))
    model = models.load_model(net, mean=0.0, size=(20, 30))
    with pytest.raises(SizeError, match=r"cannot take 64x64 pixels.*works is 20x30"):
        model.check_images(3, (64, 64))


def test_another_number_of_channels_is_refused(model: models.Model) -> None:
    with pytest.raises(ImageError, match="takes images of 3 channels, but images of 1 were given"):
        model.check_images(1, (16, 16))


@pytest.mark.parametrize("side", [28, 32, 64, 224])
def test_the_size_of_a_fixed_head_is_found(side: int) -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.ReLU(), nn.Flatten(), nn.Linear(2 * (side - 2) ** 2, 10))
    model = models.load_model(net, mean=0.0)
    assert model.convention.size == (side, side)
    assert model.layers.broken is None
    assert model.layers["logits"].shape == (10,)


@pytest.mark.parametrize(("features", "channels", "side"), [(784, 1, 28), (3072, 3, 32)])
def test_dense_networks_tell_their_input(features: int, channels: int, side: int) -> None:
    convention = models.load_model(nn.Sequential(nn.Flatten(), nn.Linear(features, 10)), mean=0.0).convention
    assert (convention.channels, convention.size) == (channels, (side, side))


def test_labels_find_classes(model: models.Model) -> None:
    assert model.labels == ["a", "b", "c", "d", "e"]
    assert [model.label_index(label) for label in ("c", "E", 0)] == [2, 4, 0]
    with pytest.raises(UnitError, match="it has 5, 0 to 4"):
        model.label_index(5)
    with pytest.raises(UnknownLabelError):
        model.label_index("f")


def test_device_and_repr(model: models.Model) -> None:
    assert model.device == torch.device("cpu")
    assert repr(model) == "<Model Small on cpu>"
