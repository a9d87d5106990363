"""Style: what of a layer it sees, and the average over the updates of a render."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lucidtorch.base.errors import ObjectiveError
from lucidtorch.objectives.algebra import Trace
from lucidtorch.objectives.matching import style
from lucidtorch.objectives.references import reference

PICTURE = [[[0.0, 0.5], [1.0, 0.25]]] * 3
KEY = reference("a", PICTURE)


def noise(*shape: int, seed: int = 2) -> Tensor:
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def gram(values: Tensor) -> Tensor:
    flat = values.flatten(2)
    return torch.stack([one @ one.T for one in flat]) / flat.shape[2]


def test_where_a_texture_stands_and_how_often_does_not_count() -> None:
    given = noise(1, 4, 3, 5)
    shuffled = given.flatten(2)[..., torch.randperm(15, generator=torch.Generator().manual_seed(1))].reshape(1, 4, 5, 3)
    tiled = given.repeat(1, 1, 2, 3)
    for found in (shuffled, tiled):
        assert style("a", PICTURE)({"a": found, KEY: given}).item() == pytest.approx(0, abs=1e-12)


def test_the_average_counts_the_latest_updates_most() -> None:
    goal, given, decay = style("a", PICTURE, decay=0.5), noise(1, 4, 3, 5), 0.5
    trace_memories: dict = {}
    steps = [noise(2, 4, 3, 5, seed=seed) for seed in (3, 4, 5)]
    for made, values in enumerate(steps):
        found = goal.evaluate({"a": values, KEY: given}, Trace(memories=trace_memories))
        weights = [decay ** (made - k) for k in range(made + 1)]
        mean = sum(w * gram(steps[k]) for k, w in enumerate(weights)) / sum(weights)
        torch.testing.assert_close(found, (mean - gram(given)).abs().flatten(1).mean(1), rtol=0, atol=1e-12)


def test_the_gradient_goes_to_the_latest_update_alone() -> None:
    goal, given = style("a", PICTURE, distance="L2", decay=0.9), noise(1, 4, 3, 5)
    memories: dict = {}
    first, second = noise(2, 4, 3, 5, seed=3).requires_grad_(True), noise(2, 4, 3, 5, seed=4).requires_grad_(True)
    goal.evaluate({"a": first, KEY: given}, Trace(memories=memories))
    found = goal.evaluate({"a": second, KEY: given}, Trace(memories=memories))
    of_first, of_second = torch.autograd.grad(found.sum(), [first, second], allow_unused=True)
    assert of_first is None
    mean = ((0.9 * gram(first) + gram(second)) / 1.9).detach()
    gap = mean - gram(given)
    slope = gap / gap.square().flatten(1).mean(1).sqrt()[:, None, None] / gap[0].numel()
    expected = 2 * torch.einsum("bij,bjp->bip", slope, second.flatten(2)).reshape(second.shape) / 15
    torch.testing.assert_close(of_second, expected)
    assert not any(kept.requires_grad for notes in memories.values() for kept in notes.values())


def test_outside_a_render_nothing_is_remembered() -> None:
    goal, given = style("a", PICTURE, decay=0.95), noise(1, 4, 3, 5)
    goal({"a": noise(2, 4, 3, 5, seed=3), KEY: given})
    values = noise(2, 4, 3, 5, seed=4)
    again = goal({"a": values, KEY: given})
    torch.testing.assert_close(again, style("a", PICTURE)({"a": values, KEY: given}))


@pytest.mark.parametrize("decay", [-0.1, 1, 2])
def test_a_decay_that_never_forgets_is_refused(decay: float) -> None:
    with pytest.raises(
        ObjectiveError, match=rf"style\(decay=\) takes a number from 0 to below 1, but {decay} was given"
    ):
        style("a", PICTURE, decay=decay)


def test_a_distance_of_another_name_is_refused() -> None:
    with pytest.raises(ObjectiveError, match="'L3'"):
        style("a", PICTURE, distance="L3")  # type: ignore[arg-type]
