"""The same seed gives the same bytes, and an image does not depend on what shares its batch."""

from __future__ import annotations

import copy
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from small_networks import as_model, mixing
from torch import nn

import lucidtorch as lt
from lucidtorch.base.images import encode_png, read_png_text
from lucidtorch.base.records import read_settings, settings_text
from lucidtorch.models.model import Model
from lucidtorch.objectives import Objective, channel, each, logit

NETWORKS = {"demo": "conv2_1", "resnet18": "layer1.0.conv1", "inceptionv1": "mixed3a_3x3_pre_relu", "mixing": "4"}


@pytest.fixture(params=list(NETWORKS))
def network(request: pytest.FixtureRequest) -> tuple[Model, str]:
    """Each network with a layer of it."""
    name = request.param
    return as_model(mixing()) if name == "mixing" else request.getfixturevalue(name), NETWORKS[name]


def rendered(model: Model, goal: Objective | str, seeds: Any, *, steps: int = 3, **more: Any) -> lt.Rendering:
    batch = len(seeds) if isinstance(seeds, list) else 1
    settings: dict[str, Any] = {"param": lt.param.image(32, batch=batch)} | more
    return lt.render(model, goal, seed=seeds, steps=steps, progress=False, **settings)


def test_one_seed_gives_the_same_bytes(network: tuple[Model, str], tmp_path: Path) -> None:
    model, layer = network
    first = rendered(model, channel(layer, 0), [3, 8])
    torch.rand(17), np.random.rand(3)  # the global random state plays no part
    second = rendered(model, channel(layer, 0), [3, 8])
    assert first.images.numpy().tobytes() == second.images.numpy().tobytes()
    assert first._repr_png_() == second._repr_png_()
    assert first.save(tmp_path / "a.png").read_bytes() == second.save(tmp_path / "b.png").read_bytes()
    assert {text: one.tolist() for text, one in first.history.items()} == {
        text: one.tolist() for text, one in second.history.items()
    }
    assert first.recipe == second.recipe


def test_another_seed_gives_another_picture(demo: Model) -> None:
    assert not torch.equal(rendered(demo, "conv2_1:0", 1).images, rendered(demo, "conv2_1:0", 2).images)


def test_a_whole_number_gives_image_i_the_seed_s_plus_i(demo: Model) -> None:
    param = lt.param.image(32, batch=3)
    first = rendered(demo, "conv2_1:0", 5, param=param)
    second = rendered(demo, "conv2_1:0", [5, 6, 7], param=param)
    assert torch.equal(first.images, second.images)
    assert first.recipe == second.recipe


@pytest.mark.parametrize("transforms", ["standard()", "identity()", "jitter(3)"])
def test_an_image_does_not_depend_on_its_company_nor_on_its_place(network: tuple[Model, str], transforms: str) -> None:
    model, layer = network
    units, seeds = [2, 0, 3], [11, 12, 13]
    alone = rendered(model, channel(layer, [units[0]] * 3), [seeds[0]] * 3, transforms=transforms)
    assert torch.equal(alone.images[0], alone.images[2])
    company = rendered(model, channel(layer, units), seeds, transforms=transforms)
    assert torch.equal(company.images[0], alone.images[0])
    order = [2, 0, 1]
    moved = rendered(model, channel(layer, [units[k] for k in order]), [seeds[k] for k in order], transforms=transforms)
    assert torch.equal(moved.images, company.images[order])
    assert torch.equal(moved.values, company.values[order])


def test_an_image_of_another_batch_size_is_equal_up_to_rounding(network: tuple[Model, str]) -> None:
    """In float64: in float32 a near tie in a max pool can fall either way by rounding alone."""
    model, layer = network
    model = Model(copy.deepcopy(model.module).double(), model.convention, name="double")
    many = rendered(model, channel(layer, [1, 2, 3, 0]), [4, 5, 6, 7])
    for place in range(4):
        one = rendered(model, channel(layer, (1, 2, 3, 0)[place]), [4 + place])
        assert (one.images[0] - many.images[place]).abs().max() < 1e-4


def test_in_float32_too_where_nothing_is_pooled_by_its_maximum() -> None:
    model = as_model(mixing())
    many = rendered(model, channel("4", [1, 2, 3, 0]), [4, 5, 6, 7])
    for place in range(4):
        one = rendered(model, channel("4", (1, 2, 3, 0)[place]), [4 + place])
        assert (one.images[0] - many.images[place]).abs().max() < 1e-4


def test_each_is_like_rendering_each_one(demo: Model) -> None:
    parts = [channel("conv2_1", 1), logit(3), -channel("conv1_2", 0) * 2]
    together = rendered(demo, each(*parts), [1, 2, 3])
    for place, part in enumerate(parts):
        apart = rendered(demo, each(*[part] * 3), [1, 2, 3])
        assert (apart.images[place] - together.images[place]).abs().max() < 1e-4


def test_a_text_is_the_same_as_the_objects_it_prints(demo: Model) -> None:
    objects = rendered(
        demo,
        channel("conv2_1", 1) - 0.1 * lt.objectives.total_variation(),
        [1],
        param=lt.param.image((32, 40), decay=0.9),
        transforms=lt.transforms.pad(4) | lt.transforms.jitter(4),
    )
    texts = rendered(
        demo,
        "conv2_1:1 - 0.1 * total_variation()",
        [1],
        param="image((32, 40), decay=0.9)",
        transforms="pad(4) | jitter(4)",
    )
    assert torch.equal(objects.images, texts.images)
    assert objects.recipe == texts.recipe


def test_what_the_recipe_says_makes_the_same_bytes(demo: Model) -> None:
    first = rendered(demo, logit([3, 5]) - lt.objectives.L2(constant=0.5), [9, 4], snapshots=[1])
    recipe = read_settings(settings_text(first.recipe), "here")
    again = lt.render(
        demo,
        recipe["objective"],
        param=recipe["param"],
        transforms=recipe["transforms"],
        steps=recipe["steps"],
        snapshots=recipe["snapshots"],
        optimizer=recipe["optimizer"],
        lr=recipe["lr"],
        seed=recipe["seed"],
        progress=False,
    )
    assert again._repr_png_() == first._repr_png_()


def test_the_picture_carries_its_recipe_and_neither_time_nor_place(demo: Model, tmp_path: Path) -> None:
    found = rendered(demo, "conv2_1:0", 1)
    path = found.save(tmp_path / "here.png")
    text = read_png_text(path)
    assert read_settings(text, "it") == found.recipe
    assert text == settings_text(found.recipe)
    assert str(tmp_path) not in text
    assert encode_png(found.sheet(), text) == path.read_bytes()


def test_a_param_can_be_used_again(demo: Model) -> None:
    param = lt.param.image(32)
    first = rendered(demo, "conv2_1:0", 4, param=param)
    assert list(param.parameters()) == []
    second = rendered(demo, "conv2_1:0", 4, param=param)
    assert torch.equal(first.images, second.images)
    start = param().detach().clone()
    third = rendered(demo, "conv2_1:0", 4, param=param)
    assert torch.equal(first.images, third.images)
    assert torch.equal(param().detach(), start)


def test_a_float64_network_is_rendered() -> None:
    single = as_model(mixing())
    double = as_model(mixing().double())
    first, second = rendered(single, "4:0", 1).images, rendered(double, "4:0", 1).images
    assert (first - second).abs().max() < 1e-3


def test_channels_last_memory_changes_rounding_only() -> None:
    model = as_model(mixing())
    other = as_model(mixing().to(memory_format=torch.channels_last))
    assert (rendered(model, "4:0", 1).images - rendered(other, "4:0", 1).images).abs().max() < 1e-3


def test_inplace_makes_no_difference() -> None:
    module, copied = mixing(), mixing()
    for part in copied.modules():
        if isinstance(part, nn.ReLU):
            part.inplace = False
    first, second = rendered(as_model(module), "0:0 + 2:1", 1), rendered(as_model(copied), "0:0 + 2:1", 1)
    assert torch.equal(first.images, second.images)


@pytest.mark.slow
def test_the_calls_of_one_module_are_rendered_apart(resnet18: Model) -> None:
    first = rendered(resnet18, "layer1.0.relu@0:3", 1)
    second = rendered(resnet18, "layer1.0.relu@1:3", 1)
    assert not torch.equal(first.images, second.images)
