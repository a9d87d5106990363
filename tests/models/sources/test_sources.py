from __future__ import annotations

import json
import subprocess
import sys
import urllib.error
import warnings
from pathlib import Path

import pytest
import safetensors.torch
import torch
from torch import nn
from torchvision import models as torchvision_models

import lucidtorch.models as models
from lucidtorch.base.errors import (
    BadInputError,
    DownloadError,
    LucidtorchWarning,
    RecipeError,
    SizeError,
    UnknownLayerError,
    UnknownModelError,
    WeightsError,
)

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SMALLEST = "squeezenet1_1"


def weights_of(model: models.Model) -> torch.Tensor:
    return torch.cat([weight.flatten() for weight in model.module.state_dict().values()])


@pytest.mark.parametrize("spec", ["resnet18", "torchvision/resnet18", "demo", "digits", "inceptionv1"])
def test_random_weights_are_the_same_at_each_call_and_take_no_dice(spec: str) -> None:
    torch.manual_seed(1)
    before = torch.get_rng_state()
    first = models.load_model(spec, weights="random")
    assert torch.equal(torch.get_rng_state(), before)
    torch.manual_seed(2)
    assert torch.equal(weights_of(first), weights_of(models.load_model(spec, weights="random")))


def test_torchvision_networks_state_their_convention_without_a_download() -> None:
    model = models.load_model(SMALLEST, weights="random")
    assert model.convention == models.InputConvention(3, (224, 224), (0.0, 1.0), IMAGENET_MEAN, IMAGENET_STD)
    assert model.labels is not None
    assert len(model.labels) == 1000
    assert model.label_index("tiger") == 292
    assert model.name == SMALLEST
    assert not model.module.training
    assert models.load_model("inception_v3", weights="random").convention.size == (299, 299)


def test_the_prefix_names_the_same_network() -> None:
    one, other = (models.load_model(spec, weights="random") for spec in (SMALLEST, f"torchvision/{SMALLEST}"))
    assert torch.equal(weights_of(one), weights_of(other))
    assert other.name == SMALLEST


def test_heads_for_training_in_published_files_are_passed_over(tmp_path: Path) -> None:
    torch.manual_seed(0)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", FutureWarning)
        full = torchvision_models.googlenet(aux_logits=True, transform_input=True, init_weights=False).eval()
    torch.save(full.state_dict(), tmp_path / "googlenet.pth")
    model = models.load_model("googlenet", weights=tmp_path / "googlenet.pth", mean=0.0, std=1.0)
    images = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        torch.testing.assert_close(model.activations(images, "logits")["logits"], full(images))


def test_densenet_files_with_the_old_names_load(tmp_path: Path) -> None:
    own = models.load_model("densenet121", weights="random")
    state = own.module.state_dict()
    old = {
        name.replace("norm1.", "norm.1.").replace("norm2.", "norm.2.").replace("conv1.", "conv.1.")
        .replace("conv2.", "conv.2.") if "denselayer" in name else name: value
        for name, value in state.items()
    }  # fmt: skip
    assert old.keys() != state.keys()
    torch.save(old, tmp_path / "densenet.pth")
    assert torch.equal(weights_of(models.load_model("densenet121", weights=tmp_path / "densenet.pth")), weights_of(own))


def test_a_vision_transformer_is_built_for_the_size_of_its_weights() -> None:
    model = models.load_model("vit_b_32", weights="random")
    assert model.convention.size == (224, 224)
    with torch.no_grad():
        assert model.module(torch.rand(1, 3, 224, 224)).shape == (1, 1000)


def no_network(*_: object, **__: object) -> None:
    raise urllib.error.URLError("no route to host")


def test_no_network_says_what_to_do_instead(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", no_network)
    with pytest.raises(DownloadError) as caught:
        models.load_model(SMALLEST)
    for part in (SMALLEST, "no route to host", "weights=FILE", "weights='random'", str(tmp_path / "hub/checkpoints")):
        assert part in str(caught.value)


def test_default_weights_come_from_torchs_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TORCH_HOME", str(tmp_path))
    monkeypatch.setattr("torch.hub.urlopen", no_network)
    folder = tmp_path / "hub" / "checkpoints"
    folder.mkdir(parents=True)
    url = torchvision_models.get_model_weights(SMALLEST).DEFAULT.url
    net = torchvision_models.squeezenet1_1()
    torch.save(net.state_dict(), folder / url.rpartition("/")[2])
    assert torch.equal(models.load_model(SMALLEST).module.features[0].weight, net.features[0].weight)
    (folder / url.rpartition("/")[2]).write_bytes(b"cut off")
    with pytest.raises(WeightsError, match="broken"):
        models.load_model(SMALLEST)


def test_a_module_is_taken_as_it_is_with_one_warning() -> None:
    net = nn.Sequential(nn.Conv2d(2, 3, 3))
    with pytest.warns(LucidtorchWarning) as caught:
        model = models.load_model(net)
    assert len(caught) == 1
    assert "2 channels" in str(caught[0].message)
    assert "mean=, std=" in str(caught[0].message)
    assert caught[0].filename == __file__
    assert (model.module, model.name, model.source, model.labels) == (net, "Sequential", None, None)
    assert model.convention == models.InputConvention(2, (224, 224), (0.0, 1.0), (0.0, 0.0), (1.0, 1.0), stated=False)
    assert net.training


def test_a_word_about_the_numbers_silences_the_warning() -> None:
    net = nn.Sequential(nn.Conv2d(2, 3, 3))
    for words in ({"mean": 0.0}, {"std": [0.5, 0.5]}, {"value_range": (-1, 1)}):
        assert models.load_model(net, **words).convention.stated  # type: ignore[arg-type]
    with pytest.warns(LucidtorchWarning):
        models.load_model(net, size=32)


def test_a_module_may_be_filled_from_a_file(tmp_path: Path) -> None:
    net, other = nn.Conv2d(1, 1, 1), nn.Conv2d(1, 1, 1)
    safetensors.torch.save_file(other.state_dict(), tmp_path / "net.safetensors")
    models.load_model(net, weights=str(tmp_path / "net.safetensors"), mean=0.0)
    assert torch.equal(net.weight, other.weight)
    with pytest.raises(WeightsError, match="a module is taken with the weights it has"):
        models.load_model(net, weights="random", mean=0.0)


def test_a_model_is_given_back_as_it_is(model: models.Model) -> None:
    assert models.load_model(model) is model
    for words in ({"mean": 0.0}, {"weights": "random"}, {"device": "cpu"}, {"labels": ["a"]}):
        with pytest.raises(BadInputError, match="loaded already"):
            models.load_model(model, **words)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("spec", "near"), [("vgg61", "vgg16"), ("torchvision/resnet81", "resnet18"), ("dmeo", "demo"), ("", "inceptionv1")]
)
def test_unknown_networks_get_the_nearest_names(spec: str, near: str) -> None:
    with pytest.raises(UnknownModelError, match=near) as caught:
        models.load_model(spec)
    assert f"no network {spec!r}" in str(caught.value)


def test_what_is_neither_name_nor_module_is_refused() -> None:
    with pytest.raises(UnknownModelError, match=r"but \[\] was given"):
        models.load_model([])  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("words", "error", "message"),
    [
        ({"weights": "rnadom"}, WeightsError, "none of 'default', 'random'"),
        ({"weights": "none.pth"}, WeightsError, "no weights file none.pth"),
        ({"device": "gpuu"}, BadInputError, "'gpuu' cannot be used"),
        ({"device": "cuda:99"}, BadInputError, "'cuda:99' cannot be used"),
        ({"labels": "none.txt"}, BadInputError, "none.txt"),
        ({"weights": "random", "mean": [0.5]}, None, ""),
        ({"weights": "random", "mean": [0.5, 0.5]}, BadInputError, "2 numbers for 3 channels"),
        ({"weights": "random", "size": 0}, SizeError, "from 1"),
    ],
)
def test_words_that_do_not_fit_are_refused(words: dict, error: type[Exception] | None, message: str) -> None:
    if error is None:
        assert models.load_model("demo", **words).convention.mean == (0.5,) * 3
        return
    with pytest.raises(error, match=message):
        models.load_model("demo", **words)


def test_inceptionv1_has_no_weights_of_its_own() -> None:
    with pytest.raises(WeightsError, match="weights=FILE"):
        models.load_model("inceptionv1")


def test_another_networks_file_is_refused(tmp_path: Path) -> None:
    torch.save(nn.Conv2d(1, 1, 1).state_dict(), tmp_path / "other.pth")
    for spec in ("demo", "inceptionv1", SMALLEST):
        with pytest.raises(WeightsError, match=f"another network than {spec}; missing in the file: .*unknown.*: "):
            models.load_model(spec, weights=tmp_path / "other.pth")


def test_a_source_loads_the_same_network_again(tmp_path: Path) -> None:
    path = tmp_path / "net.safetensors"
    safetensors.torch.save_file(models.load_model("digits", weights="random").module.state_dict(), path)
    model = models.load_model("digits", weights=path, mean=0.25, size=(16, 20), labels=[str(n) for n in range(10)])
    assert model.source is not None
    read = models.ModelSource.from_dict(json.loads(json.dumps(model.source.to_dict())))
    assert read == model.source
    again = models.load_source(read)
    assert (again.convention, again.labels, again.source) == (model.convention, model.labels, model.source)
    assert torch.equal(weights_of(again), weights_of(model))
    state = models.load_model("digits", weights="random").module.state_dict()
    safetensors.torch.save_file({name: value + 1 for name, value in state.items()}, path)
    with pytest.raises(WeightsError, match="not those that were used"):
        models.load_source(read)


def test_a_source_says_only_what_was_said() -> None:
    model = models.load_model(SMALLEST, weights="random")
    assert model.source is not None
    assert model.source.to_dict() == {"spec": SMALLEST, "weights": "random"}


@pytest.mark.parametrize("data", [{}, {"spec": 3}, {"spec": "demo", "wieghts": "random"}])
def test_a_record_that_is_none_is_refused(data: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match="its fields are spec, weights"):
        models.ModelSource.from_dict(data)


def test_importing_the_models_imports_no_heavy_library() -> None:
    code = (
        "import sys, lucidtorch.models as m; m.load_model('digits', weights='random').layers;"
        "print([name for name in ('torchvision', 'kornia', 'timm', 'transformers', 'scipy') if name in sys.modules])"
    )
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert printed.strip() == "[]"


def convolutions() -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(2, 4, 3), nn.ReLU(), nn.Conv2d(4, 3, 3))


def test_a_scripted_module_gives_its_output_and_says_why_no_more() -> None:
    net = convolutions()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # torch's, that TorchScript is on its way out
        model = models.load_model(torch.jit.script(net), mean=0.0)
    images = torch.rand(2, 2, 12, 12)
    assert torch.equal(model.activations(images, "output")["output"], net(images))
    with pytest.raises(UnknownLayerError, match=r"no layer '0'.*Did you mean 'output'.*torch.export"):
        model.layers.resolve("0")


def test_of_a_compiled_module_the_module_itself_is_taken() -> None:
    net = convolutions()
    model = models.load_model(torch.compile(net), mean=0.0)
    assert model.module is net
    assert list(model.layers) == ["0", "1", "2"]
