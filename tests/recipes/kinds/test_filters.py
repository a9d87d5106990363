from __future__ import annotations

import json
from typing import Any

import pytest
import torch
from recipe_runs import Bench, contents, pixels, shown
from small_networks import as_model
from torch import nn

import lucidtorch as lt
from lucidtorch.base.defaults import record_text
from lucidtorch.base.seeds import picture_seed
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.recipes.blame import FieldError

GAP, DARK = 2, 0.1  # between the pictures of a sheet
HALF_A_STEP = 0.5 / 255 + 1e-6
TILE = 56  # what kernels are enlarged to at most


def with_kernels(weights: torch.Tensor, **words: Any) -> Model:
    layer = nn.Conv2d(weights.shape[1], len(weights), tuple(weights.shape[2:]), padding=1)
    with torch.no_grad():
        layer.weight[:] = weights
        layer.bias.fill_(0.1)
    return as_model(nn.Sequential(layer, nn.ReLU()), channels=weights.shape[1], **words)


def random_kernels(*shape: int) -> torch.Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(0))


def run_on(model: Model, bench: Bench, **fields: Any) -> lt.recipes.Run:
    given = {"layers": "0", "size": 16, "steps": 2} | fields
    return lt.recipes.filters(model, **given, output=bench.folder / "own", progress=False)


def test_every_unit_is_planned_with_the_seed_that_it_has_everywhere(bench: Bench) -> None:
    plan = bench.plan("filters", layers=["conv2_1", "conv1_1"], units=[7, 3], seed=5)
    assert [repr(task.objective) for task in plan.tasks] == ["channel('conv1_1', [3, 7])", "channel('conv2_1', [3, 7])"]
    assert shown(plan.tasks[0]) == [
        ("pictures/conv1_1/00003.png", picture_seed(5, "conv1_1", 3, "channel", 0)),
        ("pictures/conv1_1/00007.png", picture_seed(5, "conv1_1", 7, "channel", 0)),
    ]
    assert plan.fields == {
        "layers": ("conv1_1", "conv2_1"),
        "param": record_text(lt.param.image(24, sd=0.001)),
        "start": "blank",
    }
    assert repr(plan.tasks[0].craft.transforms) == "jitter(4)"


@pytest.mark.parametrize(
    ("fields", "param", "start"),
    [
        ({}, "image(24, sd=0.001)", "blank"),
        ({"start": "noise"}, "image(24, sd=0.5)", "noise"),
        ({"size": [24, 16]}, "image([24, 16], sd=0.001)", "blank"),
        ({"param": "image(24, fft=False)"}, "image(24, fft=False)", None),
        ({"param": "image(24, sd=0.001)", "start": "blank"}, "image(24, sd=0.001)", "blank"),
    ],
)
def test_the_start_decides_the_param_where_none_is_given(
    bench: Bench, fields: dict[str, Any], param: str, start: str | None
) -> None:
    plan = bench.plan("filters", layers="conv1_1", units=0, **fields)
    assert plan.fields["start"] == start
    assert repr(lt.param.parse(plan.fields["param"])) == param
    assert repr(plan.tasks[0].craft.param) == param


def test_a_blank_start_is_grey_and_noise_is_not(bench: Bench) -> None:
    for start, least, most in (("blank", 0, 0.02), ("noise", 0.03, 1)):
        run = bench.run("filters", start, layers="conv1_1", units=0, start=start, steps=1, lr=1e-9, kernels=False)
        picture = pixels(run, "pictures/conv1_1/00000.png")
        assert least <= float((picture - 0.5).abs().max()) <= most


def test_the_best_are_those_with_the_highest_objective_in_order(bench: Bench) -> None:
    run = bench.run("filters", layers="conv1_1", units="0-6", best=3, steps=4)
    best, rest, _ = run.story.sections
    records = {}
    for batch in (run.folder / "batches").glob("*.json"):
        pictures = json.loads(batch.read_text())["pictures"]
        records |= {one["file"]: one["score"] for one in pictures}
    assert len(records) == 7
    order = sorted(records, key=lambda file: records[file], reverse=True)
    assert [one.file for one in best.figures] == order[:3]
    assert [one.file for one in rest.figures] == ["sheet-conv1_1.png", *sorted(order[3:])]
    units = [int(file.rpartition("/")[2].removesuffix(".png")) for file in order]
    assert run.story.facts["layers"]["conv1_1"]["best"] == units[:3]
    assert run.story.facts["layers"]["conv1_1"]["objectives"] == [records[one] for one in sorted(records)]
    assert run.story.main == "best-conv1_1.png"
    picture = pixels(run, run.story.main)
    assert picture.shape == (3, 2 * 24 + GAP, 2 * 24 + GAP)
    assert torch.equal(picture[:, :24, -24:], pixels(run, order[1]))


def test_all_units_stand_in_one_sheet(bench: Bench) -> None:
    run = bench.run("filters", layers="conv1_1", units="0-4", best=1, kernels=False, size=[20, 16])
    sheet = pixels(run, "sheet-conv1_1.png")
    assert sheet.shape == (3, 3 * 20 + 2 * GAP, 2 * 16 + GAP)
    for unit in range(5):
        top, left = (unit // 2) * (20 + GAP), (unit % 2) * (16 + GAP)
        assert torch.equal(sheet[:, top : top + 20, left : left + 16], pixels(run, f"pictures/conv1_1/{unit:05d}.png"))
    assert "the rows begin with 0, 2, 4" in run.story.sections[1].figures[0].caption


def test_where_all_are_the_best_they_are_shown_once(bench: Bench) -> None:
    run = bench.run("filters", layers="conv1_1", units="0-2", kernels=False)
    (section,) = run.story.sections
    assert (section.heading, len(section.figures)) == ("conv1_1: all", 3)


def test_kernels_are_drawn_around_grey_each_against_its_own_peak(bench: Bench) -> None:
    weights = random_kernels(5, 3, 3, 4)
    weights[2] = 0
    weights[3] *= 1e-4
    run = run_on(with_kernels(weights), bench, units=0)
    picture = pixels(run, "kernels-0.png")
    times = TILE // 4
    height, width = 3 * times, 4 * times
    assert picture.shape == (3, 3 * height + 2 * GAP, 2 * width + GAP)
    for place, kernel in enumerate(weights):
        top, left = (place // 2) * (height + GAP), (place % 2) * (width + GAP)
        tile = picture[:, top : top + height, left : left + width]
        peak = float(kernel.abs().max()) or 1.0
        for row in range(height):
            wanted = 0.5 + kernel[:, row // times] / peak / 2
            assert tile[:, row, ::times].flatten() == pytest.approx(wanted.flatten(), abs=HALF_A_STEP)
    facts = run.story.facts["kernels"]
    norms = [sum(float(value) ** 2 for value in kernel.flatten()) ** 0.5 for kernel in weights]
    assert facts["norms"] == pytest.approx(norms, rel=1e-5)
    assert (facts["layer"], facts["shape"], facts["dead"]) == ("0", [5, 3, 3, 4], [2])
    said = " ".join(run.story.sections[-1].text)
    assert "All weights are zero in 2:" in said
    assert "Below a hundredth of the largest norm: 3." in said


def test_kernels_of_other_channels_are_a_row_of_grey_pictures_each(bench: Bench) -> None:
    weights = random_kernels(2, 4, 3, 3)
    run = run_on(with_kernels(weights), bench, units=0)
    picture = pixels(run, "kernels-0.png")
    side = 3 * (TILE // 3)
    assert picture.shape == (1, 2 * side + GAP, 4 * side + 3 * GAP)
    wanted = 0.5 + weights[1, 2, 0, 0] / weights[1].abs().max() / 2
    assert float(picture[0, side + GAP, 2 * (side + GAP)]) == pytest.approx(float(wanted), abs=HALF_A_STEP)
    assert picture[0, side, 0] == pytest.approx(DARK, abs=HALF_A_STEP)


def test_kernels_of_a_network_that_takes_blue_first_are_shown_in_true_colours(bench: Bench) -> None:
    weights = torch.zeros(1, 3, 3, 3)
    weights[0, 2] = 1.0  # the third channel of the network's own input is red
    layer = nn.Conv2d(3, 1, 3)
    with torch.no_grad():
        layer.weight[:] = weights
    model = lt.load_model(nn.Sequential(layer), mean=0.0, std=1.0, size=16, channel_order="bgr")
    run = run_on(model, bench, units=0)
    assert pixels(run, "kernels-0.png")[:, 5, 5].tolist() == pytest.approx([1, 0.5, 0.5], abs=1 / 255)


@pytest.mark.parametrize(
    "network",
    [
        nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(3, 2, 3)),
        nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 2)),
        nn.Sequential(nn.Conv2d(3, 3, 3, groups=3)),
    ],
)
def test_there_are_no_kernels_where_no_convolution_sees_the_image_itself(bench: Bench, network: nn.Module) -> None:
    run = run_on(as_model(network, size=16), bench, layers=str(len(network) - 1), units=0, transforms="identity()")
    assert "kernels" not in run.story.facts
    assert len(run.story.sections) == 1


def test_dead_units_are_no_best_ones(bench: Bench) -> None:
    network = nn.Sequential(nn.Conv2d(3, 3, 3), nn.ReLU())
    with torch.no_grad():
        network[0].bias[:] = torch.tensor([1.0, -1e6, 2.0])
    run = run_on(as_model(network), bench, layers="1", kernels=False)
    assert run.story.facts["layers"]["1"]["dead"] == [1]
    assert sorted(run.story.facts["layers"]["1"]["best"]) == [0, 2]
    assert "nothing woke them" in run.story.sections[0].text[1]


def test_a_network_of_one_channel(bench: Bench) -> None:
    run = run_on(load_model("digits", device="cpu"), bench, layers="conv2", units="0-1", size=[48, 64])
    assert pixels(run, "pictures/conv2/00001.png").shape == (1, 48, 64)
    assert len(pixels(run, "kernels-conv1.png")) == 1
    assert run.story.facts["kernels"]["shape"] == [16, 1, 3, 3]


@pytest.mark.parametrize("fields", [{"start": "noise"}, {"param": "image(24, fft=False, decorrelate=False)"}])
def test_the_resolved_recipe_gives_the_same_folder(bench: Bench, fields: dict[str, Any]) -> None:
    given = {"size": None} | fields if "param" in fields else fields
    first = bench.run("filters", layers=["conv2_1", "conv1_1"], units="0-3", best=2, **given)
    assert contents(bench.again(first).folder) == contents(first.folder)


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({}, ("layers",)),
        ({"layers": ["conv1_1", "conv9_9"]}, ("layers", 1)),
        ({"layers": "conv1_1", "units": [24]}, ("units",)),
        ({"layers": "conv1_1", "best": 0}, ("best",)),
        ({"layers": "conv1_1", "start": "grey"}, ("start",)),
        ({"layers": "conv1_1", "start": "blank", "param": "image(24, sd=0.2)"}, ("start",)),
        ({"layers": "conv1_1", "transforms": "wobble()"}, ("transforms",)),
        ({"layers": "conv1_1", "kernels": "some"}, ("kernels",)),
    ],
)
def test_what_does_not_fit_is_refused_with_its_field(
    bench: Bench, fields: dict[str, Any], key: tuple[str | int, ...]
) -> None:
    with pytest.raises(FieldError) as caught:
        bench.plan("filters", **fields)
    assert caught.value.key[: len(key)] == key
