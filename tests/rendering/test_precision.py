"""Half precision is for the network alone: images, params and objectives stay in float32."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar

import pytest
import torch
from small_networks import as_model, mixing
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError
from lucidtorch.constraints.constraint import Constraint, Moment
from lucidtorch.models.model import Model
from lucidtorch.recipes.pictures import read_recipe, rerun

HALVES = {"bfloat16": torch.bfloat16, "float16": torch.float16}


def supported(precision: str) -> bool:
    try:
        with torch.autocast("cpu", dtype=HALVES[precision]):
            nn.functional.conv2d(torch.ones(1, 1, 3, 3), torch.ones(1, 1, 3, 3))
    except RuntimeError:
        return False
    return True


class Watching(nn.Module):
    """Notes in what type it is fed, and what its convolution makes of it."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)
        self.seen: set[tuple[torch.dtype, torch.dtype]] = set()

    def forward(self, images: Tensor) -> Tensor:
        values: Tensor = self.conv(images)
        self.seen.add((images.dtype, values.dtype))
        return values


@pytest.mark.parametrize("precision", HALVES)
def test_the_network_computes_in_it_and_nothing_else_does(precision: str) -> None:
    if not supported(precision):
        pytest.skip(f"this processor does not compute in {precision}")
    net = Watching()
    types: list[torch.dtype] = []

    def note(step: lt.rendering.loop.Step) -> None:
        types.extend([step.values.dtype, step.param().dtype, *(number.dtype for number in step.param.parameters())])

    settings: dict[str, Any] = {"engine": lt.Engine(precision), "param": "image(16)", "progress": False}
    found = lt.render(as_model(net), "output:1", steps=3, callbacks=[note], **settings)
    assert net.seen == {(torch.float32, torch.float32), (torch.float32, HALVES[precision])}  # the dry run, and the rest
    assert set(types) == {torch.float32}
    assert found.images.dtype == found.values.dtype == torch.float32
    assert found.recipe["precision"] == precision


@pytest.mark.parametrize("precision", HALVES)
def test_the_values_are_nearly_those_of_float32(precision: str) -> None:
    if not supported(precision):
        pytest.skip(f"this processor does not compute in {precision}")
    model = as_model(mixing())
    whole = lt.render(model, "0:1", steps=24, progress=False, param="image(16)")
    half = lt.render(model, "0:1", steps=24, progress=False, param="image(16)", engine=lt.Engine(precision))
    assert torch.isfinite(half.images).all()
    start = whole.history["objective"][0, 0]
    gained, gained_in_half = whole.values[0] - start, half.values[0] - start
    assert gained > 0
    assert float(gained_in_half) == pytest.approx(float(gained), rel=0.1)


@dataclass(frozen=True, repr=False)
class noted(Constraint):  # noqa: N801  # a word of the notation
    """Keeps the gradients that it is shown."""

    gradients: list[Tensor]
    needs_gradient: ClassVar[bool] = True

    def __post_init__(self) -> None:
        return

    def apply(self, images: Tensor, moment: Moment) -> Tensor:
        assert moment.gradient is not None
        self.gradients.append(moment.gradient.clone())
        return images


# Whole; one part after another; all parts forward, and once more for the gradients.
WAYS: dict[str, tuple[str, dict[str, Any]]] = {
    "whole": ("4:[0, 1, 2]", {}),
    "one after another": ("4:[0, 1, 2]", {"compute_batch": 2}),
    "twice": ("4:1 - diversity('2')", {"param": "image(16, batch=3)", "compute_batch": 2}),
}


def gradients(goal: str, precision: str, more: dict[str, Any]) -> list[Tensor]:
    """The objective's gradient to the images at each step, and the parameters' own."""
    seen: list[Tensor] = []
    own = {name: value for name, value in more.items() if name != "compute_batch"}
    engine = lt.Engine(precision, more.get("compute_batch"))
    settings = {"param": "image(16)", "steps": 18, "progress": False, "engine": engine} | own

    def note(step: lt.rendering.loop.Step) -> None:
        seen.extend(one.grad.clone() for one in step.param.parameters() if one.grad is not None)

    lt.render(as_model(mixing()), goal, constraints=noted(seen), callbacks=[note], **settings)
    return seen


@pytest.mark.parametrize("precision", HALVES)
@pytest.mark.parametrize("way", WAYS)
def test_gradients_are_those_of_float32_however_the_images_go_through(way: str, precision: str) -> None:
    """The loss scale of float16 is taken out again, for the numbers and for constraints; 2 steps, before they part."""
    if not supported(precision):
        pytest.skip(f"this processor does not compute in {precision}")
    goal, more = WAYS[way]
    more = more | {"steps": 2}
    whole, half = gradients(goal, "float32", more), gradients(goal, precision, more)
    assert len(whole) == len(half) == 4
    for one, other in zip(whole[:2], half[:2], strict=True):
        assert other.dtype == torch.float32
        assert float((one - other).norm() / one.norm()) < 0.05


def types_of(model: Model, monkeypatch: pytest.MonkeyPatch) -> Callable[[], set[torch.dtype]]:
    """Note in what type images are normalized."""
    seen: set[torch.dtype] = set()
    normalize = model.normalize

    def noting(images: Tensor) -> Tensor:
        found = normalize(images)
        seen.update({images.dtype, found.dtype})
        return found

    monkeypatch.setattr(Model, "normalize", lambda self, images: noting(images))
    return lambda: seen


def test_what_is_around_the_network_is_in_float32(monkeypatch: pytest.MonkeyPatch) -> None:
    """A transform of matrix products, which autocast would make coarse, and the normalization."""
    if not supported("bfloat16"):
        pytest.skip("this processor does not compute in bfloat16")
    types: list[torch.dtype] = []

    def tinted(images: Tensor) -> Tensor:
        found = torch.einsum("ij,bjhw->bihw", torch.eye(3) * 0.9, images)
        types.append(found.dtype)
        return found

    model = as_model(mixing())
    normalized = types_of(model, monkeypatch)
    lt.render(model, "4:1", steps=3, transforms=tinted, engine=lt.Engine("bfloat16"), progress=False, param="image(16)")
    assert set(types) == normalized() == {torch.float32}


def test_a_rerun_computes_in_the_same_precision(tmp_path: object) -> None:
    if not supported("bfloat16"):
        pytest.skip("this processor does not compute in bfloat16")
    path = f"{tmp_path}/half.png"
    made = lt.render("digits", "conv1:2", steps=3, engine=lt.Engine("bfloat16"), progress=False)
    made.save(path)
    assert read_recipe(path).precision == "bfloat16"
    assert torch.equal(rerun(path).images, made.images)


@pytest.mark.parametrize("precision", ["half", "float8", "", None])
def test_an_unknown_precision_is_refused(precision: object) -> None:
    with pytest.raises(BadInputError, match=r"no precision|takes a text, but None"):
        lt.Engine(precision)  # type: ignore[arg-type]
