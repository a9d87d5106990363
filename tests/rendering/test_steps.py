"""Exactly as many updates as asked for, snapshots after k of them, and a history of every part."""

from __future__ import annotations

import itertools
from pathlib import Path
from typing import Any

import imageio_ffmpeg
import pytest
import torch
from PIL import Image
from small_networks import as_model, mixing

import lucidtorch as lt
from lucidtorch.base.errors import LucidtorchWarning, OutputError
from lucidtorch.models.model import Model
from lucidtorch.objectives import L2, channel, deepdream, each, interpolate, logit
from lucidtorch.rendering.loop import Step


@pytest.fixture(scope="module")
def model() -> Model:
    """A small network."""
    return as_model(mixing())


def rendered(model: Model, goal: Any = "4:0", **more: Any) -> lt.Rendering:
    settings = {"param": lt.param.image(16), "steps": 3, "progress": False}
    return lt.render(model, goal, **(settings | more))


@pytest.mark.parametrize("steps", [1, 2, 7, 20])
def test_exactly_so_many_updates(model: Model, steps: int) -> None:
    seen: list[int] = []
    found = rendered(model, steps=steps, callbacks=[lambda step: seen.append(step.number)])
    assert seen == list(range(1, steps + 1))
    assert all(one.shape == (1, steps) for one in found.history.values())


def test_every_update_moves_the_image(model: Model) -> None:
    images: list[torch.Tensor] = []
    found = rendered(model, steps=6, callbacks=[lambda step: images.append(step.images)])
    assert all(not torch.equal(before, after) for before, after in itertools.pairwise(images))
    assert torch.equal(images[-1], found.images)


@pytest.mark.parametrize("optimizer", ["adam", "sgd"])
def test_the_updates_are_the_optimizers(model: Model, optimizer: str) -> None:
    """One step by hand: the gradient of the sum of the values, up."""
    param = lt.param.image(16, batch=2, fft=False)
    found = rendered(model, param=param, steps=1, lr=0.1, optimizer=optimizer, transforms="identity()", seed=3)
    again = lt.param.image(16, batch=2, fft=False)
    again.fill([3, 4])
    (numbers,) = again.parameters()
    module = mixing().eval()
    values = module[:5](again())[:, 0].mean((1, 2))
    (gradient,) = torch.autograd.grad(values.sum(), numbers)
    with torch.no_grad():
        if optimizer == "sgd":
            numbers += 0.1 * gradient
        else:
            numbers += 0.1 * gradient / (gradient.abs() + 1e-8)
    assert torch.allclose(found.images, again().detach(), atol=1e-6)
    assert torch.allclose(found.history["objective"][:, 0], values.detach(), atol=1e-6)


@pytest.mark.parametrize("k", [1, 4, 6])
def test_a_snapshot_is_the_picture_after_k_updates(model: Model, k: int) -> None:
    found = rendered(model, steps=6, snapshots=[6, k, k])
    assert torch.equal(found.snapshots[k], rendered(model, steps=k).images)
    assert list(found.snapshots) == sorted({k, 6})
    assert torch.equal(found.snapshots[6], found.images)


def test_snapshots_do_not_change_the_picture(model: Model) -> None:
    assert torch.equal(rendered(model, steps=4, snapshots=[1, 2, 3]).images, rendered(model, steps=4).images)


def test_the_iterator_is_the_same_loop(model: Model) -> None:
    steps = list(lt.optimize(model, "4:0", param=lt.param.image(16), steps=3))
    assert [step.number for step in steps] == [1, 2, 3]
    assert all(isinstance(step, Step) and step.steps == 3 for step in steps)
    assert torch.equal(steps[-1].images, rendered(model, steps=3).images)


def test_history_holds_every_part(model: Model) -> None:
    goal = channel("4", 0) - 0.5 * deepdream("2") + each(channel("4", 1), L2()) * 2 - (3 * channel("8", 0)).on(1)
    goal = goal + interpolate(channel("8", 1), channel("8", 2), 2)
    found = rendered(model, goal, steps=2, param=lt.param.image(16, batch=2))
    one, two, three, four, five = (
        found.history[text]
        for text in (
            "channel('4', 0)",
            "deepdream('2')",
            "each(channel('4', 1), L2())",
            "(3 * channel('8', 0)).on(1)",
            "interpolate(channel('8', 1), channel('8', 2), 2)",
        )
    )
    whole = one - 0.5 * two + three * 2 - four + five
    assert torch.allclose(found.history["objective"], whole, atol=1e-5)
    assert four[0].tolist() == [0, 0]
    assert set(found.history) == {repr(part) for _, part in goal.terms()} | {"objective"}


def test_the_history_speaks_of_labels_as_they_were_asked(demo: Model) -> None:
    name = demo.labels[2]
    found = rendered(demo, logit(name), param=lt.param.image(32), steps=1)
    assert f"logit({name!r})" in found.history
    assert found.recipe["objective"] == f"logit({name!r}, layer='logits')"
    assert torch.equal(found.images, rendered(demo, logit(2), param=lt.param.image(32), steps=1).images)


def test_values_are_of_the_finished_picture_without_transforms(model: Model) -> None:
    found = rendered(model, transforms="identity()")
    assert torch.allclose(found.values, channel("4", 0)(model.activations(found.images, "4")), atol=1e-6)


def test_the_objective_rises(demo: Model) -> None:
    vector = [1.0, -1.0] * (demo.layers["conv1_2"].channels // 2)
    tilted = lt.objectives.direction("conv1_2", vector, cossim_pow=1)
    for goal in ("conv1_2:0", "conv2_1:3", logit(1), deepdream("conv2_2"), "neuron('conv1_2', 2)", tilted):
        found = rendered(demo, goal, param=lt.param.image(32), steps=8, transforms="identity()", lr=0.1)
        history = found.history["objective"][0]
        assert history[-1] > history[0], goal


def test_the_canvas_is_what_the_pipeline_says(model: Model) -> None:
    found = rendered(model, param=lt.param.image((16, 20)))
    assert found.recipe["canvas"] == [40, 44]
    assert found.images.shape == (1, 3, 16, 20)


def test_a_gif_shows_the_snapshots(model: Model, tmp_path: Path) -> None:
    found = rendered(model, steps=3, snapshots=[1, 2, 3])
    with Image.open(found.save(tmp_path / "movie.gif")) as movie:
        assert movie.n_frames == 3
        assert movie.size == (16, 16)


def test_an_mp4_shows_the_snapshots(model: Model, tmp_path: Path) -> None:
    found = rendered(model, steps=3, snapshots=[1, 2, 3], param=lt.param.image(32))
    path = found.save(tmp_path / "movie.mp4")
    assert imageio_ffmpeg.count_frames_and_secs(str(path))[0] == 3


def test_pictures_are_written_as_they_are_shown(model: Model, tmp_path: Path) -> None:
    found = rendered(model, param=lt.param.image(16, batch=3))
    with Image.open(found.save(str(tmp_path / "new" / "sheet.png"))) as picture:
        assert picture.size == (16 * 2 + 2, 16 * 2 + 2)
    assert found._repr_html_().count("<figure") == 3
    assert repr(found) == "<Rendering of channel('4', 0): 3 x 3 x 16 x 16, 3 steps>"


@pytest.mark.parametrize("name", ["x.jpg", "x", "x.gif"])
def test_names_that_cannot_be_written_are_refused(model: Model, name: str, tmp_path: Path) -> None:
    with pytest.raises(OutputError):
        rendered(model, steps=1).save(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_places_that_cannot_be_written_are_refused(model: Model, tmp_path: Path) -> None:
    found = rendered(model, steps=1)
    (tmp_path / "file").write_text("")
    for path in (tmp_path / "file" / "x.png", tmp_path):
        with pytest.raises(OutputError):
            found.save(path)


def test_large_arrays_are_written_beside_the_picture(model: Model, tmp_path: Path) -> None:
    start = torch.rand(3, 16, 16)
    found = rendered(model, param=lt.param.image(16, init=start), steps=1)
    found.save(tmp_path / "x.png")
    (array,) = [path for path in tmp_path.iterdir() if path.suffix == ".npy"]
    assert array.name in found.recipe["param"]
    again = lt.param.parse(found.recipe["param"], tmp_path)
    assert torch.equal(rendered(model, param=again, steps=1).images, found.images)


def test_diversity_of_one_image_is_warned_of(model: Model) -> None:
    with pytest.warns(LucidtorchWarning, match="there is one"):
        rendered(model, "4:0 - diversity('4')", steps=1)


def test_no_progress_is_shown_where_nobody_looks(model: Model, capsys: pytest.CaptureFixture[str]) -> None:
    rendered(model, steps=1, progress=True)
    assert capsys.readouterr() == ("", "")
