"""Which unit an objective is about: one, driven up or down, or none that real images could be shown for."""

from __future__ import annotations

import pytest

from lucidtorch.galleries.aims import Aim, aim_of
from lucidtorch.models.model import Model
from lucidtorch.objectives.text import parse

ONE_UNIT = {
    "conv1_1:3": Aim("conv1_1", 3, False),
    "-conv1_1:3": Aim("conv1_1", 3, True),
    "- -conv1_1:3": Aim("conv1_1", 3, False),
    "-2 * conv1_1:3": Aim("conv1_1", 3, True),
    "conv1_1:3 / 2 + 1": Aim("conv1_1", 3, False),
    "neuron('conv2_1', 5, x=1, y=2)": Aim("conv2_1", 5, False),
    "logit(7)": Aim("logits", 7, False),
    "-logit('star')": Aim("logits", -1, True),
    "conv1_1:3 - 100 * diversity('conv1_1')": Aim("conv1_1", 3, False),
    "conv1_1:3 - 0.01 * total_variation() - L2()": Aim("conv1_1", 3, False),
}
NONE = [
    "conv1_1:3 + conv1_1:4",
    "conv1_1:3 - conv1_1:4",
    "conv1_1:3 + deepdream('conv1_1')",
    "conv1_1:3 - direction('conv1_1', [1, 0, 0])",
    "conv1_1:3 * conv1_1:3",
    "conv1_1:3 ** 2",
    "1 / conv1_1:3",
    "channel('conv1_1', [1, 2])",
    "deepdream('conv1_1')",
    "each(conv1_1:3, conv1_1:4)",
    "-total_variation()",
]


@pytest.mark.parametrize("text", ONE_UNIT)
def test_an_objective_of_one_unit_names_it(demo: Model, text: str) -> None:
    wanted = ONE_UNIT[text]
    unit = (demo.labels or []).index("star") if wanted.unit < 0 else wanted.unit
    assert aim_of(parse(text), demo) == Aim(wanted.layer, unit, wanted.down)


@pytest.mark.parametrize("text", NONE)
def test_what_is_of_no_unit_or_of_several_has_none(demo: Model, text: str) -> None:
    assert aim_of(parse(text), demo) is None
