"""Runs and recipes of version 0.1.0: they run again, go on, and are never lost."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import yaml
from jsonschema import Draft202012Validator
from old_files import OLD, check_pixels, check_values, command, files, named, writings

RUNS = sorted((OLD / "runs").iterdir())
RENDERED = [folder for folder in RUNS if (folder / "pictures").is_dir()]
STARTERS = sorted((OLD / "starters").rglob("*.yaml"))
CLOCK = "provenance.json"  # says when and where a run was made
SHOWN = (".png", ".gif")

# What makes a starter small, where its text names the field.
SMALL: dict[str, Any] = {
    "size": 32,
    "image_size": 48,
    "steps": 2,
    "data": {"drawings": "test", "length": 51},
    "perplexity": 5,
    "iterations": 250,
    "max_iter": 20,
    "versions": 2,
    "snapshots": [1],
    "formats": ["gif"],
    "search": False,
    "images": 2,
}


@pytest.mark.parametrize("old", named(RUNS))
def test_the_recipe_of_a_run_makes_the_run_again(old: Path, tmp_path: Path) -> None:
    command("run", old / "recipe.yaml", "--workers", "1", "-q", "-o", tmp_path / "again")
    check_same_run(old, tmp_path / "again")


@pytest.mark.parametrize("old", named(RUNS))
def test_the_command_given_again_loses_nothing_and_repeats_no_work(old: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(old, tmp_path / "run"))
    before = writings(folder)
    command("run", OLD / "recipes" / f"{old.name}.yaml", "--workers", "1", "-q", "-o", folder)
    if versions_of(folder) == versions_of(old):
        check_same_run(old, folder)
        assert [one.name for one in tmp_path.iterdir()] == ["run"]
        if arrays(folder) == arrays(old):  # on another processor, they differ by rounding, and so does what is rendered
            assert writings(folder) == before
    else:  # other versions make another run, from starts of its own, and the old one stands beside it
        assert lasting(old) <= set(files(folder))
        moved = next(one for one in tmp_path.iterdir() if one.name != "run")
        assert contents(moved) == contents(old)


@pytest.mark.parametrize("old", named(RENDERED))
def test_a_run_that_was_interrupted_is_finished(old: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(old, tmp_path / "run"))
    for name in ("index.html", "data.json", CLOCK):
        (folder / name).unlink()
    first, *others = sorted((folder / "batches").iterdir())
    for path in others or [first]:
        path.unlink()
    before = writings(folder)
    command("run", OLD / "recipes" / f"{old.name}.yaml", "--workers", "1", "-q", "-o", folder)
    assert lasting(old) <= set(files(folder))
    if versions_of(folder) != versions_of(old):
        return  # another run, from starts of its own
    check_same_run(old, folder)
    if others:
        kept = [one["file"] for one in json.loads(first.read_text(encoding="utf-8"))["pictures"]]
        assert all(writings(folder)[name] == before[name] for name in kept)


def test_settings_of_the_command_line_still_reach_a_recipe(tmp_path: Path) -> None:
    words = ("--set", "units=[3]", "--set", "model.spec=demo", "--set", "steps=2", "--seed", str(2**62 + 1))
    command("run", OLD / "recipes" / "sheet.yaml", *words, "--workers", "1", "-q", "-o", tmp_path / "run")
    found = yaml.safe_load((tmp_path / "run" / "recipe.yaml").read_text(encoding="utf-8"))
    assert (found["units"], found["steps"], found["seed"]) == ([3], 2, 2**62 + 1)
    assert [one["file"] for one in figures(tmp_path / "run")][1:] == ["pictures/conv2_1/00003.png"]


@pytest.mark.parametrize("starter", named(STARTERS))
def test_a_starter_fits_the_schema(starter: Path, validator: Draft202012Validator) -> None:
    values = yaml.safe_load(starter.read_text(encoding="utf-8"))
    assert [error.message for error in validator.iter_errors(values)] == []


@pytest.mark.slow
@pytest.mark.parametrize("starter", named([one for one in STARTERS if one.parent.name == "starters"]))
def test_a_starter_runs(starter: Path, tmp_path: Path) -> None:
    values = yaml.safe_load(starter.read_text(encoding="utf-8"))
    small = {name: value for name, value in SMALL.items() if name in values and type(values[name]) is type(value)}
    words = [word for name, value in small.items() for word in ("--set", f"{name}={json.dumps(value)}")]
    command("run", starter, *words, "--workers", "1", "-q", "-o", tmp_path / "run")
    assert figures(tmp_path / "run")


@pytest.fixture(scope="module")
def validator() -> Draft202012Validator:
    with contextlib.redirect_stdout(io.StringIO()) as said:
        command("schema")
    return Draft202012Validator(json.loads(said.getvalue()))


def check_same_run(old: Path, new: Path) -> None:
    """Refuse a run that lacks one of the old files or figures, or differs by more than rounding."""
    made = files(new)
    assert lasting(old) <= set(made)
    for name, path in files(old).items():
        if path.suffix in SHOWN:
            check_pixels(path, made[name])
        elif path.suffix == ".npy" and "maps" in path.parts:
            check_values(np.load(path), np.load(made[name]), name)
    now = {one["file"]: one for one in figures(new)}
    for one in figures(old):
        again = now[one["file"]]
        for word in ("seed", "steps", "dead"):
            assert again[word] == one[word], (one["file"], word)
        assert plain(again["objective"]) == plain(one["objective"])
        check_values(numbers(one["score"], *one["curve"]), numbers(again["score"], *again["curve"]), one["file"])
    check_facts(document(old)["facts"], document(new)["facts"])
    page = (new / "index.html").read_text(encoding="utf-8")
    assert all(name in page for name in now)


def arrays(run: Path) -> set[str]:
    """The arrays that a run computed and then rendered from; each is named by its content."""
    return {path.relative_to(run).as_posix() for path in (run / "pictures").rglob("*.npy")}


def lasting(run: Path) -> set[str]:
    """The files that every run of the same recipe has."""
    return set(files(run)) - arrays(run) - {CLOCK}


def check_facts(old: Any, new: Any, name: str = "facts") -> None:
    """Refuse facts that lack something or differ by more than rounding; new ones may be added."""
    if isinstance(old, dict):
        for key, value in old.items():
            check_facts(value, new[key], f"{name}.{key}")
    elif isinstance(old, list) and all(isinstance(one, int | float) for one in old):
        check_values(old, new, name)
    elif isinstance(old, list):
        assert len(old) == len(new), name
        for place, value in enumerate(old):
            check_facts(value, new[place], f"{name}[{place}]")
    elif isinstance(old, float):
        check_values(old, new, name)
    else:
        assert old == new, name


def document(folder: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((folder / "data.json").read_text(encoding="utf-8"))
    return found


def figures(folder: Path) -> list[dict[str, Any]]:
    """All figures of a run, those in tables too."""
    return list(_figures(document(folder)["sections"]))


def _figures(value: Any) -> Iterator[dict[str, Any]]:
    if isinstance(value, dict) and "file" in value and "caption" in value:
        yield value
    elif isinstance(value, dict | list):
        for one in value.values() if isinstance(value, dict) else value:
            yield from _figures(one)


def plain(objective: str) -> str:
    """An objective without the checksums of its arrays."""
    return re.sub(r"[0-9a-f]{16,}", "", objective)


def numbers(*values: float | None) -> list[float]:
    return [np.nan if one is None else one for one in values]


def versions_of(folder: Path) -> dict[str, str]:
    found: dict[str, str] = yaml.safe_load((folder / "recipe.yaml").read_text(encoding="utf-8"))["made_with"][
        "versions"
    ]
    return found


def contents(folder: Path) -> dict[str, bytes]:
    return {name: path.read_bytes() for name, path in files(folder).items()}
