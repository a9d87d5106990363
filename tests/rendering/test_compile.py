"""Compiled networks make the same pictures up to rounding; a backend that only replays stands for the compiler."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from small_networks import as_model, mixing
from torch import Tensor, fx

import lucidtorch as lt
from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.models.model import Model
from lucidtorch.models.running import compiling
from lucidtorch.models.running.redirect import STEPS
from lucidtorch.recipes.pictures import read_recipe, rerun

LONGER = STEPS + 4
NOT_SHARED = "before torch 2.14, each copy of a network is compiled"


@pytest.fixture
def graphs(monkeypatch: pytest.MonkeyPatch) -> list[fx.GraphModule]:
    """What is given to the compiler."""
    given: list[fx.GraphModule] = []

    def compiler(graph: fx.GraphModule, inputs: list[Tensor]) -> Callable[..., Any]:
        given.append(graph)
        return graph.forward

    compiling._kept_program.cache_clear()
    monkeypatch.setattr(compiling, "_settings", lambda images: {"backend": compiler})
    return given


def made(model: Model | str | dict[str, Model], goal: str, **more: Any) -> lt.Rendering:
    engine = lt.Engine(**{name: more.pop(name) for name in ("precision", "compute_batch", "compile") if name in more})
    settings = {"param": "image(20)", "steps": LONGER, "progress": False} | more
    return lt.render(model, goal, engine=engine, **settings)


@pytest.mark.parametrize(
    ("goal", "more", "programs"),
    [
        ("4:1", {}, 1),
        ("4:[0, 1, 2] + 0.5 * 2:1", {"compute_batch": 2}, 1),
        ("4:1 - diversity('2')", {"param": "image(20, batch=3)", "compute_batch": 2}, 2),
        ("4:2", {"precision": "bfloat16"}, 1),
        ("4:[0, 1]", {"transforms": "crops(3)"}, 1),
    ],
)
def test_the_picture_is_the_same_up_to_rounding(
    graphs: list[fx.GraphModule], goal: str, more: dict[str, Any], programs: int
) -> None:
    whole, compiled = made(as_model(mixing()), goal, **more), made(as_model(mixing()), goal, compile=True, **more)
    assert len(graphs) == programs
    torch.testing.assert_close(compiled.images, whole.images, rtol=0, atol=1e-4)
    torch.testing.assert_close(compiled.values, whole.values)
    first = {text: values[:, :STEPS] for text, values in whole.history.items()}
    assert all(torch.equal(compiled.history[text][:, :STEPS], values) for text, values in first.items())
    assert (whole.recipe["compile"], compiled.recipe["compile"]) == (False, True)


def test_several_networks_are_compiled(graphs: list[fx.GraphModule]) -> None:
    models = {"a": as_model(mixing(seed=0)), "b": as_model(mixing(seed=1))}
    whole, compiled = made(models, "a/4:1 + b/0:2"), made(models, "a/4:1 + b/0:2", compile=True)
    assert len(graphs) == 2
    torch.testing.assert_close(compiled.images, whole.images, rtol=0, atol=1e-4)


def test_steps_that_redirect_relus_are_not_compiled(graphs: list[fx.GraphModule]) -> None:
    short = made(as_model(mixing()), "4:1", steps=STEPS, compile=True)
    assert graphs == []
    assert torch.equal(short.images, made(as_model(mixing()), "4:1", steps=STEPS).images)


def test_an_objective_that_looks_inside_is_not_compiled(graphs: list[fx.GraphModule]) -> None:
    goal = "4:1 + facet('0', '4', [0, 1, 0, 0, 0])"
    with pytest.warns(LucidtorchWarning, match="takes gradients inside of it"):
        compiled = made(as_model(mixing()), goal, compile=True)
    assert graphs == []
    assert torch.equal(compiled.images, made(as_model(mixing()), goal).images)


@pytest.mark.skipif(not compiling.SHARES, reason=NOT_SHARED)
def test_a_rerun_compiles_again(graphs: list[fx.GraphModule], tmp_path: Path) -> None:
    first = made("digits", "conv1:2", param=None, compile=True)
    first.save(tmp_path / "a.png")
    assert read_recipe(tmp_path / "a.png").compile
    again = rerun(tmp_path / "a.png")
    assert torch.equal(again.images, first.images)
    assert len(graphs) == 1


@pytest.mark.skipif(not compiling.SHARES, reason=NOT_SHARED)
def test_a_gallery_compiles_once(graphs: list[fx.GraphModule], tmp_path: Path) -> None:
    settings: dict[str, Any] = {"layers": ["4"], "batch": 2, "steps": LONGER, "param": "image(20)"}
    found = lt.gallery(as_model(mixing()), tmp_path, engine=lt.Engine(compile=True), **settings)
    assert found.units == 5
    assert len(graphs) == 1


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="there is no C++ compiler here")
def test_with_the_compiler_of_torch(tmp_path: Path) -> None:
    compiling._kept_program.cache_clear()
    whole, compiled = (made(as_model(mixing()), "4:[1, 2]", compile=one) for one in (False, True))
    torch.testing.assert_close(compiled.images, whole.images, rtol=0, atol=1e-4)
    assert torch.equal(made(as_model(mixing()), "4:[1, 2]", compile=True).images, compiled.images)
