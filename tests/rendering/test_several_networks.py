"""Several networks looking at one image."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import nn

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, RecipeError, UnknownLayerError
from lucidtorch.objectives import channel, each, logit, of, total_variation

SETTINGS: dict[str, Any] = {"param": "image(24)", "steps": 3, "progress": False}


@pytest.fixture(scope="module")
def pair() -> dict[str, lt.Model]:
    return {"demo": lt.load_model("demo"), "judge": lt.load_model("demo-judge")}


def test_both_are_asked_and_left_as_they_were(
    pair: dict[str, lt.Model], fingerprint: Callable[[nn.Module], Any]
) -> None:
    before = [fingerprint(one.module) for one in pair.values()]
    goal = of("demo", channel("conv2_1", 3)) - 2 * of("judge", channel("stage2.conv1", 3)) - 0.01 * total_variation()
    found = lt.render(pair, goal, **SETTINGS)
    assert [fingerprint(one.module) for one in pair.values()] == before
    assert set(found.history) == {
        "channel('demo/conv2_1', 3)",
        "channel('judge/stage2.conv1', 3)",
        "total_variation()",
        "objective",
    }
    only = lt.render(pair["demo"], channel("conv2_1", 3), **SETTINGS)
    assert not torch.equal(found.images, only.images)


def test_a_name_before_the_address_is_the_same(pair: dict[str, lt.Model]) -> None:
    first = lt.render(pair, of("demo", channel("conv2_1", 3)) + of("judge", logit("star")), **SETTINGS)
    second = lt.render(pair, "demo/conv2_1:3 + logit('star', layer='judge/logits')", **SETTINGS)
    assert torch.equal(first.images, second.images)


def test_one_of_several_is_as_alone(pair: dict[str, lt.Model]) -> None:
    alone = lt.render(pair["judge"], channel("stage3.conv1", 5), **SETTINGS)
    among = lt.render(pair, of("judge", channel("stage3.conv1", 5)), **SETTINGS)
    assert torch.equal(alone.images, among.images)
    assert torch.equal(alone.values, among.values)


def test_the_picture_knows_both(pair: dict[str, lt.Model], tmp_path: Path) -> None:
    goal = each(of("demo", logit("star")), of("judge", logit("heart")))
    path = lt.render(pair, goal, **SETTINGS).save(tmp_path / "x.png")
    recipe = lt.recipes.read_recipe(path)
    assert recipe.model is None
    assert recipe.models is not None
    assert list(recipe.models) == ["demo", "judge"]
    again = tmp_path / "y.png"
    lt.recipes.rerun(path, again)
    assert again.read_bytes() == path.read_bytes()


def test_networks_without_a_source_are_given_again(tmp_path: Path) -> None:
    nets = {name: lt.load_model(nn.Conv2d(3, 4, 3), mean=0.0, std=1.0, size=24) for name in "ab"}
    path = lt.render(nets, of("a", channel("output", 1)) + of("b", channel("output", 1)), **SETTINGS).save(
        tmp_path / "x.png"
    )
    with pytest.raises(RecipeError, match="model="):
        lt.recipes.rerun(path)
    again = lt.recipes.rerun(path, tmp_path / "y.png", model=nets)
    assert again.images.shape == (1, 3, 24, 24)
    assert (tmp_path / "y.png").read_bytes() == path.read_bytes()


def test_what_does_not_fit_is_refused(pair: dict[str, lt.Model]) -> None:
    with pytest.raises(UnknownLayerError, match="'demo'"):
        lt.render(pair, channel("conv2_1", 3), **SETTINGS)
    with pytest.raises(UnknownLayerError, match="demos"):
        lt.render(pair, of("demos", channel("conv2_1", 3)), **SETTINGS)
    with pytest.raises(UnknownLayerError, match="conv9"):
        lt.render(pair, of("demo", channel("conv9", 3)), **SETTINGS)
    with pytest.raises(UnknownLayerError, match="demo/conv2_1"):
        lt.render(pair["demo"], of("demo", channel("conv2_1", 3)), **SETTINGS)
    with pytest.raises(BadInputError, match="channels"):
        lt.render({**pair, "digits": "digits"}, of("demo", channel("conv2_1", 3)), **SETTINGS)
    with pytest.raises(BadInputError, match="slash"):
        lt.render({"a/b": pair["demo"]}, of("demo", channel("conv2_1", 3)), **SETTINGS)
    with pytest.raises(BadInputError, match="No network"):
        lt.render({}, channel("conv2_1", 3), **SETTINGS)
