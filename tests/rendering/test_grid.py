"""Activation grids: a direction for every position of a layer, looked up in the network."""

from __future__ import annotations

import pickle
from pathlib import Path

import pytest
import torch

import lucidtorch as lt
from lucidtorch.base.errors import ImageError, ObjectiveError, SizeError
from lucidtorch.objectives import direction, grid, parse, photo


@pytest.fixture(scope="module")
def demo() -> lt.Model:
    return lt.load_model("demo")


@pytest.fixture(scope="module")
def picture() -> torch.Tensor:
    return torch.rand(3, 24, 16, generator=torch.Generator().manual_seed(4))


def test_a_grid_is_one_direction_per_position(demo: lt.Model, picture: torch.Tensor) -> None:
    values = demo.activations(picture[None], "conv2_2")["conv2_2"][0]
    channels, height, width = values.shape
    rows = [values[:, row, column].tolist() for row in range(height) for column in range(width)]
    settings = {"param": lt.param.image(16), "steps": 2, "progress": False}
    made = lt.render(demo, grid("conv2_2", picture), **settings)
    assert made.images.shape == (height * width, 3, 16, 16)
    assert len(rows[0]) == channels
    by_hand = lt.render(demo, direction("conv2_2", rows), **settings)
    assert torch.equal(made.images, by_hand.images)
    assert made.recipe["objective"].startswith("grid('conv2_2', array('")


def test_a_grid_is_made_again_from_its_picture(demo: lt.Model, picture: torch.Tensor, tmp_path: Path) -> None:
    goal = 2 * grid("conv2_2", picture, cossim_pow=1) - lt.objectives.L1(constant=0.5)
    path = lt.render(demo, goal, param="image(16)", steps=2, progress=False).save(tmp_path / "grid.png")
    again = tmp_path / "again.png"
    lt.recipes.rerun(path, again)
    assert again.read_bytes() == path.read_bytes()


def test_its_text_reads_back(tmp_path: Path) -> None:
    small = torch.full((1, 2, 3), 0.25)
    goal = grid("a", small, cossim_pow=2)
    assert repr(goal) == "grid('a', [[[0.25, 0.25, 0.25], [0.25, 0.25, 0.25]]], cossim_pow=2)"
    assert parse(repr(goal)) == goal == pickle.loads(pickle.dumps(goal))
    assert goal.layers == ("a",)
    assert goal.batch is None


def test_a_photo_may_be_named(tmp_path: Path, demo: lt.Model, picture: torch.Tensor) -> None:
    lt.render(demo, "conv1_1:0", param="image([24, 16])", steps=1, progress=False).save(tmp_path / "x.png")
    goal = parse("grid('conv2_2', photo('x.png', [24, 16]))", tmp_path)
    assert goal == grid("conv2_2", photo(tmp_path / "x.png"))


def test_what_is_no_picture_is_refused(demo: lt.Model) -> None:
    with pytest.raises(ImageError, match=r"\[C, H, W\]"):
        grid("conv2_2", [1.0, 2.0])
    with pytest.raises(ImageError, match="255"):
        grid("conv2_2", torch.full((3, 8, 8), 7.0))
    with pytest.raises(ObjectiveError, match="one picture"):
        grid("conv2_2", torch.zeros(2, 3, 8, 8))
    with pytest.raises(ObjectiveError, match="render"):
        grid("conv2_2", torch.zeros(3, 8, 8))({"conv2_2": torch.zeros(1, 4, 2, 2)})
    with pytest.raises(ImageError, match="channels"):
        lt.render(demo, grid("conv2_2", torch.zeros(1, 16, 16)), steps=1, progress=False)
    with pytest.raises(ObjectiveError, match="positions"):
        lt.render(demo, grid("logits", torch.zeros(3, 64, 64)), steps=1, progress=False)
    with pytest.raises(SizeError, match="does not take"):
        lt.render(demo, grid("conv4_1", torch.zeros(3, 1, 1)), steps=1, progress=False)
