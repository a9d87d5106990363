"""Variants that are objectives of the user's own, with places for the layer and the unit."""

from __future__ import annotations

from pathlib import Path

import pytest
from gallery_runs import contents, made
from guards.registry import own_objectives
from torch import Tensor

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, ExpressionError
from lucidtorch.cli.reading import top_level_parts
from lucidtorch.galleries.plan import plan
from lucidtorch.models.model import Model
from lucidtorch.objectives import Activations, each, neuron, objective

TEMPLATE = "neuron({layer}, {unit}, x=1) - 0.001 * total_variation()"


def test_a_template_is_filled_for_every_unit(demo: Model) -> None:
    (first, second) = plan(demo, ["conv1_1"], "0-2", [TEMPLATE], 2, 0)
    penalty = 0.001 * lt.objectives.total_variation()
    assert first.objective == each(neuron("conv1_1", 0, x=1) - penalty, neuron("conv1_1", 1, x=1) - penalty)
    assert second.objective == each(*[neuron("conv1_1", 2, x=1) - penalty] * 2)
    assert first.objective_of(1) == neuron("conv1_1", 1, x=1) - penalty
    assert first.seeds != plan(demo, ["conv1_1"], "0-2", ["channel"], 2, 0)[0].seeds


def test_an_objective_of_ones_own_works_in_a_gallery(demo: Model, tmp_path: Path) -> None:
    with own_objectives():

        @objective
        def strongest(activations: Activations, layer: str, index: int) -> Tensor:
            """The largest activation of a channel."""
            return activations[layer][:, index].flatten(1).amax(1)

        variants = ["channel", "strongest({layer}, {unit})"]
        gallery = made(demo, tmp_path / "first", variants=variants)
        assert gallery.units == 6
        pages = [page.read_text() for page in (tmp_path / "first").rglob("*.html")]
        assert any("strongest(&#39;conv1_1&#39;, 1)" in page for page in pages)
        made(demo, tmp_path / "second", variants=variants)
        assert contents(tmp_path / "first") == contents(tmp_path / "second")


def test_constraints_hold_in_a_gallery(demo: Model, tmp_path: Path) -> None:
    made(demo, tmp_path / "plain")
    made(demo, tmp_path / "held", constraints="decay(0.5)")
    first, second = contents(tmp_path / "plain"), contents(tmp_path / "held")
    pictures = [name for name in first if name.endswith(".png")]
    assert pictures
    assert all(first[name] != second[name] for name in pictures)
    (path, *_) = (tmp_path / "held").rglob("00000.png")
    assert lt.recipes.read_recipe(path).constraints == "decay(0.5)"


@pytest.mark.parametrize(
    ("variant", "error"),
    [
        ("neuron({layer})", BadInputError),
        ("neuron({layer}, {unit}", ExpressionError),
        ("nouron({layer}, {unit})", ExpressionError),
        ("channel({layer}, [{unit}, 1])", BadInputError),
    ],
)
def test_templates_that_fit_nothing_are_refused(demo: Model, variant: str, error: type[Exception]) -> None:
    with pytest.raises(error):
        plan(demo, ["conv1_1"], "0-2", [variant], 2, 0)


def test_commas_inside_calls_do_not_divide() -> None:
    text = "channel, neuron({layer}, {unit}) - L1('a,b', constant=0.5) ,[1,2]"
    assert top_level_parts(text) == ["channel", "neuron({layer}, {unit}) - L1('a,b', constant=0.5)", "[1,2]"]
