"""A recipe is made to be shared: run follows what it says only inside its own folder."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from trust.forgery import opened, pickled_program

import lucidtorch as lt
from lucidtorch.base.errors import RecipeError
from lucidtorch.recipes.documents.loading import load, run_document

Cli = Callable[..., tuple[int, str]]
SHEET = "recipe: layer_sheet\nlayers: '0'\nunits: '0-1'\nsize: 12\nsteps: 1\n"
HEAT = "recipe: heatmap\nsize: 32\n"


def recipe(folder: Path, text: str) -> Path:
    path = folder / "r.yaml"
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize("spec", ["net.py:build", "{folder}/net.py:build", "{{spec: net.py:build, mean: [0.0]}}"])
def test_code_that_a_recipe_names_is_not_run(spec: str, code: Path, inside: Path, canary: Path, cli: Cli) -> None:
    path = recipe(inside, f"{SHEET}model: {spec.format(folder=inside)}\n")
    status, said = cli("run", path, "-o", "o")
    assert (status, canary.exists(), Path("o").exists()) == (2, False, False), said
    assert "r.yaml:6:" in said
    assert "--trust" in said
    with pytest.raises(RecipeError, match="nothing was run"):
        run_document(load(path), Path("o"))
    assert not canary.exists()


@pytest.mark.filterwarnings("ignore::lucidtorch.base.errors.LucidtorchWarning")
def test_code_runs_where_the_recipe_is_trusted_or_the_user_names_it(
    code: Path, inside: Path, canary: Path, cli: Cli
) -> None:
    path = recipe(inside, f"{SHEET}model: net.py:build\n")
    for words in (["--trust"], ["--model", f"{code}:build"], ["--set", f"model={code}:build"]):
        status, said = cli("run", path, "-o", "o", *words)
        assert (status, canary.exists()) == (0, True), said
        canary.unlink()
    run_document(load(path), Path("p"), trust=True)
    assert canary.exists()


def test_a_name_that_looks_like_an_option_is_no_word_of_the_user(
    code: Path, inside: Path, canary: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(inside)
    (inside / "--set model").write_text("model: net.py:build\n", encoding="utf-8")
    path = recipe(inside, f"{SHEET}extends: --set model\n")
    assert cli("run", path.name, "-o", "o")[0] == 2
    assert not canary.exists()


def test_a_program_that_a_recipe_names_is_not_opened(inside: Path, canary: Path, cli: Cli) -> None:
    pickled_program(inside / "net.pt2", canary)
    path = recipe(inside, f"{SHEET}model: net.pt2\n")
    assert cli("run", path, "-o", "o")[0] == 2
    assert not canary.exists()
    cli("run", path, "-o", "o", "--trust")
    assert canary.exists()


OUTSIDE = {
    "weights": (SHEET + "model: demo\nweights: {folder}/w.safetensors\n", "w.safetensors"),
    "labels": (SHEET + "model: {{spec: demo, labels: {folder}/l.txt}}\n", "l.txt"),
    "mean": (SHEET + "model: {{spec: demo, mean: {folder}/m.npy}}\n", "m.npy"),
    "image": (HEAT + "model: demo\nimage: {folder}/p.png\n", "p.png"),
    "images": (HEAT + "model: demo\nimages: [{folder}/p.png]\n", "p.png"),
    "a folder of images": (HEAT + "model: demo\nimages: {folder}\n", "p.png"),
    "data": ("recipe: top_patches\nmodel: demo\nlayers: conv1_1\nunits: 0-1\nsize: 32\ndata: {folder}\n", "p.png"),
    "data of a list": (
        "recipe: top_patches\nmodel: demo\nlayers: conv1_1\nunits: 0-1\ndata: [{folder}/p.png]\n",
        "p.png",
    ),
    "array": (
        "recipe: top_patches\nmodel: demo\nlayers: conv1_1\nunits: 0-1\nsize: 32\ndata: {folder}/a.npy\n",
        "a.npy",
    ),
    "scan": ("recipe: top_patches\nmodel: demo\nlayers: conv1_1\nunits: 0-1\nscan: {folder}\n", "scan.json"),
    "scan beside pictures": (SHEET + "model: demo\nscan: {folder}\n", "scan.json"),
    "param": (
        SHEET.replace("size: 12\n", "") + "model: demo\nparam: image(12, init=photo('{folder}/p.png', 12))\n",
        "p.png",
    ),
    "objective": (
        "recipe: render\nmodel: demo\nsize: 12\nobjective: caricature('conv1_1', photo('{folder}/p.png', 12))\n",
        "p.png",
    ),
    "torchvision's datasets": (
        "recipe: top_patches\nmodel: demo\nlayers: conv1_1\nunits: 0\ndata: {{torchvision: CIFAR10, root: {folder}}}\n",
        "cifar-10-batches-py/batches.meta",
    ),
}


@pytest.mark.parametrize("climbing", [False, True], ids=["absolute", "climbing"])
@pytest.mark.parametrize("what", OUTSIDE)
def test_no_file_outside_is_opened(
    what: str, climbing: bool, outside: Path, inside: Path, weights: Path, cli: Cli
) -> None:
    text, secret = OUTSIDE[what]
    np.save(outside / "m.npy", np.zeros(3))
    np.save(outside / "a.npy", np.zeros((2, 3, 32, 32)))
    (outside / "l.txt").write_text("a\n" * 51)
    (outside / "scan.json").write_text("{}")
    Image.new("RGB", (32, 32)).save(outside / "p.png")
    folder = Path("..") / outside.name if climbing else outside
    path = recipe(inside, text.format(folder=folder).replace("layers: '0'", "layers: conv1_1"))
    with opened() as files:
        status, said = cli("run", path, "-o", "o")
    assert status == 2, said
    assert str(outside / secret) not in [str(Path(one).resolve()) for one in files]
    assert "--trust" in said
    assert not Path("o").exists()


def test_files_inside_are_followed_and_others_where_the_recipe_is_trusted(
    outside: Path, inside: Path, weights: Path, cli: Cli
) -> None:
    (inside / "w.safetensors").write_bytes(weights.read_bytes())
    text = SHEET.replace("'0'", "conv1_1") + "model: demo\nweights: {}\n"
    assert cli("run", recipe(inside, text.format("w.safetensors")), "-o", "o")[0] == 0
    assert cli("run", recipe(inside, text.format(weights)), "-o", "p", "--trust")[0] == 0
    assert cli("run", recipe(inside, text.format("default")), "-o", "q", "--set", f"weights={weights}")[0] == 0


def test_no_path_of_this_machine_stands_in_what_a_run_writes(
    outside: Path, inside: Path, weights: Path, cli: Cli, tmp_path: Path
) -> None:
    lt.datasets.drawings("test", length=4, size=32).save(outside / "photos")
    words = ["--set", f"weights={weights}", "--set", f"data={outside / 'photos'}", "--set", "size=32"]
    path = recipe(inside, "recipe: top_patches\nmodel: demo\nlayers: conv1_1\nunits: 0-1\ntop: 2\n")
    status, said = cli("run", path, "-o", "o", *words)
    assert status == 0, said
    for file in Path("o").rglob("*"):
        if file.is_file() and file.name != "provenance.json":
            assert str(tmp_path).encode() not in file.read_bytes(), file
    assert str(weights) in Path("o/provenance.json").read_text()
    assert cli("run", "o/recipe.yaml", "-o", "again")[0] == 0  # what it names is found by its checksum
    assert Path("again/data.json").read_bytes() == Path("o/data.json").read_bytes()


HOSTILE = {
    "a number of 10,000 digits": "steps: 1" + "0" * 10_000,
    "steps": "steps: 1000000000000",
    "threads": "threads: 1000000",
    "size": "size: 1000000000",
    "batch": "batch: 1000000000",
    "channels": "model: {spec: demo, channels: 1000000000}",
    "nesting": "units: " + "[" * 5000 + "]" * 5000,
    "an alias bomb": "a: &a [x, x]\nb: &b [*a, *a]\nunits: [*b, *b]",
    "a tag": "units: !!python/object/apply:os.system ['true']",
    "an unknown key": "exec: import os",
    "an empty path": "weights: ''",
    "a NUL": 'weights: "a\\0.safetensors"',
    "a long path": "weights: " + "a" * 100_000 + ".safetensors",
    "output elsewhere": "output: ../elsewhere",
}


@pytest.mark.parametrize("what", HOSTILE)
def test_hostile_values_are_refused_in_one_line(what: str, inside: Path, cli: Cli) -> None:
    key = HOSTILE[what].partition(":")[0]
    kept = [line for line in f"{SHEET}model: demo\n".splitlines() if not line.startswith(f"{key}:")]
    status, said = cli("run", recipe(inside, "\n".join([*kept, HOSTILE[what], ""])))
    assert status == 2, said
    assert said.startswith("lucidtorch: ")
    assert len(said.splitlines()[0]) < 300
    assert list(Path().iterdir()) == []
