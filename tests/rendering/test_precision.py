"""Half precision is for the network alone: images, params and objectives stay in float32."""

from __future__ import annotations

import pytest
import torch
from small_networks import as_model, mixing
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError
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

    found = lt.render(
        as_model(net), "output:1", steps=3, precision=precision, progress=False, callbacks=[note], param="image(16)"
    )
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
    half = lt.render(model, "0:1", steps=24, progress=False, param="image(16)", precision=precision)
    assert torch.isfinite(half.images).all()
    start = whole.history["objective"][0, 0]
    gained, gained_in_half = whole.values[0] - start, half.values[0] - start
    assert gained > 0
    assert float(gained_in_half) == pytest.approx(float(gained), rel=0.1)


def test_a_rerun_computes_in_the_same_precision(tmp_path: object) -> None:
    if not supported("bfloat16"):
        pytest.skip("this processor does not compute in bfloat16")
    path = f"{tmp_path}/half.png"
    made = lt.render("digits", "conv1:2", steps=3, precision="bfloat16", progress=False)
    made.save(path)
    assert read_recipe(path).precision == "bfloat16"
    assert torch.equal(rerun(path).images, made.images)


@pytest.mark.parametrize("precision", ["half", "float8", "", None])
def test_an_unknown_precision_is_refused(precision: object) -> None:
    with pytest.raises(BadInputError, match="no precision"):
        lt.render(as_model(mixing()), "0:1", steps=2, precision=precision, progress=False)  # type: ignore[arg-type]
