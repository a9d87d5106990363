from __future__ import annotations

import importlib.util
from pathlib import Path

import pytest
import safetensors.torch
import torch

from lucidtorch.base.errors import BadInputError, DownloadError, UnknownModelError, WeightsError
from lucidtorch.models.sources.finding import find

timm = pytest.importorskip("timm", reason="timm is an optional extra")

VIT = "test_vit"


def equal(first: dict[str, torch.Tensor], second: dict[str, torch.Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


def test_the_convention_is_that_of_timms_configuration() -> None:
    found = find(f"timm/{VIT}", "random")
    assert found.name == f"timm/{VIT}"
    assert found.convention.channels == 3
    assert found.convention.size == (160, 160)
    assert found.convention.value_range == (0.0, 1.0)
    assert (found.convention.mean, found.convention.std, found.convention.stated) == ((0.5,) * 3, (0.5,) * 3, True)
    assert find("timm/resnet10t", "random").convention.mean == pytest.approx((0.485, 0.456, 0.406))


def test_classes_of_imagenet_have_their_names() -> None:
    labels = find(f"timm/{VIT}", "random").labels
    assert labels is not None
    assert (len(labels), labels[292]) == (1000, "tiger, Panthera tigris")


def test_random_weights_are_the_same_at_each_call_and_take_no_dice() -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = find(f"timm/{VIT}", "random").module.state_dict()
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert equal(dict(first), dict(find(f"timm/{VIT}", "random").module.state_dict()))


@pytest.mark.parametrize("suffix", [".pth", ".safetensors"])
def test_a_file_is_loaded(tmp_path: Path, suffix: str) -> None:
    torch.manual_seed(0)
    state = timm.create_model(VIT).state_dict()
    file = tmp_path / f"net{suffix}"
    if suffix == ".pth":
        torch.save({"state_dict": state}, file)
    else:
        safetensors.torch.save_file(dict(state), file)
    found = find(f"timm/{VIT}", file)
    assert equal(dict(found.module.state_dict()), dict(state))
    assert found.file == file


def test_names_of_other_projects_are_translated_by_timm(tmp_path: Path) -> None:
    torch.manual_seed(0)
    state = dict(timm.create_model("test_convnext").state_dict())
    published = {
        name.replace("stem.0.", "downsample_layers.0.0.").replace("stem.1.", "downsample_layers.0.1.")
        .replace(".blocks.", ".").replace(".mlp.fc1.", ".pwconv1.").replace(".mlp.fc2.", ".pwconv2.")
        .replace(".conv_dw.", ".dwconv.").replace("head.norm.", "norm.").replace("head.fc.", "head."): value
        for name, value in state.items()
    }  # fmt: skip
    renamed = {}
    for name, value in published.items():
        stage = name.removeprefix("stages.")[0]
        renamed[name.replace(f"stages.{stage}.downsample.", f"downsample_layers.{stage}.")] = value
    torch.save(renamed, tmp_path / "published.pth")
    assert equal(dict(find("timm/test_convnext", tmp_path / "published.pth").module.state_dict()), state)


def test_another_networks_file_is_refused(tmp_path: Path) -> None:
    torch.save({"a": torch.zeros(1)}, tmp_path / "other.pth")
    for name in (VIT, "test_resnet", "test_convnext"):
        with pytest.raises(WeightsError, match=f"another network than timm/{name}; missing in the file: "):
            find(f"timm/{name}", tmp_path / "other.pth")


def test_weights_that_cannot_be_fetched_say_what_to_do_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    with pytest.raises(DownloadError, match=rf"timm's {VIT} .*weights=FILE.*weights='random'"):
        find(f"timm/{VIT}", "default")


@pytest.mark.parametrize(
    ("name", "near"), [("resnet81", "resnet18"), ("resnet18.tv_in1", "resnet18.tv_in1k"), ("", "timm has no network")]
)
def test_unknown_names_get_the_nearest(name: str, near: str) -> None:
    with pytest.raises(UnknownModelError, match=near):
        find(f"timm/{name}", "random")


def test_a_missing_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    for spec, extra in ((f"timm/{VIT}", "timm"), ("hf/any", "hf")):
        with pytest.raises(BadInputError, match=rf"pip install 'lucidtorch\[{extra}\]'"):
            find(spec, "random")


def test_a_users_own_feature_extractor_is_a_module_like_any() -> None:
    found = find(timm.create_model("test_resnet", features_only=True), "default")
    assert found.convention.channels == 3
    with torch.no_grad():
        assert len(found.module.eval()(torch.rand(1, 3, 64, 64))) > 1
