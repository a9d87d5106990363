"""The data that recipes look through: named, of a program, or in a scan that stands already."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from coloured_data import CLASSES, Coloured, colour_network
from recipe_runs import Bench, contents

from lucidtorch.base.errors import BadInputError
from lucidtorch.datasets import digits, drawings, load_scan, scan
from lucidtorch.models.model import Model
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.data_field import GivenData, NamedData
from lucidtorch.recipes.fields.checking import checked
from lucidtorch.recipes.kinds.class_preference import ClassPreference, class_preference
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.supply import DataFields, Supply

DRAWN: dict[str, Any] = {"drawings": "test", "length": 51}


class Killed(BaseException):
    """What stops a run wherever it is."""


def recipe(**fields: Any) -> Any:
    return checked(class_preference.kind, {"recipe": "class_preference", "model": "demo", **fields})


def supply(model: Model, base: Path, **fields: Any) -> Supply:
    made = recipe(**fields)
    return Supply.of(Stage.of(made, model, base), made)


def test_named_data_is_made_in_the_size_that_the_network_looks_at_it(demo: Model, tmp_path: Path) -> None:
    own = supply(demo, tmp_path, data=DRAWN, size=[32, 48])
    item = own.source.read(7)
    assert torch.equal(item.pixels, drawings("test", length=51, size=(32, 48))[7][0])
    assert own.fields["size"] == (32, 48)
    assert own.fields["data"] == {"drawings": "test", "length": 51, "size": [32, 48], "seed": 0}
    assert supply(demo, tmp_path, data=DRAWN).source.sides == (96, 96)
    again = supply(demo, tmp_path, **own.fields)
    assert (again.fields, again.sums) == (own.fields, own.sums)


def test_a_folder_starts_where_the_recipe_stands_and_is_named_without_its_place(demo: Model, tmp_path: Path) -> None:
    drawings("test", length=51, size=32).save(tmp_path / "photos")
    own = supply(demo, tmp_path, data="photos", size=32)
    assert own.fields["data"] == "photos"
    assert len(own.source) == 51
    assert own.source.classes == tuple(sorted(drawings("test").classes))


def test_data_of_a_program_is_taken_by_its_name_where_it_has_one() -> None:
    assert DataFields(data=drawings("test", length=3, size=32)).data == NamedData(
        drawings="test", length=3, size=(32, 32), seed=0
    )
    assert DataFields(data=digits("test", size=16)).data == NamedData(digits="test", size=(16, 16))
    assert DataFields(data=Path("photos")).data == "photos"
    pairs = [(torch.zeros(3, 8, 8), 1)]
    for value in (torch.zeros(2, 3, 8, 8), np.zeros((2, 3, 8, 8)), [torch.zeros(3, 8, 8)], pairs, Coloured()):
        held = DataFields(data=value).data
        assert isinstance(held, GivenData)
        assert held.data is value


def test_data_of_a_program_runs_and_is_told_by_its_checksum(tmp_path: Path) -> None:
    bench = Bench(colour_network(), tmp_path)
    runs = [bench.run("class_preference", name, data=Coloured(), layers="0", size=8) for name in ("first", "second")]
    assert contents(runs[0].folder) == contents(runs[1].folder)
    assert runs[0].recipe.to_dict().get("data") is None  # only the program has it
    sums = [one.recipe.made_with.files["data"] for one in runs]
    other = bench.run("class_preference", "other", data=Coloured(odd=False), layers="0", size=8)
    assert sums[0] == sums[1] != other.recipe.made_with.files["data"]


def planned(model: Model, base: Path, **fields: Any) -> Plan:
    made: ClassPreference = recipe(**fields)
    return made.plan(Stage.of(made, model, base))


@pytest.fixture
def bench(demo: Model, tmp_path: Path) -> Bench:
    return Bench(demo, tmp_path)


@pytest.fixture(scope="module")
def finished(demo: Model, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("runs") / "finished"
    scan(demo, drawings("test", length=51, size=32), folder, layers=["conv1_1", "logits"], size=32, top=4, ranked=6)
    return folder


def test_a_finished_scan_is_read_and_not_made_again(bench: Bench, finished: Path) -> None:
    run = bench.run("class_preference", scan=str(finished), ranked=6, size=None)
    assert list(run.story.facts["layers"]) == ["conv1_1", "logits"]
    assert not (run.folder / "scan").exists()
    assert run.recipe.model_dump()["size"] == 32
    assert run.recipe.model_dump()["scan"] == finished.name
    assert contents(bench.again(run).folder) == contents(run.folder)


def test_its_own_scan_can_be_given_to_the_next_recipe(bench: Bench) -> None:
    first = bench.run("class_preference", "first", data=DRAWN, layers="conv2_1", size=32)
    second = bench.run("class_preference", "second", scan=str(first.folder / "scan"), size=32)
    assert first.story.facts["layers"] == second.story.facts["layers"]


@pytest.mark.parametrize(
    ("fields", "key", "said"),
    [
        ({}, "data", "Name the images"),
        ({"data": "none"}, "data", "no folder"),
        ({"data": {"drawings": "tst"}}, "data.drawings", "tst"),
        ({"data": {"drawings": "test", "digits": "test"}}, "data", "drawings and digits was named"),
        ({"data": {"length": 3}}, "data", "none was named"),
        ({"data": {"torchvision": "CIFAR10"}}, "data", "root"),
        ({"data": torch.zeros(2, 5, 8, 8)}, "data", "3 channels"),
        ({"data": []}, "data", "a list"),
        ({"data": DRAWN, "size": [3, 32, 32]}, "size", "3"),
        ({"scan": "none"}, "scan", "holds no scan"),
        ({"scan": "finished", "data": torch.rand(51, 3, 32, 32)}, "data", "others than those"),
        ({"scan": "finished", "layers": "conv2_1"}, "layers", "has no 'conv2_1'"),
        ({"scan": "finished", "size": 48}, "size", "at 32 x 32; leave size out"),
    ],
)
def test_what_is_no_data_is_refused_by_the_name_of_its_field(
    demo: Model, finished: Path, fields: dict[str, Any], key: str, said: str
) -> None:
    with pytest.raises(BadInputError, match=said) as refused:
        planned(demo, finished.parent, **fields)
    assert f"{key}: " in str(refused.value)


def test_scans_of_another_network_and_unfinished_ones_are_refused(demo: Model, finished: Path, tmp_path: Path) -> None:
    with pytest.raises(FieldError, match=r"scan: .*another network \(demo\)"):
        supply(colour_network(), tmp_path, scan=str(finished))

    def dying(done: int, total: int) -> None:
        if done >= 40:
            raise Killed

    folder = tmp_path / "unfinished"
    with pytest.raises(Killed):
        scan(demo, drawings("test", length=51, size=32), folder, layers=["conv1_1"], size=32, chunk=20, report=dying)
    assert load_scan(folder).done == 40
    with pytest.raises(FieldError, match=r"scan: .*has looked at 40 of 51 images"):
        supply(demo, tmp_path, scan=str(folder))


def test_the_right_answers_are_counted_in_a_run(tmp_path: Path) -> None:
    run = Bench(colour_network(), tmp_path).run("class_preference", data=Coloured(), layers="0", size=8)
    found = load_scan(run.folder / "scan")
    assert found.answers == {"logits": [0, 1, 2, -1]}
    assert [found.accuracy(label) for label in range(len(CLASSES))] == [1.0, pytest.approx(5 / 6), 1.0, None]
