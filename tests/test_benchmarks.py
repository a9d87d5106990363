"""The arithmetic and the tables of the benchmarks; no times are compared here."""

from __future__ import annotations

import copy
import itertools
import json
import math
from types import SimpleNamespace

import bench
import equal_steps
import paired
import plot
import pytest
import report
import to_score
import torch
from floor import floor_step
from on_gpu import hide_gpus
from peers.convention import INNER, Normalizing
from peers.lucent import Made
from peers.packages import make_importable, stand_in
from PIL import Image
from rows import Row, at_least, at_most
from settings import ours
from speed import Ours
from to_score import Unit, live_units, scores, seconds_to
from torch import nn

ROWS = [
    Row("floor/net", "a step", "<= 1.05", [1.0, 1.02, 1.1, 1.04, 1.03], met=True, note="at 128"),
    Row("memory/net", "peak", "<= 90", [131.26], "MB", met=False),
    Row("gpu/net", "a step", ">= 50", skipped="no GPU here"),
]
SHORT = {"size": 32, "steps": 16}
FACTS = {
    "quick": True,
    "cores": 2,
    "processor": "P",
    "capability": "AVX2",
    "versions": {"torch": "2", "torchvision": "0", "torch-lucent": "1"},
}


def test_a_row_is_summed_up_by_its_median_and_inclusive_quartiles():
    assert ROWS[0].median == 1.03
    assert ROWS[0].quartiles == pytest.approx((1.02, 1.04))
    assert ROWS[1].quartiles == (131.26, 131.26)
    assert math.isnan(ROWS[2].median)


@pytest.mark.parametrize(("values", "most", "least"), [([1, 2, 9], True, True), ([3], False, True), ([1], True, False)])
def test_goals_are_judged_by_the_median(values, most, least):
    assert (at_most(2, values), at_least(2, values)) == (most, least)
    assert at_most(2, []) is None
    assert at_least(2, []) is None


def test_rounds_run_every_variant_once_and_drop_the_first():
    counts = {name: itertools.count() for name in "ab"}
    costs = paired.paired({name: lambda name=name: float(next(counts[name])) for name in counts}, 5, budget=60)
    assert costs == {name: [1.0, 2.0, 3.0, 4.0, 5.0] for name in counts}
    assert paired.ratios([2, 9], [1, 3]) == [2, 3]


def test_a_spent_budget_leaves_the_least_number_of_rounds():
    assert len(paired.paired({"a": lambda: 1.0}, 50, budget=0)["a"]) == paired.LEAST_ROUNDS


def test_a_table_has_a_line_for_each_row_and_says_why_one_is_empty():
    lines = report.table(ROWS).splitlines()
    assert lines[1].split() == ["floor/net", "a", "step", "1.03x", "1.02", "-", "1.04", "5", "<=", "1.05", "yes"]
    assert "131 MB" in lines[2]
    assert lines[2].endswith("NO")
    assert "no GPU here" in lines[3]
    assert "floor/net: at 128" in lines[-1]


def test_writing_into_a_page_again_replaces_the_section():
    section = report.markdown(ROWS, FACTS)
    once = report.written_into("# Page\n\nWords.\n", section)
    assert once.startswith("# Page\n\nWords.\n\n## Measured\n")
    assert "| floor/net | a step | 1.03x | 1.02 - 1.04 | 5 | <= 1.05 | yes |" in once
    assert report.written_into(once + "\nMore.\n", section) == once + "\nMore.\n"


def test_rows_come_back_from_the_file(tmp_path):
    report.save(tmp_path / "deeper" / "bench.json", ROWS, FACTS)
    assert report.load(tmp_path / "deeper" / "bench.json") == (ROWS, FACTS)


def test_groups_are_picked_by_name_or_by_family():
    names = ["outside", "speed/vgg16", "speed/resnet50", "memory"]
    assert bench.chosen(names, "") == names
    assert bench.chosen(names, "speed,memory") == names[1:]
    assert bench.chosen(names, "speed/resnet50") == ["speed/resnet50"]
    with pytest.raises(SystemExit, match="no group sped; there are outside"):
        bench.chosen(names, "sped")


def test_hidden_gpus_are_remembered_once(monkeypatch):
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    monkeypatch.delenv("LUCIDTORCH_BENCH_GPUS", raising=False)
    hide_gpus()
    hide_gpus()
    import os

    assert (os.environ["CUDA_VISIBLE_DEVICES"], os.environ["LUCIDTORCH_BENCH_GPUS"]) == ("", "1")


@pytest.mark.parametrize("matching", [True, False])
def test_both_floors_compute_the_gradient_of_the_network_itself(matching):
    torch.manual_seed(0)
    block = nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8), nn.ReLU(inplace=True), nn.Conv2d(8, 4, 3))
    for values in (block[1].running_mean, block[1].running_var, block[1].weight, block[1].bias):
        values.data.uniform_(0.5, 1.5)
    network = nn.Sequential(block, nn.Flatten(), nn.Linear(4 * 8 * 8, 2)).eval()
    images = torch.rand(2, 3, 12, 12)
    before = copy.deepcopy(network.state_dict())
    found = floor_step(network, "0", images, matching=matching)()
    wanted = images.clone().requires_grad_(True)
    (-block(wanted)[:, 0].mean((1, 2)).sum()).backward()
    torch.testing.assert_close(found, wanted.grad)
    assert found.is_contiguous(memory_format=torch.channels_last) == matching
    assert all(torch.equal(value, before[name]) for name, value in network.state_dict().items())


def test_what_a_picture_costs_once_is_what_its_steps_do_not_explain():
    assert Ours(iter(()), 8, 4, started=20.0).once(1.0) == 20.0 - 16 + 1
    assert Ours(iter(()), 8, 4, started=10.0).once(1.0) == 1.0
    made = Made(torch.zeros(3, 2, 2), seconds=10.0, marks=[4.0, 6.0, 8.0])
    assert (made.step_seconds, made.setup_seconds) == (2.0, 4.0)


def test_a_network_that_normalizes_by_itself_computes_the_same(demo):
    images = torch.rand(2, 3, 64, 64)
    kept = {}
    network = Normalizing(demo)
    network.get_submodule(f"{INNER}.conv2_2").register_forward_hook(
        lambda m, i, output: kept.update(out=output.clone())
    )
    network(images)
    torch.testing.assert_close(kept["out"], demo.activations(images, ["conv2_2"])["conv2_2"], rtol=1e-4, atol=1e-5)


def test_the_race_stops_where_the_score_is_reached(demo):
    units = [3, 4]
    begun, *_, ended = [scores(demo, "conv2_1", units, step.images) for step in ours(demo, "conv2_1", units, **SHORT)]
    assert all(end > start for start, end in zip(begun, ended, strict=True))
    low, beyond = Unit(3, begun[0], 1.0), Unit(4, 1e9, 1.0)
    soon, late = seconds_to(demo, "conv2_1", [low, Unit(4, ended[1], 1.0)], **SHORT)
    assert 0 < soon < late < math.inf
    assert seconds_to(demo, "conv2_1", [low, beyond], **SHORT)[1] == math.inf


def test_equal_steps_goes_on_behind_a_line_that_was_cut_short(tmp_path):
    lines = [{"tool": "ours", "layer": "mixed3a", "unit": 1, "steps": 8, "score": 3.0}]
    file = tmp_path / "lines.jsonl"
    assert equal_steps.read(file) == []
    file.write_text(json.dumps(lines[0]) + "\n" + '{"tool": "luc')
    assert equal_steps.read(file) == lines


def test_equal_steps_compares_the_units_that_lucent_lit():
    scored = {"lucent": [2.0, 4.0, 0.0, 1.0], "ours": [3.0, 4.0, 5.0, 2.0]}
    lines = [
        {"tool": tool, "layer": "mixed3a", "unit": unit, "steps": 8, "score": score}
        for tool, values in scored.items()
        for unit, score in enumerate(values)
    ]
    text = equal_steps.told([*lines, {**lines[0], "steps": 9, "score": 100.0}], 8)
    assert "mixed3a: 1.500 (1.000 - 2.000), n = 3" in text
    assert "1 units stayed dark with lucent, 1 of them" in text
    assert "8 steps: 1.500 (1.250 - 1.750), n = 3" in text


def test_an_absent_module_is_stood_in_for_and_a_present_one_is_left(monkeypatch):
    import sys

    monkeypatch.setattr(sys, "modules", dict(sys.modules))
    stand_in("json")
    assert sys.modules["json"] is json
    stand_in("no_such_package.shown")
    assert sys.modules["no_such_package"].shown is sys.modules["no_such_package.shown"]


@pytest.mark.filterwarnings("ignore")
def test_lucent_makes_a_picture_and_leaves_no_hooks(demo):
    make_importable()
    pytest.importorskip("lucent", reason="`make bench` installs it into .bench-packages")
    from peers.lucent import Lucent

    lucent = Lucent(demo)
    made = lucent.picture("conv2_1", 3, size=32, steps=3)
    again = lucent.picture("conv2_1", 3, size=32, steps=3)
    assert made.image.shape == (3, 32, 32)
    assert torch.equal(made.image, again.image)
    assert len(made.marks) == 3
    assert not any(module._forward_hooks for module in lucent.network.modules())
    assert all(parameter.grad is None for parameter in demo.module.parameters())


class Still:
    """A tool whose pictures of even units light them, and of odd ones do not."""

    def picture(self, layer, unit, *, size, steps):
        del layer, size
        return Made(torch.full((3, 32, 32), 0.9 if unit % 2 == 0 else 0.0), float(steps), [])


def test_dead_units_are_left_out_and_the_clock_ends_the_race(monkeypatch):
    def shown(model, layer, units, images):
        return [float(images.mean())] * len(units)

    monkeypatch.setattr(to_score, "scores", shown)
    model = SimpleNamespace(layers={"a": SimpleNamespace(channels=8)})
    found = list(live_units(model, "a", Still(), math.inf))
    assert sorted(unit.number for unit in found) == [0, 2, 4, 6]
    assert all(unit.seconds == 512 for unit in found)
    assert list(live_units(model, "a", Still(), -math.inf)) == []


@pytest.mark.parametrize("kinds", [("floor", "lucent", "score"), ("lucent",), ("floor",)])
def test_the_plot_is_drawn_of_what_there_is(tmp_path, kinds):
    make_importable()
    pytest.importorskip("matplotlib", reason="`make bench` installs it into .bench-packages")
    rows = [Row(f"{kind}/net", "", "", [1.0, 2.0]) for kind in kinds]
    plot.draw(rows, FACTS, tmp_path / "speed.png")
    with Image.open(tmp_path / "speed.png") as picture:
        assert picture.size == (1600, 920)
        assert len(picture.convert("RGB").getcolors(1 << 20)) > 10
