"""The score of a finished picture is what the network says of that picture, at its own size."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import as_model, mixing
from torch import Tensor, nn
from torch.nn import functional

import lucidtorch as lt
from lucidtorch.base.images import photo
from lucidtorch.models.model import Model
from lucidtorch.objectives import channel, neuron

SIDE = 20
ROUNDING = 0.02  # what 8 bits of a file change in a probability here


def rendered(model: Model, goal: object, **more: object) -> lt.Rendering:
    words = {"param": lt.param.image(SIDE, batch=2), "steps": 3, "progress": False}
    return lt.render(model, goal, **(words | more))  # type: ignore[arg-type]


def opened(path: Path) -> Tensor:
    return torch.from_numpy(np.array(photo(path).numpy()))[None].float()


@pytest.mark.parametrize(
    "transforms", [None, "pad(4, value=0.0)", "pad(6) | jitter(3)", "crops()", "crop(3)", "scale(1.5, 1.5)"]
)
def test_values_are_of_the_picture_at_its_own_size(transforms: str | None) -> None:
    module = mixing()
    found = rendered(as_model(module, size=SIDE), channel("4", 1), transforms=transforms)
    with torch.no_grad():
        by_hand = module.eval()[:5](found.images)[:, 1].mean((1, 2))
    torch.testing.assert_close(found.values, by_hand, rtol=1e-4, atol=1e-6)


def test_a_neuron_in_the_middle_is_in_the_middle_of_the_picture() -> None:
    module = mixing()
    found = rendered(as_model(module, size=SIDE), neuron("4", 1), transforms="pad(5)")
    with torch.no_grad():
        by_hand = module.eval()[:5](found.images)[:, 1, SIDE // 2, SIDE // 2]
    torch.testing.assert_close(found.values, by_hand, rtol=1e-4, atol=1e-6)


def test_a_picture_to_compare_with_is_seen_at_that_size_too() -> None:
    module = mixing()
    picture = torch.rand(3, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    found = rendered(as_model(module, size=SIDE), lt.objectives.activation_difference("4", picture))
    with torch.no_grad():
        seen, other = (module.eval()[:5](one) for one in (found.images, picture[None]))
    torch.testing.assert_close(found.values, (seen - other).abs().flatten(1).mean(1), rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("name", ["squeezenet1_0", "demo"])
def test_a_probability_is_that_of_the_saved_picture(name: str, request: pytest.FixtureRequest, tmp_path: Path) -> None:
    """Of the file, by the module itself: grey around a picture once made 0.9994 of 0.0057 to 0.77."""
    words = {}
    if name != "demo":
        words["weights"] = request.getfixturevalue("test_data") / "weights" / "squeezenet1_0_imagenet.safetensors"
    model = lt.load_model(name, device="cpu", **words)
    number = 5 if name == "demo" else 985
    found = rendered(model, f"prob:{number}", param=lt.param.image(64), steps=24)
    picture = opened(found.save(tmp_path / "x.png"))
    with torch.no_grad():
        by_hand = model.module.eval()(model.normalize(picture)).flatten(1).softmax(1)[:, number]
    assert float(found.values[0]) == pytest.approx(float(by_hand), abs=ROUNDING)


class OfOneSize(nn.Module):
    """Takes images of 24 pixels and no others."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.last = nn.Linear(4 * 22 * 22, 5)

    def forward(self, images: Tensor) -> Tensor:
        return self.last(self.first(images).flatten(1))


def test_where_the_network_refuses_that_size_grey_is_around_it() -> None:
    module = OfOneSize()
    found = rendered(as_model(module, size=24), channel("last", 2), transforms="jitter(2) | crop_or_pad_to(24, 24)")
    canvas = functional.pad(found.images, (2, 2, 2, 2), value=0.5)
    with torch.no_grad():
        by_hand = module(canvas)[:, 2]
    torch.testing.assert_close(found.values, by_hand, rtol=1e-4, atol=1e-6)


def test_where_the_objective_does_not_fit_that_size_grey_is_around_it() -> None:
    module = mixing()
    goal = neuron("4", 1, SIDE + 3, SIDE + 3)
    found = rendered(as_model(module, size=SIDE), goal, transforms="pad(4)")
    with torch.no_grad():
        by_hand = module.eval()[:5](functional.pad(found.images, (4, 4, 4, 4), value=0.5))[:, 1, SIDE + 3, SIDE + 3]
    torch.testing.assert_close(found.values, by_hand, rtol=1e-4, atol=1e-6)


def test_pages_show_the_score_of_the_picture_in_the_file(demo: Model, tmp_path: Path) -> None:
    """In `data.json` of a gallery and of a run: what the module gives for the file that stands there."""
    goal, made = "conv2_1:3", {"output": tmp_path / "run", "progress": False}
    lt.gallery(demo, layers=["conv2_1"], units=[3], param="image(32)", steps=8, folder=tmp_path / "gallery")
    run = lt.recipes.render(demo, objective=goal, size=32, steps=8, **made)
    for folder in (tmp_path / "gallery", run.folder):
        entries = scored(json.loads((folder / "data.json").read_text()))
        assert entries
        for entry in entries:
            picture = opened(folder / entry["file"])
            by_hand = channel("conv2_1", 3)({"conv2_1": plain(demo, "conv2_1", picture)})
            assert entry["score"] == pytest.approx(float(by_hand), rel=0.05)


def scored(data: object) -> list[dict[str, object]]:
    """All mappings with a score, however deep."""
    if isinstance(data, dict):
        own = [data] if isinstance(data.get("score"), float) else []
        return own + [one for value in data.values() for one in scored(value)]
    return [one for value in data for one in scored(value)] if isinstance(data, list) else []


def plain(model: Model, layer: str, picture: Tensor) -> Tensor:
    """What a layer gives, by a plain hook."""
    kept: list[Tensor] = []
    handle = model.module.get_submodule(layer).register_forward_hook(lambda *seen: kept.append(seen[2]))
    try:
        with torch.no_grad():
            model.module.eval()(model.normalize(picture))
    finally:
        handle.remove()
    return kept[0]
