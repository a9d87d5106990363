from __future__ import annotations

import json
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import cifar_network
import numpy as np
import pytest
import torch
from torch import Tensor, nn
from transformers import ViTConfig, ViTModel
from transformers.utils import ModelOutput

import lucidtorch.models as models
from lucidtorch.base.errors import BadInputError, LucidtorchWarning, WeightsError

RIGHT = {"mean": cifar_network.MEAN, "std": cifar_network.STD, "size": 32}


def seen(model: models.Model, images: Tensor) -> Tensor:
    return model.activations(images, "0")["0"]


def first_weights(*weights: float) -> nn.Sequential:
    """A 1x1 convolution that weighs the channels it is given."""
    net = nn.Sequential(nn.Conv2d(len(weights), 1, 1, bias=False))
    net[0].weight.data = torch.tensor(weights, dtype=torch.float32).view(1, -1, 1, 1)
    return net


def test_a_network_that_takes_blue_first_sees_blue_first() -> None:
    net = first_weights(1, 10, 100).double()
    images = torch.rand(2, 3, 4, 4, dtype=torch.float64)
    words = {"mean": (104.0, 117.0, 123.0), "value_range": (0, 255), "size": 4}
    model = models.load_model(net, channel_order="bgr", **words)  # type: ignore[arg-type]
    red, green, blue = (images * 255).unbind(1)
    expected = (blue - 104) + 10 * (green - 117) + 100 * (red - 123)
    torch.testing.assert_close(seen(model, images)[:, 0], expected)
    assert model.convention.channel_order == "bgr"


def test_a_mean_image_is_subtracted_at_the_size_of_the_images(tmp_path: Path) -> None:
    mean = np.random.default_rng(0).random((4, 4, 3)).astype(np.float32)
    np.save(tmp_path / "mean.npy", mean)
    model = models.load_model(first_weights(1, 10, 100), mean=tmp_path / "mean.npy", size=4)
    found = seen(model, torch.zeros(1, 3, 4, 4))[0, 0]
    np.testing.assert_allclose(found.numpy(), -(mean @ np.array([1, 10, 100], dtype=np.float32)), rtol=1e-5)
    assert seen(model, torch.zeros(1, 3, 7, 5)).shape == (1, 1, 7, 5)


def test_a_record_refuses_a_changed_mean_image(tmp_path: Path) -> None:
    path = tmp_path / "mean.npy"
    np.save(path, np.full((3, 8, 8), 0.25))
    model = models.load_model("demo", mean=str(path), channel_order="bgr")
    assert model.source is not None
    kept = model.source.to_dict()
    assert (kept["mean"], len(kept["mean_sha256"]), kept["channel_order"]) == (str(path), 64, "bgr")
    read = models.ModelSource.from_dict(json.loads(json.dumps(kept)))
    again = models.load_source(read)
    assert (again.convention, again.source) == (model.convention, model.source)
    np.save(path, np.full((3, 8, 8), 0.5))
    with pytest.raises(
        WeightsError, match=r"The mean .*mean.npy' of demo is not the one that was used .*put the file back"
    ):
        models.load_source(read)


def test_a_record_refuses_changed_code(tmp_path: Path) -> None:
    path = tmp_path / "mine.py"
    text = "from torch import nn\n\ndef build():\n    return nn.Sequential(nn.Conv2d(3, 2, 3))\n"
    path.write_text(text)
    model = models.load_model(f"{path}:build", mean=0.5, size=(8, 10), output=None)
    assert model.source is not None
    read = models.ModelSource.from_dict(model.source.to_dict())
    assert models.load_source(read).convention.size == (8, 10)
    path.write_text(text.replace("3, 2, 3", "3, 4, 3"))
    with pytest.raises(WeightsError, match=r"The code of .*mine.py:build is not the one that was used"):
        models.load_source(read)


def test_what_was_said_is_in_the_record_and_nothing_else() -> None:
    model = models.load_model("digits", weights="random", size=(20, 24), trace=True, mean=0.25)
    assert model.source is not None
    expected = {"spec": "digits", "weights": "random", "size": [20, 24], "trace": True, "mean": [0.25]}
    assert model.source.to_dict() == expected
    assert models.load_source(model.source).source == model.source


def test_what_cannot_be_written_down_leaves_no_record() -> None:
    assert models.load_model("demo", weights="random", output=lambda given: given).source is None
    assert models.load_model(first_weights(1, 1, 1), mean=0.0).source is None


def test_the_traced_view_has_functional_operations_as_layers(small: nn.Module) -> None:
    plain = models.load_model(small, mean=0.5, size=16)
    traced = models.load_model(small, mean=0.5, size=16, trace=True)
    assert "add" in " ".join(traced.layers)
    assert "add" not in " ".join(plain.layers)
    images = torch.rand(2, 3, 16, 16)
    found, expected = (model.activations(images, "logits")["logits"] for model in (traced, plain))
    assert torch.equal(found, expected)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ({"std": (0.229, 0.224, 406.0)}, "406 is more than all of"),
        ({"mean": (0.485, 0.456, 406.0)}, "406 lies outside of"),
        ({"value_range": (0, 255), "mean": None, "std": None}, "56 times wider than what it was trained on"),
        ({"value_range": (0, 255), "mean": None, "std": None, "channel_order": "bgr"}, "times wider than"),
    ],
)
def test_a_real_network_warns_of_wrong_words(test_data: Path, words: dict, message: str) -> None:
    net = cifar_network.pretrained(test_data)
    with pytest.warns(LucidtorchWarning, match=message) as caught:
        models.load_model(net, **{**RIGHT, **words})
    assert len(caught) == 1
    assert caught[0].filename == __file__


def test_a_real_network_does_not_warn_of_the_right_ones(test_data: Path) -> None:
    model = models.load_model(cifar_network.pretrained(test_data), **RIGHT)  # type: ignore[arg-type]
    assert model.convention.stated
    assert model.activations(torch.rand(2, 3, 32, 32), "logits")["logits"].shape == (2, 10)


def test_a_guess_that_the_batch_norm_contradicts_is_one_warning() -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4)).eval()
    net[1].running_mean.fill_(100)
    with pytest.warns(LucidtorchWarning) as caught:
        models.load_model(net, size=32)
    assert len(caught) == 1
    for part in ("does not say what input it expects", "first batch norm of Sequential", "what it was trained on"):
        assert part in str(caught[0].message)


def test_shipped_networks_raise_no_doubt_with_their_own_words() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for name in ("demo", "demo-judge", "digits", "lines"):
            model = models.load_model(name)
            said = model.convention
            models.load_model(name, mean=said.mean, std=said.std, value_range=said.value_range)


def test_seven_bands_are_read_off_the_first_convolution() -> None:
    net = nn.Sequential(nn.Conv2d(7, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3))
    model = models.load_model(net, mean=[0.1 * band for band in range(7)], std=0.5, size=(12, 20))
    assert (model.convention.channels, model.convention.std) == (7, (0.5,) * 7)
    assert model.activations(torch.rand(2, 7, 12, 20), "2")["2"].shape == (2, 5, 8, 16)
    with pytest.raises(BadInputError, match="mean has 3 numbers for 7 channels; give one per channel"):
        models.load_model(net, mean=(0.5, 0.5, 0.5))


class Siamese(nn.Module):
    """How far two images are apart, in features."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(3, 4, 3)
        self.distance = nn.Identity()

    def forward(self, one: Tensor, other: Tensor) -> Tensor:
        return self.distance(self.features(one) - self.features(other)).mean((2, 3))


class Steered(nn.Module):
    """An image and a vector that weighs the features."""

    def __init__(self) -> None:
        super().__init__()
        self.features = nn.Conv2d(3, 4, 3)
        self.steered = nn.Identity()

    def forward(self, image: Tensor, vector: Tensor) -> Tensor:
        return self.steered(self.features(image) * vector[:, :, None, None]).mean((2, 3))


def test_a_siamese_network_compares_with_what_it_is_given() -> None:
    net = Siamese()
    images, anchor = torch.rand(2, 3, 8, 8), torch.rand(1, 3, 8, 8)
    model = models.load_model(net, mean=0.5, std=0.25, size=8, inputs={"other": anchor})
    with torch.no_grad():
        expected = net.features((images - 0.5) / 0.25) - net.features(anchor)
    torch.testing.assert_close(model.activations(images, "distance")["distance"], expected)
    assert model.source is None
    mirrored = models.load_model(net, mean=0.5, size=8, inputs={"other": lambda batch: batch.flip(3)})
    assert mirrored.activations(images, "logits")["logits"].shape == (2, 4)


@pytest.mark.parametrize("rows", [1, 3])
def test_a_vector_goes_in_beside_the_images(rows: int) -> None:
    net, vector = Steered(), torch.rand(rows, 4, dtype=torch.float64)
    model = models.load_model(net, mean=0.0, size=8, inputs={"vector": vector})
    images = torch.rand(3, 3, 8, 8)
    with torch.no_grad():
        expected = net.features(images) * vector.float()[:, :, None, None]
    torch.testing.assert_close(model.activations(images, "steered")["steered"], expected)
    assert model.layers["steered"].channels == 4


def test_the_traced_view_takes_extra_inputs_too() -> None:
    net, vector = Steered(), torch.rand(1, 4)
    model = models.load_model(net, mean=0.0, size=8, inputs={"vector": vector}, trace=True)
    images = torch.rand(2, 3, 8, 8)
    with torch.no_grad():
        expected = net.features(images) * vector[:, :, None, None]
    torch.testing.assert_close(model.activations(images, "mul")["mul"], expected)


def test_a_transformer_takes_another_size_by_a_plain_value() -> None:
    config = ViTConfig(hidden_size=8, num_hidden_layers=1, num_attention_heads=1, intermediate_size=8, image_size=32)
    net = ViTModel(config, add_pooling_layer=False)
    model = models.load_model(net, mean=0.5, size=(48, 64), inputs={"interpolate_pos_encoding": True})
    assert model.activations(torch.rand(2, 3, 48, 64), "layernorm")["layernorm"].shape == (2, 8, 3, 4)


def test_a_vector_for_other_images_is_refused() -> None:
    model = models.load_model(Steered(), mean=0.0, size=8, inputs={"vector": torch.rand(3, 4)})
    with pytest.raises(BadInputError, match=r"inputs\['vector'\] of Steered has 3 rows for 2 images; give one row"):
        model.activations(torch.rand(2, 3, 8, 8), "steered")


class Clips(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv3d(3, 4, 3)

    def forward(self, clips: Tensor) -> Tensor:
        return self.conv(clips).mean((2, 3, 4))


def test_a_network_for_clips_takes_clips() -> None:
    model = models.load_model(Clips(), mean=(0.25, 0.5, 0.75), size=(4, 8, 10), channels=3)
    assert model.convention.size == (4, 8, 10)
    clips = torch.rand(2, 3, 4, 8, 10)
    with torch.no_grad():
        expected = model.module.conv(clips - torch.tensor([0.25, 0.5, 0.75]).view(1, 3, 1, 1, 1))
    torch.testing.assert_close(model.activations(clips, "conv")["conv"], expected)


@dataclass
class Given(ModelOutput):
    hidden: Tensor | None = None
    scores: Tensor | None = None


class Answers(nn.Module):
    """Gives scores and features in the form that was asked for."""

    def __init__(self, form: Callable[[Tensor, Tensor], object]) -> None:
        super().__init__()
        self.form, self.conv, self.head = form, nn.Conv2d(3, 4, 3), nn.Linear(4, 2)

    def forward(self, images: Tensor) -> object:
        features = self.conv(images)
        return self.form(features, self.head(features.mean((2, 3))))


@pytest.mark.parametrize(
    ("form", "output"),
    [
        (lambda features, scores: {"features": features, "scores": scores}, "scores"),
        (lambda features, scores: (features, scores), 1),
        (lambda features, scores: [features, {"x": scores}], lambda given: given[1]["x"]),
        (lambda features, scores: Given(hidden=features, scores=scores), "scores"),
    ],
)
def test_the_part_of_the_output_that_is_meant_is_the_logits(form: Callable, output: object) -> None:
    net = Answers(form).eval()
    model = models.load_model(net, mean=0.0, size=8, output=output)  # type: ignore[arg-type]
    images = torch.rand(2, 3, 8, 8)
    with torch.no_grad():
        expected = net.head(net.conv(images).mean((2, 3)))
    torch.testing.assert_close(model.activations(images, "logits")["logits"], expected)


@pytest.mark.parametrize(
    ("net", "words", "message"),
    [
        (Siamese, {}, r"forward of Siamese needs 'other' beside the images; .*inputs=\{'other': ...\}"),
        (Siamese, {"inputs": {"others": torch.zeros(1)}}, "takes 'one', 'other'; write one of these names"),
        (Clips, {"inputs": {"mask": torch.zeros(1)}}, "inputs names 'mask', but the forward of Clips takes 'clips'"),
        (Clips, {"output": 1.5}, r"output=\) takes a whole number, a text, a function or None, but 1\.5"),
        (Clips, {"output": True}, "a function or None, but True"),
        (Clips, {"channel_order": "gbr"}, "channel_order is 'rgb' or 'bgr'"),
        (Clips, {"mean": "no such file.npy"}, "no file no such file.npy for the mean"),
    ],
)
def test_words_that_do_not_fit_say_what_to_write(net: Callable[[], nn.Module], words: dict, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        models.load_model(net(), **{"mean": 0.0, "size": (4, 8, 10), "channels": 3, **words})


def test_a_model_takes_no_more_words(model: models.Model) -> None:
    for words in ({"channel_order": "bgr"}, {"trace": True}, {"output": 0}, {"inputs": {}}, {"size": 3}):
        with pytest.raises(BadInputError, match="loaded already"):
            models.load_model(model, **words)  # type: ignore[arg-type]
