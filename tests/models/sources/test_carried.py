"""Networks that a program built state what timm and Hugging Face wrote into them, also inside of wrappers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel

import lucidtorch as lt
from lucidtorch.models.inputs.convention import InputConvention

timm = pytest.importorskip("timm", reason="timm is an optional extra")
transformers = pytest.importorskip("transformers", reason="transformers is an optional extra")

MEAN, STD, SIDE = (0.1, 0.2, 0.3), (0.4, 0.5, 0.6), 48


class Training(nn.Module):
    """As modules for training are: the network, a loss, and a forward that hands its input on."""

    def __init__(self, net: nn.Module) -> None:
        super().__init__()
        self.net, self.loss = net, nn.CrossEntropyLoss()

    def forward(self, batch: Tensor) -> Tensor:
        given: Tensor = self.net(batch)
        return given


class Normalizing(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        return (images - 0.5) / 0.25


class Both(nn.Module):
    """Two networks that see the same images."""

    def __init__(self, first: nn.Module, second: nn.Module) -> None:
        super().__init__()
        self.first, self.second = first, second

    def forward(self, images: Tensor) -> Tensor:
        given: Tensor = self.first(images) + self.second(images)
        return given


def of_timm(mean: tuple[float, ...] = MEAN, **words: object) -> nn.Module:
    overlay = {"mean": mean, "std": STD, "input_size": (3, SIDE, SIDE), "fixed_input_size": False}
    module: nn.Module = timm.create_model("resnet10t", pretrained_cfg_overlay=overlay, **words)
    return module


WRAPPERS: dict[str, Callable[[nn.Module], nn.Module]] = {
    "itself": lambda module: module,
    "data parallel": nn.DataParallel,
    "ModelEmaV2": lambda module: timm.utils.ModelEmaV2(module),
    "ModelEmaV3": lambda module: timm.utils.ModelEmaV3(module),
    "AveragedModel": AveragedModel,
    "compiled": torch.compile,
    "for training": Training,
    "for training, compiled inside": lambda module: Training(torch.compile(module)),
    "for training, compiled": lambda module: torch.compile(Training(module)),
    "several": lambda module: nn.DataParallel(Training(module)),
}
each_wrapper = pytest.mark.parametrize("wrap", WRAPPERS.values(), ids=WRAPPERS)


def loaded(module: nn.Module) -> InputConvention:
    return lt.load_model(module, device="cpu").convention


@each_wrapper
def test_what_timm_wrote_is_read(wrap: Callable[[nn.Module], nn.Module]) -> None:
    model = lt.load_model(wrap(of_timm().eval()), device="cpu")  # a guess would be warned of, and fail
    found = model.convention
    assert (found.mean, found.std, found.size, found.stated) == (MEAN, STD, (SIDE, SIDE), True)
    assert model.labels is not None
    assert model.labels[292] == "tiger, Panthera tigris"


def test_activations_are_of_normalized_images() -> None:
    module = of_timm().eval()
    images = torch.rand(2, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(0))
    by_hand = (images - torch.tensor(MEAN)[:, None, None]) / torch.tensor(STD)[:, None, None]
    given = lt.load_model(nn.DataParallel(module), device="cpu").activations(images, "logits")["logits"]
    with torch.no_grad():
        torch.testing.assert_close(given, module(by_hand), rtol=1e-4, atol=1e-5)


def test_a_network_that_normalizes_itself_says_nothing_by_what_is_inside() -> None:
    with pytest.warns(UserWarning, match="does not say what input it expects"):
        found = lt.load_model(nn.Sequential(Normalizing(), of_timm().eval()), device="cpu")
    assert (found._given.mean, found._given.std) == ((0.0,) * 3, (1.0,) * 3)


def test_networks_that_say_different_things_say_nothing_and_those_that_agree_do() -> None:
    assert loaded(Both(of_timm().eval(), of_timm().eval())).mean == MEAN
    with pytest.warns(UserWarning, match="does not say what input it expects"):
        lt.load_model(Both(of_timm().eval(), of_timm((0.9, 0.9, 0.9)).eval()), device="cpu")


def test_the_size_and_the_channels_are_those_it_was_built_with() -> None:
    found = loaded(timm.create_model("test_vit", img_size=64).eval())
    assert (found.size, found.mean) == ((64, 64), (0.5,) * 3)
    with pytest.warns(UserWarning, match="does not say what input it expects"):
        grey = lt.load_model(of_timm(in_chans=1).eval(), device="cpu").convention
    assert (grey.channels, grey.size, grey.stated) == (1, (SIDE, SIDE), False)


@pytest.mark.parametrize("name", ["tresnet_m", "csatv2"])
def test_the_channels_are_those_of_the_image_where_blocks_of_it_become_channels_first(name: str) -> None:
    module = timm.create_model(name).eval()
    first = next(part for part in module.modules() if isinstance(part, nn.Conv2d))
    found = loaded(module)
    assert first.in_channels > 3
    assert (found.channels, found.stated) == (3, True)
    assert found.size == tuple(module.pretrained_cfg["input_size"][1:])


def test_so_they_are_with_other_channels_and_where_the_first_convolution_was_replaced() -> None:
    with pytest.warns(UserWarning, match="does not say what input it expects"):
        assert loaded(timm.create_model("tresnet_m", in_chans=1).eval()).channels == 1
    replaced = of_timm().eval()
    replaced.conv1[0] = nn.Conv2d(2, replaced.conv1[0].out_channels, 3, 2, 1)  # type: ignore[index, union-attr]
    with pytest.warns(UserWarning, match="does not say what input it expects"):
        assert loaded(replaced).channels == 2


def test_the_callers_own_words_come_first() -> None:
    found = lt.load_model(of_timm().eval(), device="cpu", mean=0, std=1).convention
    assert (found.mean, found.std, found.size) == ((0.0,) * 3, (1.0,) * 3, (SIDE, SIDE))


def hugging_face(folder: Path | None) -> nn.Module:
    names = {0: "cat", 1: "dog", 2: "owl"}
    config = transformers.ResNetConfig(
        embedding_size=8, hidden_sizes=[8, 8], depths=[1, 1], layer_type="basic", num_channels=3, id2label=names
    )
    module = transformers.ResNetForImageClassification(config).eval()
    if folder is None:
        return module
    module.save_pretrained(folder)
    size = {"height": SIDE, "width": SIDE}
    transformers.ViTImageProcessor(image_mean=list(MEAN), image_std=list(STD), size=size).save_pretrained(folder)
    saved: nn.Module = transformers.ResNetForImageClassification.from_pretrained(folder)
    return saved


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::FutureWarning")
@pytest.mark.parametrize("wrap", [WRAPPERS["itself"], WRAPPERS["data parallel"]], ids=["itself", "data parallel"])
def test_what_hugging_face_wrote_is_read(wrap: Callable[[nn.Module], nn.Module], tmp_path: Path) -> None:
    model = lt.load_model(wrap(hugging_face(tmp_path / "net")), device="cpu")
    found = model.convention
    assert (found.mean, found.std, found.size, found.stated) == (MEAN, STD, (SIDE, SIDE), True)
    assert model.labels == ["cat", "dog", "owl"]


def test_without_a_processor_the_names_are_known_and_the_numbers_a_guess() -> None:
    with pytest.warns(UserWarning, match="does not say what input it expects"):
        model = lt.load_model(hugging_face(None), device="cpu")
    assert model.labels == ["cat", "dog", "owl"]
    assert not model.convention.stated
