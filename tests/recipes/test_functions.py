"""Every kind is a function too: the same fields, the same files."""

from __future__ import annotations

import inspect
from pathlib import Path
from typing import Any

import pytest
from recipe_runs import contents
from safetensors.torch import save_file

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError
from lucidtorch.models.model import Model
from lucidtorch.recipes.documents.loading import load, run_document
from lucidtorch.recipes.kinds import KINDS, kind
from lucidtorch.rendering.settings import Engine, options_of

COMMON = ("size=24", "steps=3", "batch=4")
SHORTER: dict[str, tuple[str, ...]] = {  # what makes a starter a matter of seconds
    "render": ("snapshots=[2]",),
    "layer_sheet": ("units=0-4",),
    "model_tour": ("layers=[conv1_1, conv2_1]", "unit=3"),
    "negative": ("units=[1, 2]",),
    "diversity": ("versions=2",),
    "interpolation": ("frames=3",),
    "interaction": (),
    "activation_grid": ("image_size=32", "layers=[relu3_1]", "group=4"),
    "heatmap": ("images=[{drawing: star}]", "best=1", "patch=12", "stride=12"),
    "neuron_groups": ("image_size=48", "layers=[relu2_1]", "groups=2", "max_iter=20"),
    "activations": ("layers=[relu1_1, relu3_1, logits]",),
    "filters": ("units=0-4", "best=2"),
    "adversarial": ("images=[{drawing: star}]", "labels=star", "epsilon=0.5", "largest=0.1"),
    "deconvnet": ("layers=[relu1_2, logits]", "count=1"),
    "inversion": ("layers=[relu1_1, relu2_1]",),
    "ascent_problems": ("objectives=[conv2_2:5]", "ways=[plain, regularized]"),
    "embedding": ("layers=[logits]", "data.length=12", "perplexity=3", "iterations=250", "thumb=16"),
    "top_patches": ("data.length=51", "layers=[conv1_1, logits]", "units=0-1"),
    "class_preference": ("data.length=51", "layers=[conv1_1, logits]"),
    "regularization_study": ("regularizers=[L1, jitter, fft]", "together=[jitter, fft]"),
    "optimization_film": ("frames=2",),
}


@pytest.mark.parametrize("name", KINDS)
def test_a_file_and_a_call_make_the_same_folder(demo: Model, tmp_path: Path, name: str) -> None:
    common = (one for one in COMMON if one.split("=")[0] in kind(name).model_fields)
    document = load(name, (*common, *SHORTER[name]))
    run_document(document, tmp_path / "file", network=demo)
    fields: dict[str, Any] = document.values
    fields.pop("recipe")
    getattr(lt.recipes, name)(fields.pop("model"), **fields, output=tmp_path / "call", progress=False)
    assert contents(tmp_path / "file") == contents(tmp_path / "call")


@pytest.mark.parametrize("name", KINDS)
def test_a_function_takes_the_fields_of_its_kind_and_describes_them(name: str) -> None:
    function = getattr(lt.recipes, name)
    taken = inspect.signature(function).parameters
    fields = set(kind(name).model_fields) - {"recipe", "made_with"}
    executed = set(options_of(Engine))
    assert fields - executed < set(taken)
    assert ("engine" in taken) == (executed < fields)
    assert not executed & set(taken)
    assert next(iter(taken)) == "model"
    said = inspect.getdoc(function) or ""
    assert said.startswith(kind(name).summary)
    for one in taken:
        assert f"\n    {one}: " in said
        assert f"\n    {one}: None\n" not in said


def test_a_function_refuses_what_is_no_network() -> None:
    with pytest.raises(BadInputError, match="model"):
        lt.recipes.layer_sheet(3, layers="conv1_1")


def test_a_file_of_weights_means_the_same_from_any_folder(
    demo: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    save_file(demo.module.state_dict(), tmp_path / "w.safetensors")
    (tmp_path / "r.yaml").write_text("recipe: render\nmodel: demo\nweights: w.safetensors\nobjective: conv1_1:2\n")
    run_document(load(tmp_path / "r.yaml", COMMON), tmp_path / "file")
    monkeypatch.chdir(tmp_path)
    fields: dict[str, Any] = {"objective": "conv1_1:2", "size": 24, "steps": 3, "batch": 4}
    lt.recipes.render("demo", weights="w.safetensors", **fields, output="call", progress=False)
    assert contents(tmp_path / "file") == contents(tmp_path / "call")
    monkeypatch.chdir(tmp_path.parent)
    run_document(load(tmp_path / "call" / "recipe.yaml"), tmp_path / "again")
    assert contents(tmp_path / "again") == contents(tmp_path / "call")
