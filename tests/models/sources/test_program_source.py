from __future__ import annotations

import warnings
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
from torch import nn

import lucidtorch.models as models
from lucidtorch.base.errors import LucidtorchWarning, UnknownModelError, WeightsError
from lucidtorch.base.trust import trusting
from lucidtorch.models.running.capture import capture
from lucidtorch.models.sources.finding import find


class Net(nn.Module):
    """An inner convolution, a ReLU that is called twice and works in place, and batch norm."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(2, 4, 3, padding=1)
        self.relu = nn.ReLU(inplace=True)
        self.inner = nn.Sequential(nn.Conv2d(4, 5, 3), nn.BatchNorm2d(5))
        self.head = nn.Linear(5, 3)

    def forward(self, images: torch.Tensor) -> torch.Tensor:
        values = self.relu(self.inner(self.relu(self.first(images))))
        return self.head(values.mean(dim=(2, 3)))


@pytest.fixture(autouse=True)
def trusted() -> Iterator[None]:
    """All programs of this module are trusted; `tests/base/test_trust.py` shows those that are not."""
    with trusting():
        yield


@pytest.fixture(scope="module")
def net() -> Net:
    torch.manual_seed(0)
    return Net().eval()


@pytest.fixture(scope="module")
def exported(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("programs") / "net.pt2"
    torch.export.save(torch.export.export(net, (torch.rand(1, 2, 12, 16),)), path)
    return path


@pytest.fixture(scope="module")
def flexible(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("programs") / "flexible.pt2"
    shapes = {"images": dict.fromkeys((0, 2, 3), torch.export.Dim.DYNAMIC)}
    torch.export.save(torch.export.export(net, (torch.rand(2, 2, 12, 16),), dynamic_shapes=shapes), path)
    return path


@pytest.fixture(scope="module")
def scripted(net: Net, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("programs") / "net.pt"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        torch.jit.script(net).save(path)
    return path


def test_an_exported_program_says_its_size_and_that_it_is_fixed(exported: Path) -> None:
    with pytest.warns(LucidtorchWarning, match=r"net\.pt2 was exported for 12x16 pixels .* dynamic_shapes"):
        found = find(str(exported), "default")
    assert (found.name, found.file, found.size_known) == ("net.pt2", exported, True)
    assert (found.convention.channels, found.convention.size, found.convention.stated) == (2, (12, 16), False)


@torch.no_grad()
def test_one_with_dynamic_shapes_takes_other_sizes_without_a_word(flexible: Path, net: Net) -> None:
    found = find(str(flexible), "default")
    assert found.convention.size == (12, 16)
    images = torch.rand(3, 2, 20, 9)
    torch.testing.assert_close(found.module(images), net(images))


def test_inner_layers_of_an_exported_program_are_captured_with_gradients(flexible: Path, net: Net) -> None:
    model = models.load_model(str(flexible), mean=0.0, std=1.0, trust=True)
    assert {"first", "relu@0", "relu@1", "inner.0", "head"} <= set(model.layers)
    images = torch.rand(2, 2, 12, 16)
    gradients = []
    for module in (model.module, net):
        asked = images.clone().requires_grad_(True)
        with capture(module, {"inner.0": model.layers.resolve("inner.0")}) as run:
            run(asked)["inner.0"][:, 3].sum().backward()
        gradients.append(asked.grad)
    torch.testing.assert_close(gradients[0], gradients[1])
    assert gradients[0].abs().sum() > 0


@torch.no_grad()
def test_a_script_gives_its_own_output(scripted: Path, net: Net) -> None:
    found = find(str(scripted), "default")
    assert (found.convention.channels, found.convention.stated, found.size_known) == (2, False, False)
    images = torch.rand(2, 2, 12, 16)
    torch.testing.assert_close(found.module(images), net(images))
    assert [name for name, _ in found.module.named_modules()] == [""]
    model = models.load_model(str(scripted), mean=0.0, size=(12, 16), trust=True)
    torch.testing.assert_close(model.activations(images, "logits")["logits"], net(images))


def test_a_scripts_weights_can_be_frozen_and_its_mode_is_evaluation(scripted: Path, net: Net) -> None:
    module = find(str(scripted), "default").module
    assert sum(weight.numel() for weight in module.parameters()) == sum(weight.numel() for weight in net.parameters())
    assert len(list(module.buffers())) == len(list(net.buffers()))
    assert not module.program.training
    for weight in module.parameters():
        weight.requires_grad_(False)
    images = torch.rand(1, 2, 12, 16, requires_grad=True)
    module(images).sum().backward()
    assert images.grad is not None
    assert all(weight.grad is None for weight in module.parameters())
    assert {value.dtype for value in module.double().parameters()} == {torch.float64}
    assert module(images.double()).dtype == torch.float64


def test_a_script_says_what_to_do_about_its_inner_layers(scripted: Path) -> None:
    assert "torch.export" in find(str(scripted), "default").note


def test_other_weights_are_refused(exported: Path, scripted: Path) -> None:
    for path in (exported, scripted):
        with pytest.raises(WeightsError, match="leave weights='random' out"):
            find(str(path), "random")


def test_files_that_hold_no_network_are_refused(tmp_path: Path, net: Net) -> None:
    torch.save(net.state_dict(), tmp_path / "weights.pt")
    torch.save(net.state_dict(), tmp_path / "weights.pth")
    torch.save(net.state_dict(), tmp_path / "other.pt2")
    (tmp_path / "broken.pt2").write_bytes(b"no program")
    (tmp_path / "broken.pt").write_bytes(b"no program")
    for name, message in (
        ("weights.pt", "no network but weights"),
        ("weights.pth", "no network but weights"),
        ("broken.pt", "no network but weights"),
        ("other.pt2", "broken or no such program"),
        ("broken.pt2", "broken or no such program"),
        ("nowhere.pt2", "There is no file"),
    ):
        with pytest.raises(UnknownModelError, match=message):
            find(str(tmp_path / name), "default")


def test_a_script_cut_short_is_refused(scripted: Path, tmp_path: Path) -> None:
    (tmp_path / "short.pt").write_bytes(scripted.read_bytes()[:-200])
    with pytest.raises(UnknownModelError, match=r"short\.pt"):
        find(str(tmp_path / "short.pt"), "default")


def test_what_takes_no_images_is_refused(tmp_path: Path) -> None:
    torch.export.save(torch.export.export(nn.Linear(3, 2), (torch.rand(4, 3),)), tmp_path / "rows.pt2")
    with pytest.raises(UnknownModelError, match=r"takes \[4, 3\]"):
        find(str(tmp_path / "rows.pt2"), "default")
