"""Pictures with an opacity: what stands behind them, how they are saved, and what refuses them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import nn

import lucidtorch as lt
from lucidtorch.base.defaults import record_text
from lucidtorch.base.errors import ImageError
from lucidtorch.transforms import background, standard


@pytest.fixture(scope="module")
def demo() -> lt.Model:
    return lt.load_model("demo")


GOAL = "conv2_1:3 - 0.1 * alpha_coverage()"


def test_a_background_stands_behind_by_default(demo: lt.Model) -> None:
    found = lt.render(demo, GOAL, param="image(24, batch=2, alpha=True)", steps=3, progress=False)
    assert found.images.shape == (2, 4, 24, 24)
    assert found.alpha
    assert found.recipe["transforms"] == record_text(background() | standard())
    assert torch.allclose(found.history["alpha_coverage()"][:, 0], torch.tensor(0.5), atol=0.02)


def test_finished_pictures_are_judged_on_grey(demo: lt.Model) -> None:
    found = lt.render(
        demo, "conv2_1:3", param="image(24, alpha=True)", transforms="background()", steps=3, progress=False
    )
    colours, opacity = found.images[:, :3], found.images[:, 3:]
    seen = demo.activations(colours * opacity + 0.5 * (1 - opacity), "conv2_1")
    assert torch.allclose(found.values, lt.objectives.channel("conv2_1", 3)(seen), atol=1e-5)


def test_a_png_keeps_it_and_can_be_made_again(demo: lt.Model, tmp_path: Path) -> None:
    found = lt.render(demo, GOAL, param="image(24, batch=2, alpha=True)", steps=3, snapshots=(1, 3), progress=False)
    path = found.save(tmp_path / "x.png")
    with Image.open(path) as picture:
        pixels = np.array(picture)
        assert picture.mode == "RGBA"
    assert np.array_equal(pixels[:24, :24], (found.images[0].permute(1, 2, 0) * 255).round().numpy())
    lt.recipes.rerun(path, tmp_path / "y.png")
    assert (tmp_path / "y.png").read_bytes() == path.read_bytes()
    assert found.save(tmp_path / "x.gif").stat().st_size > 0


def test_one_grey_channel_and_its_opacity(tmp_path: Path) -> None:
    digits = lt.load_model("digits")
    found = lt.render(digits, "logit(3)", param="image(24, channels=1, alpha=True)", steps=2, progress=False)
    with Image.open(found.save(tmp_path / "x.png")) as picture:
        assert picture.mode == "LA"


def test_a_network_of_four_channels_sees_all_of_them() -> None:
    with torch.random.fork_rng(devices=[]):
        model = lt.load_model(nn.Conv2d(4, 2, 3), mean=0.0, std=1.0, size=12, channels=4)
    found = lt.render(model, "output:1", param="image(12, channels=4)", steps=1, progress=False)
    assert found.images.shape == (1, 4, 12, 12)
    assert not found.alpha


def test_it_is_refused_where_nothing_takes_it_away(demo: lt.Model) -> None:
    with pytest.raises(ImageError, match="background"):
        lt.render(demo, "conv2_1:3", param="image(24, alpha=True)", transforms="identity()", steps=1, progress=False)
    with pytest.raises(ImageError, match="channels"):
        lt.render(demo, "conv2_1:3", param="image(24)", transforms="background()", steps=1, progress=False)


def test_several_pictures_play_one_after_another(demo: lt.Model, tmp_path: Path) -> None:
    found = lt.render(demo, "conv2_1:3", param=lt.param.animation(24, 6), steps=2, progress=False)
    with Image.open(found.save(tmp_path / "x.gif")) as film:
        assert film.n_frames == 6
        assert film.size == (24, 24)
