"""What stands beside a picture: the best patches of the data, and where the picture's own value lies among them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from small_networks import as_model, mixing
from torch import Tensor

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, LucidtorchWarning
from lucidtorch.base.images import encode_png
from lucidtorch.datasets import drawings, scan
from lucidtorch.galleries.aims import Aim
from lucidtorch.galleries.beside import marked, percent_text
from lucidtorch.galleries.examples import Examples
from lucidtorch.galleries.look import picture_pixels
from lucidtorch.models.model import Model

COUNT, SIDE = 30, 24


@pytest.fixture(scope="module")
def model() -> Model:
    return as_model(mixing(), size=SIDE)


@pytest.fixture(scope="module")
def images() -> Tensor:
    return torch.rand(COUNT, 3, SIDE, SIDE, generator=torch.Generator().manual_seed(3))


@pytest.fixture(scope="module")
def values(model: Model, images: Tensor) -> dict[str, np.ndarray]:
    """Every value of every unit, `[units, all places of all images]`, from one pass with all of them."""
    found = model.activations(images, ["0", "2", "8"])
    return {layer: one.transpose(0, 1).flatten(1).numpy() for layer, one in found.items()}


@pytest.fixture(scope="module")
def examples(model: Model, images: Tensor, tmp_path_factory: pytest.TempPathFactory) -> Examples:
    folder = tmp_path_factory.mktemp("scan")
    return Examples.open(scan(model, images, folder, layers=["0", "2", "8"], batch=COUNT, bins=4096), model, images)


def inscribed(file: str) -> str:
    return f"it is {file}"


@pytest.mark.parametrize("layer", ["0", "2", "8"])
@pytest.mark.parametrize("down", [False, True])
@pytest.mark.parametrize("brightness", [0.02, 0.5, 3.0])
def test_what_a_picture_reaches_is_set_against_every_value_of_the_data(
    examples: Examples, values: dict[str, np.ndarray], tmp_path: Path, layer: str, down: bool, brightness: float
) -> None:
    picture = torch.rand(3, 20, 28, generator=torch.Generator().manual_seed(1)).mul(brightness).clamp(0, 1)
    for unit, own in enumerate(values[layer]):
        beside = examples.beside(Aim(layer, unit, down), tmp_path, inscribed, [picture])
        seen = examples.model.activations(picture[None], layer)[layer][0, unit].numpy()
        reached = float(seen.min() if down else seen.max())
        assert beside.reached == pytest.approx(reached, rel=1e-5)
        assert beside.best == pytest.approx(float(own.min() if down else own.max()), rel=1e-5)
        bins = np.ptp(own) * 2 / 4096  # the histogram's width is a power of two
        low, high = 100 * (own < reached - bins).mean(), 100 * (own < reached + bins).mean()
        assert beside.percentile is not None
        assert low - 1e-9 <= beside.percentile <= high + 1e-9
        beyond = reached < own.min() if down else reached > own.max()
        assert (f"than any of the {own.size:,} values" in beside.note) == beyond
        assert ("goes down to" in beside.note) == down


def test_several_pictures_of_a_unit_count_with_the_best_of_them(examples: Examples, tmp_path: Path) -> None:
    dark, bright = torch.full((3, 16, 16), 0.1), torch.full((3, 16, 16), 0.9)
    each = [examples.reach(Aim("0", 1, False), [one]) for one in (dark, bright)]
    both = examples.reach(Aim("0", 1, False), [dark, bright])
    assert both is not None
    assert both.value == max(one.value for one in each if one is not None)
    note = examples.beside(Aim("0", 1, False), tmp_path, inscribed, [dark, bright]).note
    assert note.startswith("The best of the 2 pictures reaches")
    assert examples.reach(Aim("0", 1, False), []) is None
    assert examples.reach(Aim("0", 1, False), [dark[:1]]) is None


@pytest.mark.parametrize("down", [False, True])
def test_the_strip_holds_the_patches_of_the_best_images(
    examples: Examples, images: Tensor, tmp_path: Path, down: bool
) -> None:
    """Unit 2 of layer 0 sees 3 x 3 pixels around its place, grey outside the image."""
    beside = examples.beside(Aim("0", 2, down), tmp_path, inscribed)
    given = examples.model.activations(images, "0")["0"][:, 2].flatten(1)
    ends = given.min(1) if down else given.max(1)
    order = sorted(range(COUNT), key=lambda one: float(ends.values[one]) * (1 if down else -1))[:9]
    assert [one.image for one in beside.images] == order
    assert [one.value for one in beside.images] == pytest.approx([float(ends.values[one]) for one in order], rel=1e-5)
    assert beside.file == f"examples/0/unit-00002{'-least' if down else ''}.png"
    found = picture_pixels(tmp_path / beside.file)
    assert found.shape == (4, 3, 9 * 3 + 8 * 2)
    padded = torch.nn.functional.pad(images, (1, 1, 1, 1), value=0.5)
    for place, image in enumerate(order):
        row, column = divmod(int(ends.indices[image]), SIDE)
        patch = padded[image, :, row : row + 3, column : column + 3]
        assert torch.allclose(found[:3, :, 5 * place : 5 * place + 3], patch, atol=0.51 / 255)
    assert beside.reached is beside.percentile is None
    assert beside.note == ""


def test_a_strip_that_stands_is_left_alone_and_a_damaged_one_is_written_again(
    examples: Examples, tmp_path: Path
) -> None:
    aim = Aim("8", 0, False)
    path = tmp_path / examples.beside(aim, tmp_path, inscribed).file
    first, time = path.read_bytes(), path.stat().st_mtime_ns
    examples.beside(aim, tmp_path, inscribed)
    assert path.stat().st_mtime_ns == time
    for other in (first[:-40], encode_png(torch.zeros(3, 4, 4), "of another scan"), b""):
        path.write_bytes(other)
        examples.beside(aim, tmp_path, inscribed)
        assert path.read_bytes() == first


def test_a_layer_is_found_by_any_of_its_names(demo: Model, tmp_path: Path) -> None:
    found = Examples.open(scan(demo, drawings("test", length=4, size=32), tmp_path, layers=["logits"], size=32), demo)
    assert found.aim(lt.parse("logit('star')")) == Aim("logits", (demo.labels or []).index("star"), False)
    assert found.aim(lt.parse("-logits:3")) == Aim("logits", 3, True)
    assert found.aim(lt.parse("conv1_1:3")) is None
    assert found.aim(lt.parse("of('demo', conv1_1:3)")) is None
    assert found.data == "4 drawings"


def test_images_that_are_gone_leave_the_numbers(tmp_path: Path, model: Model) -> None:
    drawings("test", length=6, size=SIDE).save(tmp_path / "images")
    scan(model, lt.datasets.folder(tmp_path / "images"), tmp_path / "scan", layers=["0"])
    assert Examples.open(tmp_path / "scan", model).data == "6 images of images"
    shutil.rmtree(tmp_path / "images")
    with pytest.warns(LucidtorchWarning, match="cannot be shown"):
        found = Examples.open(tmp_path / "scan", model)
    beside = found.beside(Aim("0", 1, False), tmp_path, inscribed, [torch.full((3, 16, 16), 0.5)])
    assert beside.file == ""
    assert beside.percentile is not None
    assert len(beside.images) == 6
    assert "not where they were scanned" in beside.note
    assert str(tmp_path) not in beside.note
    assert not (tmp_path / "examples").exists()


def test_images_of_a_program_are_asked_for(tmp_path: Path, model: Model, images: Tensor) -> None:
    scan(model, images[:3], tmp_path, layers=["0"])
    with pytest.warns(LucidtorchWarning, match="give `data`"):
        found = Examples.open(tmp_path, model)
    assert "only the program" in found.beside(Aim("0", 1, False), tmp_path, inscribed).note
    assert Examples.open(tmp_path, model, images[:3]).source is not None
    with pytest.raises(BadInputError, match="others than those"):
        Examples.open(tmp_path, model, images[3:6])


def test_scans_that_do_not_fit_are_refused(tmp_path: Path, model: Model, images: Tensor) -> None:
    with pytest.raises(BadInputError, match="holds no scan"):
        Examples.open(tmp_path / "nothing", model)
    scan(model, images[:4], tmp_path / "scan", layers=["0"], chunk=2)
    with pytest.raises(BadInputError, match="another network"):
        Examples.open(tmp_path / "scan", as_model(mixing(seed=1), size=SIDE), images[:4])
    summary = tmp_path / "scan" / "scan.json"
    summary.write_text(json.dumps(json.loads(summary.read_text()) | {"done": 2}))
    with pytest.raises(BadInputError, match="2 of 4"):
        Examples.open(tmp_path / "scan", model, images[:4])


@pytest.mark.parametrize(
    ("share", "text"),
    [(0.0, "0.0"), (40.26, "40.2"), (99.96, "99.96"), (99.9999, "99.9999"), (99.99998999, "99.99998"), (50, "50.0")],
)
def test_a_percentage_is_never_rounded_up_to_a_hundred(share: float, text: str) -> None:
    assert percent_text(share) == text


def test_a_strip_that_stood_before_is_marked(examples: Examples, tmp_path: Path) -> None:
    up, down = (examples.beside(Aim("0", 1, one), tmp_path, inscribed) for one in (False, True))
    assert [one and one.again for one in marked([up, None, down, up, down])] == [False, None, False, True, True]
