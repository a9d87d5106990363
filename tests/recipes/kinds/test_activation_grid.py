from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from recipe_runs import Bench, contents, pixels

from lucidtorch.base.arrays import Array
from lucidtorch.base.seeds import picture_seed
from lucidtorch.datasets import drawings
from lucidtorch.galleries.task import Task
from lucidtorch.objectives.term import Term
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.parts.grids.grid_cells import GridCells

STAR: dict[str, Any] = {"image": {"drawing": "star"}, "image_size": 32}  # relu2_1 is 8 x 8, relu3_1 is 4 x 4


def activations(bench: Bench, layer: str) -> torch.Tensor:
    every = drawings("test", size=(32, 32))
    star = next(place for place in range(len(every.classes)) if every[place][1] == every.classes.index("star"))
    seen = torch.as_tensor(np.asarray(every[star][0])).float()[None]
    return bench.model.activations(seen, layer)[layer][0]


def vectors(task: Task) -> np.ndarray:
    assert isinstance(task.objective, Term)
    found = dict(task.objective.arguments)["vector"]
    assert isinstance(found, Array)
    return found.numpy()


def test_each_position_follows_what_the_layer_says_there(bench: Bench) -> None:
    (task,) = bench.plan("activation_grid", layers="relu3_1", **STAR, batch=16).tasks
    values = activations(bench, "relu3_1")
    places = [(int(piece.file[-18:-15]), int(piece.file[-7:-4])) for piece in task.pieces]
    assert sorted(places) == [(row, column) for row in range(4) for column in range(4)]
    wanted = torch.stack([values[:, row, column] for row, column in places])
    np.testing.assert_allclose(vectors(task), wanted, atol=1e-6)
    assert task.seeds[0] == picture_seed(picture_seed(0, "relu3_1", "direction"), *places[0])
    assert isinstance(task.objective, Term)
    assert dict(task.objective.arguments)["cossim_pow"] == 1


def test_neighbouring_positions_are_averaged_into_one_cell(bench: Bench) -> None:
    (task,) = bench.plan("activation_grid", layers="relu3_1", **STAR, group=3, batch=16).tasks
    values = activations(bench, "relu3_1")
    corners = {
        "row-000-column-000": values[:, :3, :3],
        "row-000-column-001": values[:, :3, 3:],
        "row-001-column-000": values[:, 3:, :3],
        "row-001-column-001": values[:, 3:, 3:],
    }
    found = dict(zip((Path(piece.file).stem for piece in task.pieces), vectors(task), strict=True))
    for name, corner in corners.items():
        np.testing.assert_allclose(found[name], corner.mean((1, 2)), atol=1e-6)


@pytest.mark.parametrize(("rows", "columns"), [(1, 1), (4, 4), (8, 8), (5, 3), (2, 7)])
def test_the_way_through_the_cells_visits_each_once(rows: int, columns: int) -> None:
    cells = GridCells("a", (rows, columns), 1, torch.zeros(1, rows, columns))
    assert sorted(cells.walk) == list(cells.places)
    strides = [abs(a - c) + abs(b - d) for (a, b), (c, d) in zip(cells.walk, cells.walk[1:], strict=False)]
    if rows == columns:
        assert set(strides) <= {1}


def test_batches_hold_neighbours_and_the_last_is_filled_up(bench: Bench) -> None:
    tasks = bench.plan("activation_grid", layers="relu3_1", **STAR, batch=6).tasks
    assert [(len(task.seeds), len(task.pieces)) for task in tasks] == [(6, 6), (6, 6), (6, 4)]
    assert "shared([1, 3, 12, 12])" in repr(tasks[0].craft.param)
    assert len({id(task.craft) for task in tasks}) == 1


def test_cells_that_share_nothing_have_a_plain_param(bench: Bench) -> None:
    (task,) = bench.plan("activation_grid", layers="relu3_1", **STAR, shared=False, batch=16).tasks
    assert repr(task.craft.param) == "image(24)"


def test_the_most_active_channels_are_rendered_once(bench: Bench) -> None:
    tasks = bench.plan("activation_grid", layers="relu2_1", **STAR, show="channel", batch=4).tasks
    wanted = sorted(set(activations(bench, "relu2_1").argmax(0).flatten().tolist()))
    files = [piece.file for task in tasks for piece in task.pieces]
    assert files == [f"pictures/relu2_1/channel-{unit:05d}.png" for unit in wanted]
    assert tasks[0].seeds[0] == picture_seed(0, "relu2_1", wanted[0], "channel", 0)


def test_the_grid_has_no_gaps_and_stands_beside_the_picture(bench: Bench) -> None:
    run = bench.run("activation_grid", layers="relu3_1", **STAR, group=2, trim=3, size=[24, 20], show="both")
    grid = pixels(run, "grid-relu3_1.png")
    assert grid.shape == (3, 2 * 18, 2 * 14)
    cell = pixels(run, "pictures/relu3_1/row-001-column-000.png")[:, 3:-3, 3:-3]
    torch.testing.assert_close(grid[:, 18:, :14], cell)
    best = activations(bench, "relu3_1").unflatten(1, (2, 2)).unflatten(3, (2, 2)).mean((2, 4)).argmax(0)
    channel = pixels(run, f"pictures/relu3_1/channel-{int(best[0, 1]):05d}.png")[:, 3:-3, 3:-3]
    torch.testing.assert_close(pixels(run, "grid-relu3_1-channels.png")[:, :18, 14:], channel)
    assert pixels(run, "inputs/as-seen.png").shape == (3, 32, 32)
    assert pixels(run, "overview.png").shape == (3, 36, 36 + 2 + 28 + 2 + 28)
    assert run.story.main == "overview.png"
    assert [section.heading for section in run.story.sections][1:] == [
        "relu3_1: all that the layer says",
        "relu3_1: the most active channels",
    ]


def test_cells_may_be_the_smaller_the_less_the_layer_says(bench: Bench) -> None:
    run = bench.run("activation_grid", layers="relu3_1", **STAR, group=2, trim=0, scale_by_length=True)
    lengths = activations(bench, "relu3_1").unflatten(1, (2, 2)).unflatten(3, (2, 2)).mean((2, 4)).norm(dim=0)
    grid = pixels(run, "grid-relu3_1.png")
    for row, column in ((0, 0), (0, 1), (1, 0), (1, 1)):
        share = max(0.2, float((lengths[row, column] / lengths.max()) ** 0.5))
        cell = grid[:, row * 24 : row * 24 + 24, column * 24 : column * 24 + 24]
        drawn = (cell - 128 / 255).abs().sum(0) > 1e-3
        assert drawn.any(1).sum() == pytest.approx(round(24 * share), abs=1)


def test_the_data_tells_every_cell(bench: Bench) -> None:
    run = bench.run("activation_grid", layers=["relu3_1"], **STAR, steps=1, batch=16)
    data = json.loads((run.folder / "data.json").read_text())["facts"]["layers"]["relu3_1"]
    values = activations(bench, "relu3_1")
    assert data["grid"] == data["positions"] == [4, 4]
    assert len(data["cells"]) == 16
    cell = data["cells"][6]
    assert (cell["row"], cell["column"]) == (1, 2)
    assert cell["length"] == pytest.approx(float(values[:, 1, 2].norm()), rel=1e-4)
    assert cell["channels"][0] == [
        int(values[:, 1, 2].argmax()),
        pytest.approx(float(values[:, 1, 2].max()), rel=1e-4),
    ]


@pytest.mark.parametrize(
    "fields", [{**STAR, "group": [2, 4], "show": "both"}, {"image": "half.png", "image_size": 24, "group": 2}]
)
def test_the_resolved_recipe_gives_the_same_folder(
    bench: Bench, fields: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    Image.fromarray(np.tile(np.arange(40, dtype=np.uint8) * 6, (30, 1))).save(bench.folder / "half.png")
    monkeypatch.chdir(bench.folder)
    first = bench.run("activation_grid", layers=["relu3_1", "relu2_1"], size=None, steps=1, batch=16, **fields)
    assert first.recipe.size == 48
    assert contents(bench.again(first).folder) == contents(first.folder)


@pytest.mark.parametrize(
    ("fields", "key", "words"),
    [
        ({"layers": "logits"}, ("layers",), "no positions"),
        ({"layers": ["relu2_1", "flat"]}, ("layers", 1), "no positions"),
        ({"layers": ["relu2_1", "relu9"]}, ("layers", 1), "no layer 'relu9'"),
        ({"layers": "relu3_1", "group": 5}, ("group",), "4 x 4 positions"),
        ({"layers": ["relu2_1", "relu3_1"], "group": [2, 9]}, ("group", 1), "4 x 4 positions"),
        ({"layers": ["relu2_1", "relu3_1"], "group": [2]}, ("group",), "1 numbers for 2 layers"),
        ({"layers": "relu3_1", "trim": 12}, ("trim",), "24 pixels"),
        ({"layers": "relu3_1", "image": "none.png"}, ("image",), "cannot be read"),
        ({"layers": "relu3_1", "image": {"drawing": "sta"}}, ("image",), "Did you mean 'star'"),
        ({"layers": "relu3_1", "image_size": [3, 32, 32]}, ("image_size",), "height and width"),
        ({"layers": "relu3_1", "show": "channels"}, ("show",), "direction"),
        ({"layers": "relu3_1", "param": "stack(image(24), image(24))"}, ("shared",), "image"),
    ],
)
def test_a_grid_that_cannot_be_is_refused_at_its_field(
    bench: Bench, fields: dict[str, Any], key: tuple[str | int, ...], words: str
) -> None:
    with pytest.raises(FieldError, match=words) as caught:
        bench.plan("activation_grid", **(STAR | fields))
    assert caught.value.key == key
