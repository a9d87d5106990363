"""A wrong recipe ends with 2, names the place and what instead; nothing was computed and nothing is written."""

from __future__ import annotations

import functools
import re
import warnings
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from wrong_recipes import FILES, WRONG, Case

from lucidtorch.base.errors import RecipeError
from lucidtorch.cli.main import run
from lucidtorch.recipes.documents.loading import load
from lucidtorch.recipes.documents.schema import schema
from lucidtorch.rendering.loop import Loop

LONGEST = 5  # lines of a message, with the caret under a fault


@functools.cache
def validator() -> Any:
    return Draft202012Validator(schema())


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, in which no step of any render may be made."""

    def steps(self: Loop) -> None:
        raise AssertionError("a step was made")

    monkeypatch.setattr(Loop, "run", steps)
    here = tmp_path / "here"
    for name, data in FILES.items():
        (here / name).parent.mkdir(parents=True, exist_ok=True)
        (here / name).write_bytes(data)
    (tmp_path / "outside.yaml").write_bytes(FILES["base.yaml"])
    (here / "link.yaml").symlink_to(tmp_path / "outside.yaml")
    monkeypatch.chdir(here)
    return here


def contents(folder: Path) -> dict[Path, bytes]:
    return {path: path.read_bytes() if path.is_file() else b"" for path in folder.parent.rglob("*")}


def words(case: Case) -> list[str]:
    return [word for one in case.settings for word in ("--set", one)]


@pytest.mark.parametrize("name", WRONG)
def test_it_is_refused(name: str, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    case = WRONG[name]
    (folder / "r.yaml").write_text(case.yaml, encoding="utf-8")
    before = contents(folder)
    with warnings.catch_warnings():
        warnings.simplefilter("default")
        code = run(["run", "r.yaml", *words(case)])
    out, err = capsys.readouterr()
    assert (code, out) == (2, ""), err
    assert contents(folder) == before
    assert err.startswith("lucidtorch: ")
    said = err.removeprefix("lucidtorch: ")
    assert re.search(case.words, said, re.DOTALL), said
    assert "Traceback" not in said
    assert len(said.splitlines()) <= LONGEST, said
    if not case.words.startswith("^"):
        assert said.startswith(case.place), said
        assert said.removeprefix(case.place).startswith(f"{case.key}: " if case.key else ""), said


@pytest.mark.parametrize("name", WRONG)
def test_the_schema_refuses_it_where_a_name_or_a_type_or_a_range_is_wrong(name: str, folder: Path) -> None:
    case = WRONG[name]
    (folder / "r.yaml").write_text(case.yaml, encoding="utf-8")
    try:
        values = load("r.yaml", case.settings).values
    except RecipeError:
        assert not case.schema
        return
    assert validator().is_valid(values) is not case.schema


def test_there_are_many() -> None:
    assert len(WRONG) >= 80
    assert sum(case.schema for case in WRONG.values()) >= 40
