"""Options that are written once: a new one is a field and its use; the words of version 0.1.0 go on with a warning."""

from __future__ import annotations

import ast
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, get_args

import pytest
import torch
from guards.sources import PACKAGE, ROOT, Function, library

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError
from lucidtorch.models.model import Model
from lucidtorch.rendering.settings import OLD_WORDS, PRECISIONS, Engine, Schedule, options_of

OLD: dict[str, Any] = {
    "precision": "bfloat16",
    "compute_batch": 1,
    "channels_last": False,
    "fold": False,
    "winograd": False,
    "compile": True,
}
SMALL: dict[str, Any] = {"param": "image(16, batch=2)", "steps": 1, "progress": False}
ABOVE = ("rendering", "galleries", "recipes", "cli")  # what may know of `Engine`

# A switch of `Engine` in two files: its field, and what it does.
FIELD = """\
    mirrored: bool = _option(False, "Mirror the start.", "Whether the start is mirrored.")

    def __post_init__(self) -> None:
        check_fields(self)
"""
USE = """\
        self.param = self._filled()
        if job.engine.mirrored:
            self.param.assign(self.param().flip(-1).detach())
"""
CHANGES = {
    "rendering/settings.py": ("    def __post_init__(self) -> None:\n        check_fields(self)\n", FIELD),
    "rendering/loop.py": ("        self.param = self._filled()\n", USE),
}
PROGRAM = """\
from pathlib import Path
import lucidtorch as lt
from lucidtorch.cli.main import run

start = {"param": "image(16)", "steps": 1, "transforms": "identity()", "progress": False, "snapshots": [1]}
usual, other = (lt.render("demo", "conv1_1:3", engine=lt.Engine(mirrored=one), **start) for one in (False, True))
assert not usual.recipe["mirrored"] and other.recipe["mirrored"]
assert not usual.images.equal(other.images)

few = ["--size", "16", "--steps", "1", "--quiet"]
assert run(["render", "demo", "conv1_1:3", "--mirrored", "-o", "one.png", *few]) == 0
assert lt.recipes.read_recipe("one.png").mirrored
assert run(["rerun", "one.png", "-o", "two.png", "--quiet"]) == 0
assert Path("one.png").read_bytes() == Path("two.png").read_bytes()

fields = {"objective": "conv1_1:3", "size": 16, "steps": 1}
lines = {"recipe": "render", "model": "demo", **fields, "mirrored": "true"}
Path("tiny.yaml").write_text("".join(f"{name}: {value}\\n" for name, value in lines.items()))
assert run(["run", "tiny.yaml", "-o", "ran", "--quiet"]) == 0
made = lt.recipes.render("demo", **fields, engine=lt.Engine(mirrored=True), output="made")
for folder in ("ran", "made"):
    assert "mirrored: true" in Path(folder, "recipe.yaml").read_text()
    assert all(lt.recipes.read_recipe(path).mirrored for path in Path(folder).rglob("*.png"))
assert run(["gallery", "demo", "--layers", "conv1_1", "--units", "0-1", "--mirrored", "-o", "pages", *few]) == 0
assert all(lt.recipes.read_recipe(path).mirrored for path in Path("pages").rglob("pictures/**/*.png"))
assert run(["schema"]) == 0
"""


def test_a_new_switch_is_a_field_and_its_use(tmp_path: Path) -> None:
    """In Python, on the command line, in recipes, galleries, records and reruns, after changes in two files."""
    shutil.copytree(ROOT / PACKAGE, tmp_path / PACKAGE, ignore=shutil.ignore_patterns("__pycache__"))
    for name, (before, after) in CHANGES.items():
        path = tmp_path / PACKAGE / name
        text = path.read_text(encoding="utf-8")
        assert text.count(before) == 1
        path.write_text(text.replace(before, after), encoding="utf-8")
    done = subprocess.run([sys.executable, "-c", PROGRAM], cwd=tmp_path, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert '"description": "Whether the start is mirrored."' in done.stdout


def test_no_other_place_defines_an_option_of_the_engine() -> None:
    """No parameter, no field, no option of a command: whoever takes one takes the engine whole."""
    words, found = set(options_of(Engine)), []
    for source in library():
        if source.row not in ABOVE or source.module == Engine.__module__:
            continue
        for node in ast.walk(source.tree):
            names = []
            if isinstance(node, Function):
                names = [one.arg for one in (*node.args.posonlyargs, *node.args.args, *node.args.kwonlyargs)]
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                names = [node.target.id]
            elif isinstance(node, ast.Call) and ast.unparse(node.func) == "click.option":
                names = [one.value[2:].replace("-", "_") for one in node.args if isinstance(one, ast.Constant)]
            found += [f"{source.at(node)} {name}" for name in names if name in words]
    assert found == []


def test_the_words_for_precisions_are_those_there_are() -> None:
    assert get_args(options_of(Engine)["precision"].kind) == tuple(PRECISIONS)


@pytest.mark.parametrize("settings", [Schedule, Engine], ids=lambda one: one.__name__)
def test_every_option_reads_back_from_what_is_written(settings: type[Schedule | Engine]) -> None:
    assert settings(**settings().to_dict()) == settings(**settings(**settings().to_dict()).to_dict())
    assert list(settings().to_dict()) == list(options_of(settings))


def test_the_old_words_are_those_of_the_first_version() -> None:
    assert tuple(OLD) == OLD_WORDS


@pytest.mark.parametrize("word", OLD)
def test_an_old_word_makes_the_same_pictures_and_names_the_new_one(demo: Model, word: str) -> None:
    old, new = {word: OLD[word]}, lt.Engine(**{word: OLD[word]})
    said = re.escape(f"render({word}=) is deprecated: write engine=Engine({word}={OLD[word]!r}).")
    with pytest.warns(DeprecationWarning, match=said) as caught:
        first = lt.render(demo, "conv1_1:3", **SMALL, **old)
    assert caught[0].filename == __file__
    second = lt.render(demo, "conv1_1:3", **SMALL, engine=new)
    assert torch.equal(first.images, second.images)
    assert first.recipe == second.recipe
    assert first.recipe[word] == OLD[word]


def test_renamed_attributes_go_on_with_a_warning(demo: Model) -> None:
    (step,) = lt.optimize(demo, "conv1_1:3", param="image(16)", steps=1)
    made = lt.render(demo, "conv1_1:[2, 3]", steps=12, stop="plateau(patience=2, rise=0.9)", progress=False)
    with pytest.warns(DeprecationWarning, match=r"Step\.rests is deprecated: write Step\.converged") as caught:
        assert step.rests is step.converged
    assert caught[0].filename == __file__
    with pytest.warns(DeprecationWarning, match=r"Rendering\.rested is deprecated: write Rendering\.converged"):
        assert made.rested == made.converged
    assert made.converged


CALLS: dict[str, Callable[[Any, Path], Any]] = {
    "optimize": lambda words, folder: list(lt.optimize("demo", "conv1_1:3", param="image(16)", steps=1, **words)),
    "gallery": lambda words, folder: lt.gallery("demo", folder, layers=["conv1_1"], units=[0], steps=1, **words),
    "diversity": lambda words, folder: lt.recipes.diversity(
        *("demo",), objectives=["conv1_1:3"], versions=2, size=16, steps=1, output=folder, progress=False, **words
    ),
}


@pytest.mark.parametrize("call", CALLS)
def test_all_that_take_an_engine_take_the_old_words(call: str, tmp_path: Path) -> None:
    with pytest.warns(DeprecationWarning, match=rf"{call}\(fold=, winograd=\) is deprecated"):
        CALLS[call]({"fold": False, "winograd": False}, tmp_path / "old")
    CALLS[call]({"engine": lt.Engine(fold=False, winograd=False)}, tmp_path / "new")
    pictures = [sorted((tmp_path / name).rglob("*.png")) for name in ("old", "new")]
    assert [len(one) > 0 for one in pictures] == [call != "optimize"] * 2
    for old, new in zip(*pictures, strict=True):
        assert old.read_bytes() == new.read_bytes()


@pytest.mark.parametrize("call", CALLS)
def test_an_old_word_beside_an_engine_is_refused(call: str, tmp_path: Path) -> None:
    with pytest.raises(BadInputError, match=r"\(fold=\) is a part of engine= now"):
        CALLS[call]({"fold": False, "engine": lt.Engine()}, tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_an_engine_of_a_wrong_type_is_refused(tmp_path: Path) -> None:
    for name, call in CALLS.items():
        with pytest.raises(BadInputError, match=rf"{name}\(engine=\) takes .*but 'fast' was given"):
            call({"engine": "fast"}, tmp_path / "none")


def test_a_kind_that_renders_nothing_takes_no_engine() -> None:
    words: dict[str, Any] = {"engine": lt.Engine()}
    with pytest.raises(TypeError, match="engine"):
        lt.recipes.activations("demo", image="photo.png", **words)
