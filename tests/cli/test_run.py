"""`lucidtorch run`: a recipe becomes a folder, and goes on where it was interrupted."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from lucidtorch.recipes.documents.shipped import shipped_file
from lucidtorch.rendering.loop import Loop, Step

Cli = Callable[..., Any]
SMALL = "model: demo\nweights: random\ndevice: cpu\nsize: 16\nsteps: 1\nbatch: 2\n"
RENDER = f"recipe: render\n{SMALL}objective: conv1_1:3\n"
SHEET = f"recipe: layer_sheet\n{SMALL}layers: conv1_1\nunits: 0-4\n"


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "one.yaml").write_text(RENDER, encoding="utf-8")
    (tmp_path / "sheet.yaml").write_text(SHEET, encoding="utf-8")
    return tmp_path


def resolved(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))
    return found


def contents(folder: Path) -> dict[str, bytes]:
    files = (path for path in folder.rglob("*") if path.is_file() and path.name != "provenance.json")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def test_a_recipe_becomes_a_folder_named_after_its_file(cli: Cli, here: Path) -> None:
    found = cli("run", "one.yaml", "--workers", "1")
    assert (found.code, found.out) == (0, "wrote one/index.html (1 picture)\n")
    assert found.err.splitlines()[-1] == "batches of one: 1 of 1"
    names = {path.name for path in (here / "one").iterdir()}
    assert names >= {"recipe.yaml", "provenance.json", "data.json", "index.html", "pictures"}
    assert json.loads((here / "one" / "provenance.json").read_text(encoding="utf-8"))["workers"] == 1


@pytest.mark.parametrize(
    ("words", "folder"), [([], "there"), (["-o", "deep/er"], "deep/er"), (["--set", "output=set"], "set")], ids=str
)
def test_where_a_run_is_written_to(words: list[str], folder: str, cli: Cli, here: Path) -> None:
    (here / "one.yaml").write_text(f"{RENDER}output: there\n", encoding="utf-8")
    found = cli("run", "one.yaml", "--workers", "1", "--quiet", *words)
    assert (found.code, found.out, found.err) == (0, "", "")
    assert (here / folder / "index.html").is_file()
    assert "output" not in resolved(here / folder)


def test_what_is_set_goes_before_the_file(cli: Cli, here: Path) -> None:
    words = ["--set", "objective=conv1_2:5", "--set", "model.mean=[0,0,0]", "--set", "seed=3", "--seed", "9"]
    assert cli("run", "one.yaml", "-o", "o", "--workers", "1", *words).code == 0
    found = resolved(here / "o")
    assert (found["objective"], found["seed"]) == ("channel('conv1_2', 5)", 9)
    assert (found["model"]["spec"], found["model"]["mean"]) == ("demo", [0.0, 0.0, 0.0])


def test_a_run_of_another_recipe_is_moved_aside(cli: Cli, here: Path) -> None:
    assert cli("run", "one.yaml", "-o", "o", "--workers", "1").code == 0
    before = contents(here / "o")
    found = cli("run", "one.yaml", "-o", "o", "--workers", "1", "--seed", "4")
    assert found.code == 0
    (aside,) = here.glob("o-*")
    assert f"note: the run of another recipe that was in o is in {aside} now" in found.err.splitlines()
    assert contents(aside) == before
    assert resolved(here / "o")["seed"] == 4


def test_a_folder_of_something_else_is_left_alone(cli: Cli, here: Path) -> None:
    (here / "o").mkdir()
    (here / "o" / "index.html").write_text("dear", encoding="utf-8")
    found = cli("run", "one.yaml", "-o", "o")
    assert (found.code, found.out) == (2, "")
    assert found.err.startswith("lucidtorch: o holds index.html, which is of no run")
    assert [path.name for path in (here / "o").iterdir()] == ["index.html"]


def test_an_interrupted_run_keeps_what_is_finished_and_goes_on(
    cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    steps, rendered = Loop.run, []

    def counting(self: Loop) -> Iterator[Step]:
        rendered.append(self)
        if len(rendered) == 2:
            raise KeyboardInterrupt
        yield from steps(self)

    monkeypatch.setattr(Loop, "run", counting)
    found = cli("run", "sheet.yaml", "-o", "o", "--workers", "1")
    assert (found.code, found.out) == (130, "")
    said = "lucidtorch: interrupted; what was finished is in o, and the same command goes on from there"
    assert found.err.splitlines()[-1] == said
    assert len(list((here / "o" / "pictures").rglob("*.png"))) == 2
    assert cli("run", "sheet.yaml", "-o", "o", "--workers", "1").code == 0
    assert len(rendered) == 4  # three batches, of which the second began twice
    assert cli("run", "sheet.yaml", "-o", "whole", "--workers", "1").code == 0
    assert contents(here / "o") == contents(here / "whole")


def test_an_interrupt_before_anything_is_written(cli: Cli, here: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def load(*words: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lucidtorch.recipes.documents.loading.load_network", load)
    found = cli("run", "one.yaml", "-o", "o")
    assert (found.code, found.out, found.err.strip()) == (130, "", "lucidtorch: interrupted")
    assert not (here / "o").exists()


@pytest.mark.parametrize("workers", ["0", "-1"])
def test_workers_are_counted_from_one(workers: str, cli: Cli, here: Path) -> None:
    found = cli("run", "one.yaml", "-o", "o", "--workers", workers)
    assert (found.code, found.out) == (2, "")
    assert workers in found.err
    assert not (here / "o").exists()


def test_a_recipe_that_ships_runs_by_its_name_and_as_a_copy(cli: Cli, here: Path) -> None:
    small = ["--set", "steps=16", "--set", "size=16", "--set", "weights=random", "--workers", "1"]
    assert cli("run", "render", *small).code == 0
    printed = cli("recipes", "render")
    (here / "r.yaml").write_text(printed.out, encoding="utf-8")
    assert cli("run", "r.yaml", *small).code == 0
    assert contents(here / "render") == contents(here / "r")


@pytest.mark.slow
def test_two_workers_make_the_same_folder(cli: Cli, here: Path) -> None:
    assert cli("run", "sheet.yaml", "-o", "one", "--workers", "1").code == 0
    assert cli("run", "sheet.yaml", "-o", "two", "--workers", "2").code == 0
    assert contents(here / "one") == contents(here / "two")


def test_the_recipe_that_is_printed_is_the_file_byte_for_byte(cli: Cli) -> None:
    for name in ("render", "vgg16/render"):
        found = cli("recipes", name)
        assert (found.code, found.out.encode(), found.err) == (0, shipped_file(name).read_bytes(), "")
