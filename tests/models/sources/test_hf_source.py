from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
import torch

from lucidtorch.base.errors import DownloadError, LucidtorchWarning, UnknownModelError, WeightsError
from lucidtorch.models.sources.finding import find

transformers = pytest.importorskip("transformers", reason="transformers is an optional extra")

TINY = {"hidden_size": 16, "num_hidden_layers": 2, "num_attention_heads": 2, "intermediate_size": 24}
VISION = TINY | {"image_size": 32, "patch_size": 8}
LABELS = {0: "crane", 1: "drake", 2: "ibis"}


@pytest.fixture(autouse=True)
def offline(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)


def vit(labels: dict[int, str] = LABELS) -> Any:
    torch.manual_seed(0)
    return transformers.ViTForImageClassification(transformers.ViTConfig(**VISION, id2label=labels)).eval()


def processor(folder: Path, **words: object) -> None:
    stated = {"image_processor_type": "ViTImageProcessor", "size": {"height": 32, "width": 32}, "do_resize": True}
    stated |= {"do_rescale": True, "rescale_factor": 1 / 255, "do_normalize": True}
    stated |= {"image_mean": [0.4, 0.5, 0.6], "image_std": [0.1, 0.2, 0.3]}
    (folder / "preprocessor_config.json").write_text(json.dumps(stated | words), encoding="utf-8")


def test_a_folder_gives_the_network_its_labels_and_its_convention(tmp_path: Path) -> None:
    net = vit()
    net.save_pretrained(tmp_path)
    processor(tmp_path)
    found = find(f"hf/{tmp_path}", "default")
    assert type(found.module) is transformers.ViTForImageClassification
    assert found.labels == ("crane", "drake", "ibis")
    assert (found.name, found.file) == (f"hf/{tmp_path.name}", tmp_path / "model.safetensors")
    assert (found.convention.channels, found.convention.size, found.convention.stated) == (3, (32, 32), True)
    assert (found.convention.mean, found.convention.std) == ((0.4, 0.5, 0.6), (0.1, 0.2, 0.3))
    assert found.convention.value_range == (0.0, 1.0)
    images = torch.rand(2, 3, 32, 32)
    with torch.no_grad():
        assert torch.equal(found.module(images).logits, net(images).logits)


@torch.no_grad()
@pytest.mark.parametrize(
    "words",
    [
        {},
        {"do_normalize": False},
        {"do_rescale": False, "image_mean": [100.0] * 3, "image_std": [50.0] * 3},
        {"rescale_factor": 1 / 127.5, "image_mean": [1.0] * 3, "image_std": [0.5] * 3},
        {"image_processor_type": "EfficientNetImageProcessor", "include_top": True},
        {"image_processor_type": "EfficientNetImageProcessor", "include_top": False, "rescale_factor": 1 / 127.5,
         "rescale_offset": True, "do_normalize": False},
        {"image_processor_type": "MobileViTImageProcessor", "do_normalize": False,
         "crop_size": {"height": 32, "width": 32}},
    ],
)  # fmt: skip
def test_the_convention_does_what_the_processor_does(tmp_path: Path, words: dict[str, object]) -> None:
    vit().save_pretrained(tmp_path)
    processor(tmp_path, **words)
    pixels = torch.randint(0, 256, (3, 32, 32), generator=torch.Generator().manual_seed(0), dtype=torch.uint8)
    theirs = transformers.AutoImageProcessor.from_pretrained(tmp_path)(pixels, return_tensors="pt")["pixel_values"][0]
    stated = find(f"hf/{tmp_path}", "random").convention
    image = pixels / 255
    low, high = stated.value_range
    ordered = image.flip(0) if stated.channel_order == "bgr" else image
    mean, std = (torch.tensor(values).view(3, 1, 1) for values in (stated.mean, stated.std))
    torch.testing.assert_close((ordered * (high - low) + low - mean) / std, theirs, atol=1e-4, rtol=1e-5)


def test_without_a_processor_the_convention_is_a_guess(tmp_path: Path) -> None:
    vit().save_pretrained(tmp_path)
    convention = find(f"hf/{tmp_path}", "default").convention
    assert not convention.stated
    assert (convention.size, convention.mean, convention.std) == ((32, 32), (0.0,) * 3, (1.0,) * 3)


def test_labels_that_are_only_numbers_are_none(tmp_path: Path) -> None:
    vit({0: "LABEL_0", 1: "LABEL_1"}).save_pretrained(tmp_path)
    assert find(f"hf/{tmp_path}", "default").labels is None


def test_random_weights_come_from_the_configuration_and_take_no_dice(tmp_path: Path) -> None:
    vit().config.save_pretrained(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text(encoding="utf-8"))
    (tmp_path / "config.json").write_text(json.dumps(config | {"architectures": ["ViTForImageClassification"]}))
    before = torch.get_rng_state()
    first, second = (find(f"hf/{tmp_path}", "random").module.state_dict() for _ in range(2))
    assert torch.equal(torch.get_rng_state(), before)
    assert all(torch.equal(first[name], second[name]) for name in first)
    with pytest.raises(DownloadError, match="weights='random'"):
        find(f"hf/{tmp_path}", "default")


def test_a_file_of_weights_is_loaded_whole_or_refused(tmp_path: Path) -> None:
    net = vit()
    net.save_pretrained(tmp_path)
    torch.manual_seed(1)
    other = transformers.ViTForImageClassification(net.config)
    torch.save(other.state_dict(), tmp_path / "other.pth")
    found = find(f"hf/{tmp_path}", tmp_path / "other.pth")
    assert torch.equal(found.module.state_dict()["classifier.weight"], other.classifier.weight)
    assert found.file == tmp_path / "other.pth"
    part = {name: value for name, value in other.state_dict().items() if "classifier" not in name}
    reshaped = {name: torch.zeros(3) for name in other.state_dict()}
    for state in (part, reshaped, {"a": torch.zeros(1)}):
        torch.save(state, tmp_path / "part.pth")
        with pytest.raises(WeightsError, match=r"part\.pth holds the weights of another network"):
            find(f"hf/{tmp_path}", tmp_path / "part.pth")


def test_weights_that_the_publisher_left_out_are_named(tmp_path: Path) -> None:
    torch.manual_seed(0)
    transformers.ViTModel(transformers.ViTConfig(**VISION), add_pooling_layer=False).save_pretrained(tmp_path)
    with pytest.warns(LucidtorchWarning, match="leave out pooler"):
        found = find(f"hf/{tmp_path}", "default")
    assert type(found.module) is transformers.ViTModel
    assert found.labels is None


def test_of_images_and_texts_the_part_that_sees_images_is_taken(tmp_path: Path) -> None:
    text = TINY | {"vocab_size": 50, "max_position_embeddings": 8, "bos_token_id": 1, "eos_token_id": 2}
    config = transformers.CLIPConfig(
        text_config=text | {"projection_dim": 8}, vision_config=VISION | {"projection_dim": 8}, projection_dim=8
    )
    torch.manual_seed(0)
    both = transformers.CLIPModel(config).eval()
    both.save_pretrained(tmp_path)
    found = find(f"hf/{tmp_path}", "default")
    assert type(found.module) is transformers.CLIPVisionModelWithProjection
    images = torch.rand(1, 3, 32, 32)
    with torch.no_grad():
        theirs = both.visual_projection(both.vision_model(images).pooler_output)
        torch.testing.assert_close(found.module(images).image_embeds, theirs)


def test_what_sees_no_images_is_refused(tmp_path: Path) -> None:
    transformers.BertModel(transformers.BertConfig(**TINY, vocab_size=20)).save_pretrained(tmp_path)
    with pytest.raises(UnknownModelError, match="BertModel, which takes input_ids"):
        find(f"hf/{tmp_path}", "default")


def test_clips_in_another_order_are_refused(tmp_path: Path) -> None:
    config = transformers.VideoMAEConfig(**VISION, num_frames=4)
    transformers.VideoMAEModel(config).save_pretrained(tmp_path)
    with pytest.raises(UnknownModelError, match=r"\[B, T, C, H, W\]"):
        find(f"hf/{tmp_path}", "default")


def test_what_is_not_here_says_what_to_do_instead(tmp_path: Path) -> None:
    with pytest.raises(DownloadError, match=r"hf/nobody/nothing is neither .* save_pretrained"):
        find("hf/nobody/nothing", "default")
    (tmp_path / "config.json").write_text("{}")
    with pytest.raises(UnknownModelError, match="no network that transformers knows"):
        find(f"hf/{tmp_path}", "default")
