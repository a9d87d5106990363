"""How a recipe is put together of files and of what the command line says."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

import lucidtorch as lt
from lucidtorch.base.errors import RecipeError
from lucidtorch.recipes.documents.loading import load, read, run_document
from lucidtorch.recipes.documents.shipped import first_comment, shipped_file, shipped_names
from lucidtorch.recipes.fields.checking import checked
from lucidtorch.recipes.kinds import KINDS, kind


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


def test_what_a_recipe_says_goes_before_what_it_extends(here: Path) -> None:
    write(here, "sub/base.yaml", "recipe: render\nsteps: 3\nlr: 1\nmodel: {spec: demo, mean: [0, 0], std: 1}\n")
    write(here, "second.yaml", "lr: 2\ntitle: second\nseed: 5\n")
    write(here, "r.yaml", "extends: [sub/base.yaml, second.yaml]\ntitle: own\nmodel:\n  mean: [1]\n")
    document = load("r.yaml")
    assert document.values == {
        "recipe": "render",
        "steps": 3,
        "lr": 2,
        "model": {"spec": "demo", "mean": [1], "std": 1},
        "title": "own",
        "seed": 5,
    }
    places = {"steps": "sub/base.yaml:2:8", "lr": "second.yaml:1:5", "title": "r.yaml:2:8"}
    assert {key: document.place((key,)) for key in places} == places
    assert document.place(("model", "std")) == "sub/base.yaml:4:40"
    assert document.place(("model", "mean", 0)) == "r.yaml:4:10"
    assert document.place(("model", "mean", 7)) == "r.yaml:4:9"
    assert document.place(("size",)) == "r.yaml"


def test_a_recipe_can_extend_one_that_ships_also_by_its_own_name(here: Path) -> None:
    write(here, "render.yaml", "extends: render\nsteps: 7\n")
    document = load("render.yaml")
    assert document.values == load("render").values | {"steps": 7}
    assert document.place(("recipe",)).startswith("render:")


def test_two_ways_to_the_same_recipe_are_no_circle(here: Path) -> None:
    write(here, "a.yaml", "steps: 1\n")
    write(here, "b.yaml", "extends: a.yaml\nlr: 2\n")
    write(here, "c.yaml", "extends: [a.yaml, b.yaml]\n")
    assert load("c.yaml").values == {"steps": 1, "lr": 2}


def test_recipes_that_extend_very_many_are_refused(here: Path) -> None:
    for number in range(20):
        write(here, f"{number}.yaml", f"extends: [{number + 1}.yaml, {number + 1}.yaml]\n")
    write(here, "20.yaml", "steps: 1\n")
    with pytest.raises(RecipeError, match="more than 64 others"):
        load("0.yaml")


def test_a_file_goes_before_a_recipe_that_ships(here: Path) -> None:
    write(here, "render", "steps: 99\n")
    assert load("render").values == {"steps": 99}


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("steps=64", 64),
        ("units=[1,2]", [1, 2]),
        ("objective=conv2_1:3", "conv2_1:3"),
        ("objective=channel('a', 1) - 2 * diversity('a')", "channel('a', 1) - 2 * diversity('a')"),
        ("title=a=b", "a=b"),
        ("title='a: b'", "a: b"),
        ("size=", None),
        ("image={drawing: star}", {"drawing": "star"}),
    ],
)
def test_a_set_value_is_read_as_yaml(setting: str, value: Any, here: Path) -> None:
    write(here, "r.yaml", "recipe: render\nimage: {drawing: circle, number: 3}\n")
    document = load("r.yaml", [setting])
    key = setting.partition("=")[0]
    assert document.values[key] == value
    assert document.place((key,)) == f"--set {key}"


def test_something_is_said_of_a_network_that_is_only_named(here: Path) -> None:
    write(here, "r.yaml", "recipe: render\nmodel: demo\n")
    document = load("r.yaml", ["model.mean=[0,0,0]", "model.std=1"])
    assert document.values["model"] == {"spec": "demo", "mean": [0, 0, 0], "std": 1}
    assert document.place(("model", "spec")) == "r.yaml:2:8"
    assert document.place(("model", "mean", 1)) == "--set model.mean"


def test_the_last_of_several_settings_counts(here: Path) -> None:
    write(here, "r.yaml", "recipe: render\n")
    assert load("r.yaml", ["seed=1", "seed=2"]).values["seed"] == 2


def test_paths_start_where_the_file_stands_that_says_them(here: Path) -> None:
    for name in ("sub/w.pth", "sub/net.py", "sub/p.png", "labels.txt", "x.pth"):
        write(here, name, "")
    write(here, "sub/base.yaml", "weights: w.pth\nimages: [p.png, q.png, {drawing: star}]\nmodel: net.py:make\n")
    write(here, "r.yaml", "extends: sub/base.yaml\n")
    assert load("r.yaml").values == {
        "weights": str(here / "sub/w.pth"),
        "images": [str(here / "sub/p.png"), "q.png", {"drawing": "star"}],
        "model": f"{here / 'sub/net.py'}:make",
    }
    found = load(here / "sub/base.yaml", ["weights=x.pth", "model.labels=labels.txt"]).values
    assert found["weights"] == str(here / "x.pth")
    assert found["model"] == {"spec": f"{here / 'sub/net.py'}:make", "labels": str(here / "labels.txt")}


def test_names_are_no_paths_though_there_are_such_files(here: Path) -> None:
    write(here, "default", "")
    (here / "vgg16").mkdir()
    write(here, "r.yaml", "recipe: render\nmodel: vgg16\nweights: default\nimage: ~nobody-of-that-name/x\n")
    assert load("r.yaml").values["model"] == "vgg16"
    assert load("r.yaml").values["weights"] == "default"


def test_the_folder_of_a_run(here: Path) -> None:
    write(here, "sub/r.yaml", "recipe: render\n")
    assert load("sub/r.yaml").folder == Path("r")
    assert load("sub/r.yaml", ["output=there/it"]).folder == Path("there/it")
    name = next(name for name in shipped_names() if "/" in name)
    assert load(name).folder == Path(name.rpartition("/")[2])


@pytest.mark.parametrize(
    ("name", "data", "words"),
    [
        ("latin.yaml", "title: gr\u00fcn\n".encode("latin-1"), r"^latin.yaml:1:1: .*UTF-8"),
        ("wide.yaml", "steps: 1\n".encode("utf-16"), r"^wide.yaml:1:1: .*UTF-8"),
        ("huge.yaml", b"#" * 1_000_001, r"^huge.yaml: No recipe is larger than 1,000,000 bytes"),
        ("sub", None, r"^sub is a folder, and a recipe is a file; name a file such as sub/deep.yaml"),
        ("rendr", None, r"no file 'rendr'.*Did you mean 'render'.*lucidtorch recipes"),
        ("render.yaml", None, r"no file 'render.yaml'.*Did you mean 'render'"),
        ("", None, "is a folder"),
    ],
)
def test_files_that_are_no_recipe(name: str, data: bytes | None, words: str, here: Path) -> None:
    write(here, "sub/deep.yaml", "recipe: render\n")
    if data is not None:
        (here / name).write_bytes(data)
    with pytest.raises(RecipeError, match=words):
        load(name)


def test_a_byte_order_mark_is_no_fault(here: Path) -> None:
    (here / "r.yaml").write_bytes(b"\xef\xbb\xbfrecipe: render\r\n")
    assert load("r.yaml").values == {"recipe": "render"}


@pytest.mark.parametrize("name", shipped_names())
def test_every_recipe_that_ships_is_read_and_begins_with_what_it_is(name: str) -> None:
    recipe = read(load(name))
    assert recipe.recipe in KINDS
    assert first_comment(name)
    assert shipped_file(name).read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("name", KINDS)
def test_every_kind_has_a_function_of_its_name(name: str) -> None:
    assert getattr(lt.recipes, name).kind is kind(name)
    assert kind(name).model_fields["recipe"].default == name


def test_every_module_of_a_kind_is_listed() -> None:
    folder = Path(lt.recipes.__file__ or "").parent / "kinds"
    assert {path.stem for path in folder.glob("[a-z]*.py")} == set(KINDS)


def test_a_python_program_may_give_numbers_of_numpy_and_paths() -> None:
    found = checked(kind("layer_sheet"), {"layers": ["a"], "units": np.int64(3), "lr": np.float64(0.5), "steps": 3})
    assert found.to_dict() | {"layers": ["a"], "units": 3, "lr": 0.5, "steps": 3} == found.to_dict()
    assert checked(kind("render"), {"objective": "a:1", "weights": Path("w.pth")}).weights == "w.pth"


def test_a_run_again_from_its_own_recipe_is_the_same_run(here: Path) -> None:
    text = "recipe: render\nmodel: demo\nweights: random\ndevice: cpu\nobjective: conv1_1:3\nsize: 16\nsteps: 1\n"
    write(here, "r.yaml", text)
    first = run_document(load("r.yaml"), here / "one")
    again = run_document(load(here / "one" / "recipe.yaml"), here / "two")
    assert again.recipe == first.recipe
    files = {path.relative_to(here / "one") for path in (here / "one").rglob("*") if path.is_file()}
    assert files == {path.relative_to(here / "two") for path in (here / "two").rglob("*") if path.is_file()}
    for file in files - {Path("provenance.json")}:
        assert (here / "one" / file).read_bytes() == (here / "two" / file).read_bytes(), file
