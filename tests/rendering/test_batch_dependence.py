"""Images are computed apart only where the value of each depends on that image alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import pytest
import torch
from guards.registry import own_objectives
from hypothesis import given as drawn
from hypothesis import settings
from hypothesis import strategies as st
from objective_examples.example import SHAPES
from objectives.expression_trees import Tree
from objectives.expression_worlds import World, collected, worlds
from torch import Tensor

import lucidtorch as lt
from lucidtorch.objectives import Activations, Objective, objective
from lucidtorch.objectives.term import Term
from lucidtorch.rendering.checks import BatchDependence, batch_dependence
from lucidtorch.transforms.transform import Pipeline

WORLDS = worlds()
EXAMPLES = collected()
NOTHING = Pipeline(())


def depends_on_others(goal: Objective, given: Mapping[str, Tensor]) -> bool:
    """Change the images one at a time, and look whether the value of any other moves."""
    dice = torch.Generator().manual_seed(77)
    before, moved = goal(given), False
    for image in range(len(before)):
        changed = {name: values.detach().clone() for name, values in given.items()}
        for values in changed.values():
            if len(values) == len(before):
                values[image] += torch.rand(values[image].shape, generator=dice, dtype=values.dtype)
        after = goal(changed)
        others = [place for place in range(len(before)) if place != image]
        moved |= not torch.equal(before[others].nan_to_num(), after[others].nan_to_num())
    return moved


def expected(goal: Objective, given: Mapping[str, Tensor]) -> BatchDependence:
    terms = [node for node in goal.walk() if isinstance(node, Term)]
    if any(term.name == "facet" for term in terms):
        return BatchDependence.INSEPARABLE
    coupled = any(term.name == "style" or depends_on_others(term, given) for term in terms)
    return BatchDependence.JOINT if coupled else BatchDependence.INDEPENDENT


@torch.no_grad()
@pytest.mark.parametrize("example", EXAMPLES, ids=[one.text[:60] for one in EXAMPLES])
def test_every_objective_of_the_vocabulary(example: object) -> None:
    goal, given = example.goal, example.given(torch.float64)  # type: ignore[attr-defined]
    found = batch_dependence(goal, NOTHING, given)
    assert found is expected(goal, given)
    assert found is not BatchDependence.INDEPENDENT or example.apart  # type: ignore[attr-defined]


@torch.no_grad()
@pytest.mark.parametrize("world", WORLDS, ids=[world.name for world in WORLDS])
@settings(max_examples=30)
@drawn(data=st.data())
def test_any_expression(world: World, data: st.DataObject) -> None:
    tree: Tree = data.draw(world.trees)
    found = batch_dependence(tree.goal, NOTHING, world.given)
    assert found is expected(tree.goal, world.given)
    if found is BatchDependence.INDEPENDENT:
        assert not depends_on_others(tree.goal, world.given)


HIDDEN = [
    "maximum(diversity('0'), 1000)",
    "0 * diversity('0')",
    "before(5, diversity('0'))",
    "after(5, alignment('0'))",
]


@pytest.mark.parametrize("text", [*HIDDEN, "minimum(0:1, -diversity('logits') - 1000)", "each(0:0, alignment('0'))"])
def test_what_an_expression_hides_is_found(text: str) -> None:
    given = {name: torch.zeros(shape) for name, shape in SHAPES.items()}
    assert batch_dependence(lt.parse(text), NOTHING, given) is BatchDependence.JOINT


@pytest.fixture
def own_terms() -> Iterator[None]:
    with own_objectives():
        yield


@pytest.mark.parametrize("batch", [2, 3, 4, 5, 8, 9])
@pytest.mark.usefixtures("own_terms")
def test_any_two_images_of_any_batch_are_told_apart(batch: int) -> None:
    @objective
    def neighbourly(activations: Activations, layer: str, one: int, other: int) -> Tensor:
        """Image `one` looks at how image `other` changes from left to right."""
        values = activations[layer].flatten(1).mean(1)
        slope = activations[layer].diff(dim=3).abs().flatten(1).mean(1)
        return values + torch.where(torch.arange(len(values)) == one, slope[other], 0)

    given = {"a": torch.zeros(batch, 2, 4, 4), "input": torch.zeros(batch, 3, 4, 4)}
    for one in range(batch):
        for other in range(batch):
            wanted = BatchDependence.INDEPENDENT if one == other else BatchDependence.JOINT
            assert batch_dependence(neighbourly("a", one, other), NOTHING, given) is wanted


def test_other_peoples_transforms_may_mix_images() -> None:
    given = {"a": torch.zeros(2, 3)}
    mixing = Pipeline.of(lambda images: images.flip(0))
    assert batch_dependence(lt.parse("a:0"), mixing, given) is BatchDependence.INSEPARABLE
    assert batch_dependence(lt.parse("a:0"), lt.transforms.standard(), given) is BatchDependence.INDEPENDENT


def test_the_global_dice_are_left_alone() -> None:
    before = torch.get_rng_state()
    batch_dependence(lt.parse("a:0"), NOTHING, {"a": torch.zeros(4, 3)})
    assert torch.equal(torch.get_rng_state(), before)
