"""Pictures that cannot be made again say why, and what to do, before any step is made."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import safetensors.torch
import torch
from PIL import Image
from small_networks import as_model, mixing

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, ExpressionError, OutputError, RecipeError, WeightsError
from lucidtorch.base.images import encode_png, read_png_text
from lucidtorch.models.model import Model
from lucidtorch.objectives import direction
from lucidtorch.rendering.loop import Loop


@pytest.fixture(scope="module")
def recipe(demo: Model) -> dict[str, Any]:
    """What a picture carries that can be made again."""
    found = lt.render(demo, "conv2_1:3", param=lt.param.image(24), steps=2, progress=False)
    return dict(found.recipe)


@pytest.fixture
def no_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    def run(self: Loop) -> None:
        raise AssertionError("a step was made")

    monkeypatch.setattr(Loop, "run", run)


def picture(path: Path, text: str) -> Path:
    path.write_bytes(encode_png(torch.rand(3, 6, 6, generator=torch.Generator().manual_seed(0)), text))
    return path


def no_text(folder: Path) -> Path:
    return picture(folder / "plain.png", "")


def missing(folder: Path) -> Path:
    return folder / "missing.png"


def a_folder(folder: Path) -> Path:
    return folder


def no_picture(folder: Path) -> Path:
    path = folder / "text.png"
    path.write_text("no picture")
    return path


def empty(folder: Path) -> Path:
    path = folder / "empty.png"
    path.touch()
    return path


def jpeg(folder: Path) -> Path:
    path = folder / "photo.jpg"
    Image.new("RGB", (8, 8)).save(path)
    return path


def re_encoded(folder: Path) -> Path:
    path = picture(folder / "whole.png", '{"kind": "render"}')
    with Image.open(path) as image:
        Image.fromarray(np.asarray(image)).save(folder / "again.png")
    return folder / "again.png"


def cut(folder: Path) -> Path:
    path = picture(folder / "cut.png", '{"kind": "render"}')
    path.write_bytes(path.read_bytes()[:-60])
    return path


FILES = {no_text: "carries no recipe", missing: "no file", a_folder: "PNG", no_picture: "not a PNG", empty: "not a PNG"}
FILES |= {jpeg: "no recipe", re_encoded: "carries no recipe", cut: "not a PNG"}


@pytest.mark.parametrize("made", FILES, ids=lambda made: made.__name__)
def test_files_without_a_recipe(made: Callable[[Path], Path], tmp_path: Path) -> None:
    path = made(tmp_path)
    for call in (lt.recipes.read_recipe, lt.recipes.rerun):
        with pytest.raises(RecipeError, match=FILES[made]) as caught:
            call(path)
        assert path.name in str(caught.value)


@pytest.mark.parametrize(
    "text", ["{", "hello", "[]", "5", "null", '{"steps": 4}', '{"kind": }', "[" * 100_000], ids=lambda text: text[:9]
)
def test_texts_that_are_no_recipe(text: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match=r"odd\.png"):
        lt.recipes.rerun(picture(tmp_path / "odd.png", text))


CHANGES: dict[str, tuple[dict[str, Any], str]] = {
    "unknown field": ({"colour": "red"}, "colour"),
    "future kind": ({"kind": "caricature"}, "kind"),
    "no kind": ({"kind": None}, "kind"),
    "steps 0": ({"steps": 0}, "steps"),
    "steps text": ({"steps": "many"}, "steps"),
    "lr 0": ({"lr": 0}, "lr"),
    "no seed": ({"seed": None}, "seed"),
    "batch 0": ({"batch": 0}, "batch"),
    "threads 0": ({"threads": 0}, "threads"),
    "model that is a text": ({"model": "demo"}, "model"),
    "network with an unknown field": ({"model": {"spec": "demo", "colour": 1}}, "colour"),
    "network without a name": ({"model": {"weights": "random"}}, "spec"),
    "seeds": ({"seed": [1, 2]}, "seeds"),
    "negative seed": ({"seed": [-1]}, "-1"),
    "optimizer": ({"optimizer": "guess"}, "guess"),
    "snapshots": ({"snapshots": [9]}, "9"),
    "objective": ({"objective": "conv2_1:"}, r"\^"),
    "layer": ({"objective": "conv9:1"}, "conv9"),
    "param": ({"param": "__import__('os')"}, "__import__"),
    "transforms": ({"transforms": "blur(3)"}, "blur"),
    "network": ({"model": {"spec": "demmo"}}, "demmo"),
    "device": ({"device": "abacus"}, "abacus"),
    "weights that are a number": ({"model": {"spec": "demo", "weights": 5}}, "weights|model"),
    "size that is a text": ({"model": {"spec": "demo", "weights": "random", "size": "large"}}, "size|large"),
    "mean that is a text": ({"model": {"spec": "demo", "weights": "random", "mean": "grey"}}, "mean"),
    "labels that are numbers": ({"model": {"spec": "demo", "weights": "random", "labels": [1, 2]}}, "labels"),
    "images that are not there": ({"images": [3]}, "images"),
    "no images": ({"images": []}, "images"),
}


@pytest.mark.usefixtures("no_steps")
@pytest.mark.parametrize("case", CHANGES)
def test_recipes_that_do_not_fit(case: str, recipe: dict[str, Any], tmp_path: Path) -> None:
    change, words = CHANGES[case]
    path = picture(tmp_path / "one.png", json.dumps(recipe | change))
    with pytest.raises(BadInputError, match=words):
        lt.recipes.rerun(path, tmp_path / "two.png")
    assert not (tmp_path / "two.png").exists()


@pytest.mark.parametrize("field", ["objective", "param", "steps", "seed", "model", "lr", "batch", "threads", "canvas"])
def test_fields_that_are_missing(field: str, recipe: dict[str, Any], tmp_path: Path) -> None:
    left = {name: value for name, value in recipe.items() if name != field}
    with pytest.raises(RecipeError, match=field):
        lt.recipes.read_recipe(picture(tmp_path / "one.png", json.dumps(left)))


def test_a_module_of_ones_own_is_asked_for(tmp_path: Path) -> None:
    first = lt.render(as_model(mixing()), "4:1", param=lt.param.image(16), steps=1, progress=False)
    with pytest.raises(RecipeError, match=r"Sequential.*model=") as caught:
        lt.recipes.rerun(first.save(tmp_path / "one.png"))
    assert "rerun(" in str(caught.value)


def test_functions_as_transforms_are_asked_for(demo: Model, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"param": lt.param.image(24), "steps": 1, "progress": False}
    first = lt.render(demo, "conv2_1:3", transforms=[lambda images: images.flip(3)], **settings)
    with pytest.raises(RecipeError, match=r"transforms.*render"):
        lt.recipes.rerun(first.save(tmp_path / "one.png"))


@pytest.mark.usefixtures("no_steps")
@pytest.mark.parametrize("name", ["two.txt", "two", "two.gif", "two.mp4", "file/two.png", "."])
def test_outputs_that_cannot_be_written(name: str, recipe: dict[str, Any], tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    path = picture(tmp_path / "one.png", json.dumps(recipe))
    with pytest.raises(OutputError):
        lt.recipes.rerun(path, tmp_path / name)


def state_of(model: Model) -> dict[str, torch.Tensor]:
    return {name: value.clone() for name, value in model.module.state_dict().items()}


@pytest.mark.parametrize("suffix", [".safetensors", ".pth"])
def test_a_changed_weights_file_is_refused(tmp_path: Path, suffix: str) -> None:
    file = tmp_path / f"weights{suffix}"
    state = state_of(lt.load_model("demo", weights="random", device="cpu"))
    save = safetensors.torch.save_file if suffix == ".safetensors" else torch.save
    save(state, file)
    model = lt.load_model("demo", weights=file, device="cpu")
    first = lt.render(model, "conv2_1:3", param=lt.param.image(24), steps=2, progress=False)
    path = first.save(tmp_path / "one.png")
    lt.recipes.rerun(path, tmp_path / "two.png")
    assert (tmp_path / "two.png").read_bytes() == path.read_bytes()
    state["conv1_1.bias"][0] += 1e-3
    save(state, file)
    with pytest.raises(WeightsError, match=r"(?i)sha-?256") as caught:
        lt.recipes.rerun(path)
    assert str(file) in str(caught.value)
    file.unlink()
    with pytest.raises(WeightsError, match="no weights file"):
        lt.recipes.rerun(path)
    assert torch.equal(lt.recipes.rerun(path, model=model).images, first.images)


def test_arrays_must_stand_beside_the_picture_unchanged(demo: Model, tmp_path: Path) -> None:
    goal = direction("conv4_1", [float(number) for number in range(128)])
    settings: dict[str, Any] = {"param": lt.param.image(24), "steps": 1, "progress": False}
    path = lt.render(demo, goal, **settings).save(tmp_path / "one.png")
    (array,) = tmp_path.glob("*.npy")
    assert array.name in read_png_text(path)
    content = bytearray(array.read_bytes())
    content[-1] ^= 1
    array.write_bytes(content)
    with pytest.raises(ExpressionError, match="sha256"):
        lt.recipes.rerun(path)
    array.unlink()
    with pytest.raises(ExpressionError, match=array.name):
        lt.recipes.rerun(path)
