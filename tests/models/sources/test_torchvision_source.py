from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import nn
from torchvision import models as torchvision_models

from lucidtorch.base.errors import UnknownModelError, WeightsError
from lucidtorch.models.sources.finding import find
from lucidtorch.models.sources.torchvision_source import torchvision_names

IMAGENET_MEAN, KINETICS_MEAN = (0.485, 0.456, 0.406), (0.43216, 0.394666, 0.37645)
DETECTOR = "fasterrcnn_mobilenet_v3_large_320_fpn"


@pytest.fixture(autouse=True)
def no_downloads(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: object, **kwargs: object) -> None:
        pytest.fail("nothing is to be downloaded")

    monkeypatch.setattr("torch.hub.download_url_to_file", refuse)


def equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_all_kinds_that_take_one_image_or_clip_are_listed() -> None:
    kinds = (torchvision_models, *(getattr(torchvision_models, one) for one in ("segmentation", "detection", "video")))
    expected = {name for kind in kinds for name in torchvision_models.list_models(module=kind)}
    assert set(torchvision_names()) == expected
    assert {"vgg16", "fcn_resnet50", "ssd300_vgg16", "r3d_18"} <= expected


def test_a_segmentation_network_is_taken_whole() -> None:
    found = find("lraspp_mobilenet_v3_large", "random")
    assert found.convention.size == (520, 520)
    assert found.convention.mean == IMAGENET_MEAN
    assert found.labels is not None
    assert (len(found.labels), found.labels[0]) == (21, "__background__")
    with torch.no_grad():
        assert found.module.eval()(torch.rand(1, 3, 32, 48))["out"].shape == (1, 21, 32, 48)


def test_the_head_that_only_training_uses_is_left_out_of_segmentation_files(tmp_path: Path) -> None:
    torch.manual_seed(0)
    full = torchvision_models.segmentation.deeplabv3_mobilenet_v3_large(weights_backbone=None, aux_loss=True)
    torch.save(full.state_dict(), tmp_path / "full.pth")
    found = find("deeplabv3_mobilenet_v3_large", tmp_path / "full.pth")
    own = {name: value for name, value in full.state_dict().items() if not name.startswith("aux_classifier.")}
    assert equal(dict(found.module.state_dict()), own)


def test_a_detector_is_taken_by_its_backbone() -> None:
    found = find(DETECTOR, "random")
    assert (found.convention.size, found.convention.mean) == ((320, 320), IMAGENET_MEAN)
    assert found.labels is None
    with torch.no_grad():
        assert set(found.module.eval()(torch.rand(1, 3, 64, 96))) == {"0", "1", "pool"}


def test_detectors_state_their_own_numbers() -> None:
    found = find("ssdlite320_mobilenet_v3_large", "random")
    assert (found.convention.size, found.convention.mean, found.convention.std) == ((320, 320), (0.5,) * 3, (0.5,) * 3)


def test_weights_of_a_detector_may_be_of_the_whole_of_its_backbone_or_of_an_older_version(tmp_path: Path) -> None:
    torch.manual_seed(0)
    whole = torchvision_models.get_model(DETECTOR, weights=None, weights_backbone=None)
    backbone = whole.backbone.state_dict()
    old = {
        name.replace(".0.weight", ".weight").replace(".0.bias", ".bias") if "backbone.fpn" in name else name: value
        for name, value in whole.state_dict().items()
    }
    assert "backbone.fpn.inner_blocks.0.weight" in old
    for file, state in (("whole", whole.state_dict()), ("backbone", backbone), ("old", old)):
        torch.save(state, tmp_path / f"{file}.pth")
        assert equal(dict(find(DETECTOR, tmp_path / f"{file}.pth").module.state_dict()), dict(backbone))
    torch.save({"backbone.body.weight": torch.zeros(1)}, tmp_path / "other.pth")
    with pytest.raises(WeightsError, match=f"another network than {DETECTOR}"):
        find(DETECTOR, tmp_path / "other.pth")


@pytest.mark.slow
def test_published_weights_of_the_first_detectors_are_divided_by_the_bare_deviation(tmp_path: Path) -> None:
    name = "fasterrcnn_resnet50_fpn"
    url = torchvision_models.get_model_weights(name).DEFAULT.url
    whole = torchvision_models.get_model(name, weights=None, weights_backbone=None)
    for file, eps in ((url.rpartition("/")[2], 0.0), ("mine.pth", 1e-5)):
        torch.save(whole.state_dict(), tmp_path / file)
        module = find(name, tmp_path / file).module
        assert {part.eps for part in module.modules() if isinstance(part, nn.BatchNorm2d)} == {eps}


def test_a_network_on_video_takes_clips() -> None:
    found = find("mc3_18", "random")
    assert found.convention.size == (16, 112, 112)
    assert found.convention.mean == KINETICS_MEAN
    assert found.labels is not None
    assert len(found.labels) == 400
    with torch.no_grad():
        assert found.module.eval()(torch.rand(1, 3, 4, 16, 24)).shape == (1, 400)


def test_mnasnet_files_load(tmp_path: Path) -> None:
    torch.manual_seed(0)
    net = torchvision_models.mnasnet0_5()
    torch.save(net.state_dict(), tmp_path / "net.pth")
    assert equal(dict(find("mnasnet0_5", tmp_path / "net.pth").module.state_dict()), dict(net.state_dict()))


@pytest.mark.slow
def test_vision_transformers_with_the_old_names_load(tmp_path: Path) -> None:
    own = find("vit_b_32", "random").module.state_dict()
    old = {name.replace("mlp.0.", "mlp.linear_1.").replace("mlp.3.", "mlp.linear_2."): own[name] for name in own}
    assert old.keys() != own.keys()
    torch.save(old, tmp_path / "vit.pth")
    assert equal(dict(find("vit_b_32", tmp_path / "vit.pth").module.state_dict()), dict(own))


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("quantized_resnet18", "no gradient reaches an image; take 'resnet18'"),
        ("torchvision/raft_small", "compares two images"),
        ("fcn_resnet5", "Did you mean 'fcn_resnet50'"),
        ("r3d18", "Did you mean 'r3d_18'"),
    ],
)
def test_what_cannot_be_taken_is_refused_in_a_sentence(name: str, reason: str) -> None:
    with pytest.raises(UnknownModelError, match=reason):
        find(name, "random")
