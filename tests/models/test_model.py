from __future__ import annotations

import copy
import random

import pytest
import torch
from torch import Tensor, nn

import lucidtorch as lt
import lucidtorch.models as models
from lucidtorch.base.errors import BadInputError, ImageError, UnitError, UnknownLabelError, UnknownLayerError


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
    assert model.refusal((8, 8)) is None
    assert "too small" in str(model.refusal((2, 2)))
    with pytest.raises(UnknownLayerError):
        model.activations(torch.rand(1, 3, 8, 8, generator=torch.Generator()), "none")
    assert state_of(net) == before


def test_the_dry_runs_happen_once(small: nn.Module) -> None:
    """One at another size, and one that is noted."""
    calls = []
    small.register_forward_pre_hook(lambda *_: calls.append(1))
    model = models.load_model(small, mean=0.0, size=16)
    assert calls == []
    for _ in range(3):
        assert "head" in model.layers
    assert calls == [1, 1]


class Interrupting(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        raise KeyboardInterrupt


def test_an_interrupt_passes_through() -> None:
    net = Interrupting()
    with pytest.raises(KeyboardInterrupt):
        _ = models.load_model(net, mean=0.0, channels=3).layers
    assert net.training
    assert not net._forward_hooks


def test_a_refusal_is_the_networks_own_reason() -> None:
    net = nn.Sequential(nn.Conv2d(1, 2, 11), nn.MaxPool2d(2), nn.Conv2d(2, 2, 5), nn.AdaptiveAvgPool2d(1))
    model = models.load_model(net, mean=0.0, size=64)
    assert model.refusal((20, 20)) is None
    assert "Kernel size can't be greater" in str(model.refusal((12, 19)))


class OneAtATime(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 2, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(images.reshape(1, 3, 16, 16)).mean((2, 3))


def test_a_network_for_one_image_is_known_as_such() -> None:
    model = models.load_model(OneAtATime(), mean=0.0, size=16)
    assert model.layers["conv"].shape == (2, 14, 14)
    assert not model.takes_batches
    assert models.load_model(nn.Conv2d(3, 2, 3), mean=0.0, size=16).takes_batches


def test_modules_are_addresses_too(model: models.Model) -> None:
    first = model.module.get_submodule("first")
    assert model.layers[first] == model.layers["first"]
    images = torch.rand(1, 3, 16, 16)
    found = model.activations(images, [first, "first", "input"])
    assert list(found) == ["first", "input"]
    assert torch.equal(found["first"], model.activations(images, first)["first"])
    with pytest.raises(UnknownLayerError, match="Conv2d is no part of"):
        _ = model.layers[nn.Conv2d(1, 1, 1)]


@pytest.mark.parametrize(("output", "shape"), [("b", (4, 14, 14)), (lambda found: found["a"] * 2, (2,))])
def test_the_owner_says_which_output_is_meant(output: object, shape: tuple[int, ...]) -> None:
    class Two(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 4, 3)

        def forward(self, images: Tensor) -> dict[str, Tensor]:
            values = self.conv(images)
            return {"a": values.mean((2, 3))[:, :2], "b": values}

    net = Two()
    model = models.Model(net, models.InputConvention(size=(16, 16)), name="Two", output=output)  # type: ignore[arg-type]
    images = torch.rand(2, 3, 16, 16)
    given = net(images)
    expected = given["b"] if output == "b" else given["a"] * 2
    assert model.layers["output"].shape == shape
    assert torch.equal(model.activations(images, "output")["output"], expected)
    assert torch.equal(model.activations(images, "output[b]")["output[b]"], given["b"])
    with pytest.raises(UnknownLayerError, match=r"write which part is meant, one of 'output\[a\]', 'output\[b\]'"):
        models.Model(net, models.InputConvention(size=(16, 16)), name="Two").layers.resolve("output")
    with pytest.raises(BadInputError, match=r"has no part \[c\].*keys 'a', 'b'"):
        _ = models.Model(net, models.InputConvention(size=(16, 16)), name="Two", output="c").layers


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


def test_images_that_are_no_tensor_are_refused(model: models.Model) -> None:
    with pytest.raises(ImageError, match=r"takes a tensor, but \[\[1\.0\]\] was given"):
        model.activations([[1.0]], "first")  # type: ignore[arg-type]


def test_the_units_of_heads_bear_the_names_of_their_classes(demo: models.Model) -> None:
    lines = lt.load_model("lines")
    assert lines.classes_of("angle") == ("lying", "rising", "upright", "falling")
    assert lines.classes_of("trunk.conv1") == ()
    assert demo.classes_of("logits") == demo.classes_of(demo.layers["logits"].address) == tuple(demo.labels or ())
