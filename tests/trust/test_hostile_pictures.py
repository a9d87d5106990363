"""A picture is made to be shared: rerun follows what it says only where nothing can come of it."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable
from pathlib import Path
from typing import Any

import huggingface_hub.utils
import numpy as np
import pytest
import torch
from PIL import Image
from trust.forgery import evaluated_program, opened, pickled_program, picture, record_of, script

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, RecipeError, UntrustedError, WeightsError
from lucidtorch.base.images import read_png_text

Cli = Callable[..., tuple[int, str]]
NETWORK = {"sha256": None, "weights": "default"}


def networks(spec: str, composed: Path) -> dict[str, dict[str, Any]]:
    """The ways in which a picture names a network."""
    recipe = record_of(composed)["recipe"]
    return {
        "model": {"model": {"spec": spec}},
        "models": {"model": None, "models": {"one": {"spec": spec}, "two": {"spec": "demo"}}},
        "recipe": {"recipe": {**recipe, "model": spec, "weights": "default"}},
        "mapping": {"recipe": {**recipe, "model": {"spec": spec, "mean": [0.0, 0.0, 0.0]}, "weights": "default"}},
    }


@pytest.mark.parametrize("way", ["model", "models", "recipe", "mapping"])
@pytest.mark.parametrize("place", ["absolute", "relative", "beside", "with a checksum"])
def test_code_that_a_picture_names_is_not_run(
    way: str, place: str, code: Path, inside: Path, canary: Path, plain: Path, composed: Path, cli: Cli
) -> None:
    spec = {"absolute": str(code), "relative": f"../{inside.name}/net.py"}.get(place, "net.py") + ":build"
    changes = networks(spec, composed)[way]
    if place == "with a checksum" and way == "model":
        import hashlib

        changes["model"]["code_sha256"] = hashlib.sha256(code.read_bytes()).hexdigest()
    path = picture(inside / "p.png", record_of(composed if "recipe" in changes else plain, **changes))
    code_of_exit, said = cli("rerun", path, "-o", "again.png")
    assert (code_of_exit, canary.exists(), Path("again.png").exists()) == (2, False, False), said
    assert "--trust" in said
    assert "nothing was run" in said
    with pytest.raises(BadInputError):
        lt.recipes.rerun(path)
    assert not canary.exists()


def test_code_runs_for_a_picture_that_is_trusted(code: Path, inside: Path, canary: Path, plain: Path, cli: Cli) -> None:
    changes = {"model": {"spec": "net.py:build", "mean": [0.0]}, "objective": "channel('0', 1)"}
    path = picture(inside / "p.png", record_of(plain, **changes))
    assert cli("rerun", path, "-o", "again.png", "--trust")[0] == 0
    assert canary.exists()
    canary.unlink()
    lt.recipes.rerun(path, trust=True)
    assert canary.exists()


def test_a_changed_file_of_code_is_not_run_even_where_it_is_trusted(
    code: Path, inside: Path, canary: Path, plain: Path
) -> None:
    network = {"spec": "net.py:build", "mean": [0.0], "code_sha256": "0" * 64}
    path = picture(inside / "p.png", record_of(plain, model=network, objective="channel('0', 1)"))
    with pytest.raises(WeightsError, match=r"SHA-256 .* instead of 0{16}"):
        lt.recipes.rerun(path, trust=True)
    assert not canary.exists()


def test_a_network_that_the_user_names_goes_before_the_one_in_the_picture(
    code: Path, inside: Path, canary: Path, plain: Path, cli: Cli
) -> None:
    path = picture(inside / "p.png", record_of(plain, model={"spec": "net.py:build"}))
    assert cli("rerun", path, "-o", "again.png", "--model", "demo")[0] == 0
    assert not canary.exists()
    changes = {"model": {"spec": "demo", "mean": [0.0]}, "objective": "channel('0', 1)"}
    path = picture(inside / "p.png", record_of(plain, **changes))
    assert cli("rerun", path, "-o", "again.png", "--model", f"{code}:build")[0] == 0
    assert canary.exists()


@pytest.mark.parametrize("program", [pickled_program, evaluated_program])
def test_a_program_is_opened_only_where_it_is_trusted(
    program: Callable[[Path, Path], Path], inside: Path, canary: Path, plain: Path, cli: Cli
) -> None:
    file = program(inside / "net.pt2", canary)
    path = picture(inside / "p.png", record_of(plain, model={"spec": "net.pt2"}))
    for words in (("layers", file), ("render", file, "0:1", "-o", "x.png"), ("rerun", path, "-o", "again.png")):
        code, said = cli(*words)
        assert (code, canary.exists()) == (2, False), said
        assert "--trust" in said
    with pytest.raises(UntrustedError, match="trust=True"):
        lt.load_model(file)
    assert not canary.exists()
    cli("layers", file, "--trust")  # what is hidden in it is no network
    assert canary.exists()
    canary.unlink()
    cli("rerun", path, "-o", "again.png", "--trust")
    assert canary.exists()


@pytest.mark.filterwarnings("ignore::FutureWarning")
def test_a_torchscript_program_needs_trust_too(inside: Path, cli: Cli) -> None:
    file = script(inside / "net.pt")
    assert cli("layers", file)[0] == 2
    assert cli("layers", file, "--trust", "--mean", "0")[0] == 0
    with pytest.raises(UntrustedError, match="trust=True"):
        lt.load_model(str(file))


@pytest.mark.parametrize(
    ("spec", "weights"),
    [
        ("vgg16", "default"),
        ("timm/resnet18", "default"),
        ("hf/nobody/nothing", "default"),
        ("hf/nobody/nothing", "random"),
    ],
)
def test_nothing_is_fetched_on_the_word_of_a_picture(
    spec: str, weights: str, inside: Path, plain: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[object] = []

    def refuse(*words: object, **_: object) -> None:
        asked.append(words)
        raise OSError("no network in tests")

    for forget in ("close_session", "reset_sessions"):  # of huggingface_hub from 1.0, and before it
        getattr(huggingface_hub.utils, forget, lambda: None)()
    monkeypatch.setattr(socket, "getaddrinfo", refuse)
    monkeypatch.setattr(socket.socket, "connect", refuse)
    monkeypatch.setenv("TORCH_HOME", str(inside / "torch"))
    path = picture(inside / "p.png", record_of(plain, model={"spec": spec, "weights": weights}))
    code, said = cli("rerun", path, "-o", "again.png")
    assert (code, asked) == (2, []), said
    assert "downloaded" in said
    assert "--trust" in said
    cli("rerun", path, "-o", "again.png", "--trust")
    assert asked


def test_a_network_by_name_is_followed_where_its_weights_are_here(inside: Path, plain: Path, cli: Cli) -> None:
    changes = {"model": {"spec": "squeezenet1_1", "weights": "random"}, "objective": "channel('features.0', 3)"}
    path = picture(inside / "p.png", record_of(plain, canvas=[40, 40], param="image(24)", **changes))
    assert cli("rerun", path, "-o", "again.png")[0] == 0


OUTSIDE: dict[str, Callable[[Path], dict[str, Any]]] = {
    "weights": lambda secret: {"model": {"spec": "demo", "weights": str(secret)}},
    "mean": lambda secret: {"model": {"spec": "demo", "mean": str(secret)}},
    "labels": lambda secret: {"model": {"spec": "demo", "labels": str(secret)}},
    "folder of Hugging Face": lambda secret: {"model": {"spec": f"hf/{secret.parent}"}},
    "program": lambda secret: {"model": {"spec": str(secret.with_suffix(".pt2"))}},
    "objective": lambda secret: {"objective": f"caricature('conv1_1', photo('{secret}', 16))"},
    "param": lambda secret: {"param": f"image(16, init=photo('{secret}', 16))"},
    "mesh": lambda secret: {"transforms": f"textured('{secret}', 16)"},
}
NAMES = {"weights": "w.safetensors", "mean": "m.npy", "labels": "l.txt", "mesh": "m.obj"}


@pytest.mark.parametrize("climbing", [False, True], ids=["absolute", "climbing"])
@pytest.mark.parametrize("what", OUTSIDE)
def test_no_file_outside_is_opened(
    what: str, climbing: bool, outside: Path, inside: Path, plain: Path, weights: Path, cli: Cli
) -> None:
    np.save(outside / "m.npy", np.zeros(3))
    (outside / "l.txt").write_text("a\n" * 51)
    (outside / "m.obj").write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nvt 0 0\nf 1/1 2/1 3/1\n")
    Image.new("RGB", (16, 16)).save(outside / "p.png")
    (outside / "config.json").write_text("{}")
    secret = outside / NAMES.get(what, "p.png")
    named = Path("..") / outside.name / secret.name if climbing else secret
    path = picture(inside / "p.png", record_of(plain, **OUTSIDE[what](named)))
    with opened() as files:
        code, said = cli("rerun", path, "-o", "again.png")
    assert code == 2, said
    assert [one for one in files if Path(one).resolve().is_relative_to(outside)] == []
    assert "--trust" in said or "network that transformers knows" in said


def test_a_link_inside_leads_nowhere(outside: Path, inside: Path, plain: Path, weights: Path, cli: Cli) -> None:
    (inside / "w.safetensors").symlink_to(weights)
    path = picture(inside / "p.png", record_of(plain, model={"spec": "demo", "weights": "w.safetensors"}))
    with opened() as files:
        assert cli("rerun", path, "-o", "again.png")[0] == 2
    assert not any(Path(one).resolve() == weights for one in files)
    assert cli("rerun", path, "-o", "again.png", "--trust")[0] == 0


def test_a_file_inside_is_followed(inside: Path, plain: Path, weights: Path, cli: Cli) -> None:
    (inside / "w.safetensors").write_bytes(weights.read_bytes())
    path = picture(inside / "p.png", record_of(plain, model={"spec": "demo", "weights": "w.safetensors"}))
    assert cli("rerun", path, "-o", "again.png")[0] == 0


def test_weights_that_the_user_named_before_are_found_by_their_checksum(
    inside: Path, weights: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, cli: Cli
) -> None:
    monkeypatch.setenv("LUCIDTORCH_CACHE", str(tmp_path / "cache"))
    options = ("--weights", weights, "--size", "16", "--steps", "1")
    assert cli("render", "demo", "conv1_1:3", *options, "-o", inside / "a.png")[0] == 0
    text = read_png_text(inside / "a.png")
    assert json.loads(text)["model"]["weights"] == "w.safetensors"
    assert str(tmp_path) not in text
    assert cli("rerun", inside / "a.png", "-o", inside / "b.png")[0] == 0
    assert (inside / "b.png").read_bytes() == (inside / "a.png").read_bytes()
    monkeypatch.setenv("LUCIDTORCH_CACHE", str(tmp_path / "another machine"))
    code, said = cli("rerun", inside / "a.png", "-o", inside / "c.png")
    assert code == 2
    assert "no weights file 'w.safetensors'" in said
    assert cli("rerun", inside / "a.png", "-o", inside / "c.png", "--weights", weights)[0] == 0
    assert (inside / "c.png").read_bytes() == (inside / "a.png").read_bytes()


@pytest.mark.parametrize(
    "named", ["/etc/passwd", "../secret", "a/../../secret", "", "a//b", "/".join("a" * 500), "C:\\x"]
)
def test_a_composed_picture_is_taken_out_of_its_own_run_alone(
    named: str, inside: Path, composed: Path, cli: Cli, tmp_path: Path
) -> None:
    (tmp_path / "secret").write_text("secret")
    path = picture(inside / "p.png", record_of(composed, picture=named))
    code, said = cli("rerun", path, "-o", "again.png")
    assert (code, Path("again.png").exists()) == (2, False), said
    assert "Traceback" not in said


def test_a_composed_picture_that_its_recipe_does_not_make_is_refused(inside: Path, composed: Path, cli: Cli) -> None:
    path = picture(inside / "p.png", record_of(composed, picture="recipe.yaml"))
    code, said = cli("rerun", path, "-o", "again.png")
    assert (code, Path("again.png").exists()) == (2, False), said
    assert "makes no picture" in said


def test_the_folder_of_a_moved_sheet_is_its_own(inside: Path, tmp_path: Path, composed: Path, cli: Cli) -> None:
    Image.new("RGB", (16, 16)).save(tmp_path / "secret.png")
    recipe = {**record_of(composed)["recipe"], "param": "image(16, init=photo('secret.png', 16))"}
    recipe.pop("size")
    path = picture(inside / "p.png", record_of(composed, picture="a/p.png", recipe=recipe))
    with opened() as files:
        assert cli("rerun", path, "-o", "again.png")[0] == 2
    assert str(tmp_path / "secret.png") not in files


BAD_NUMBERS: dict[str, dict[str, Any]] = {
    "threads": {"threads": 1_000_000},
    "steps": {"steps": 10**12},
    "batch": {"batch": 10**9, "seed": [0]},
    "canvas": {"canvas": [10**9, 10**9]},
    "channels": {"model": {"spec": "demo", "channels": 10**9}},
    "size": {"model": {"spec": "demo", "size": [10**7, 10**7]}},
    "size of the param": {"param": "image(1000000)"},
    "compute batch": {"compute_batch": -1},
    "snapshots": {"snapshots": [1] * 20_000},
    "images": {"images": [5]},
    "snapshot": {"snapshot": 7},
    "a boolean for a list": {"seed": True},
    "an unknown field": {"exec": "import os"},
    "an unknown field of the network": {"model": {"spec": "demo", "exec": "import os"}},
    "no network": {"model": {"spec": ""}},
    "a NUL": {"model": {"spec": "demo", "weights": "a\0.safetensors"}},
    "a path of 100,000 letters": {"model": {"spec": "demo", "labels": "a" * 100_000}},
    "a lone surrogate": {"objective": "\ud800"},
    "versions": {"versions": {str(number): "1" for number in range(1000)}},
    "device": {"device": "cuda:99999999999"},
}


@pytest.mark.parametrize("what", BAD_NUMBERS)
def test_numbers_in_a_picture_have_bounds(what: str, inside: Path, plain: Path, cli: Cli) -> None:
    path = picture(inside / "p.png", record_of(plain, **BAD_NUMBERS[what]))
    code, said = cli("rerun", path, "-o", "again.png")
    assert (code, Path("again.png").exists()) == (2, False), said
    assert len(said.splitlines()[0]) < 300


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        '{"kind":' * 5000 + "1" + "}" * 5000,
        '{"kind": "render", "steps": 1' + "0" * 10_000 + "}",
        '{"kind": "render", "lr": NaN}',
        '{"kind": "render"}',
        '{"kind": 1, "picture": 2}',
        '{"kind": "nothing", "picture": "a.png", "recipe": {}, "recipe_id": "1"}',
        "[]",
        "null",
        '{"kind": "layer_sheet", "picture": "a.png", "recipe_id": "1", "recipe": ' + '{"a":' * 60 + "1" + "}" * 61,
    ],
    ids=range(10),
)
def test_broken_records_are_told_in_one_line(text: str, inside: Path, cli: Cli) -> None:
    path = picture(inside / "p.png", text)
    code, said = cli("rerun", path, "-o", "again.png")
    assert code == 2
    assert said.startswith("lucidtorch: ")
    assert len(said) < 300
    with pytest.raises(RecipeError):
        lt.recipes.rerun(path)


def test_numbers_in_a_composed_picture_have_bounds(inside: Path, composed: Path, cli: Cli) -> None:
    recipe = record_of(composed)["recipe"]
    for changes in (
        {"steps": 10**12},
        {"threads": 10**6},
        {"size": 10**9},
        {"model": {"spec": "demo", "channels": 10**9}},
    ):
        path = picture(inside / "p.png", record_of(composed, recipe={**recipe, **changes}))
        code, said = cli("rerun", path, "-o", "again.png")
        assert code == 2, said


def test_seeds_of_old_pictures_are_read(inside: Path, plain: Path, cli: Cli) -> None:
    path = picture(inside / "p.png", record_of(plain, seed=[2**63 - 1]))
    assert cli("rerun", path, "-o", "again.png")[0] == 0
    assert torch.is_tensor(lt.recipes.rerun(path).images)  # type: ignore[union-attr]
