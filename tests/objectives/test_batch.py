"""Objectives across images: Lucid's sums, the ends of the batch, and a single image."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from lucidtorch.base.errors import ObjectiveError
from lucidtorch.objectives.matching import alignment, diversity


def images(count: int) -> Tensor:
    return torch.randn((count, 3, 4, 2), generator=torch.Generator().manual_seed(4), dtype=torch.float64)


@pytest.mark.parametrize("count", range(1, 8))
@pytest.mark.parametrize("decay", [2, 5])
def test_the_sum_of_alignment_over_images_is_lucids(count: int, decay: float) -> None:
    values = images(count)
    lucid = 0.0
    for apart in (1, 2, 3, 4):
        for i in range(count - apart):
            lucid += ((values[i] - values[i + apart]) ** 2).mean().item() / decay**apart
    found = alignment("a", decay_ratio=decay)({"a": values})
    assert found.shape == (count,)
    assert found.sum().item() == pytest.approx(lucid, abs=1e-10)


def test_the_last_image_is_no_neighbour_of_the_first() -> None:
    values = images(1).repeat(6, 1, 1, 1)
    values[0] += 1
    found = alignment("a")({"a": values})
    torch.testing.assert_close(found[1:5], torch.tensor([0.25, 0.125, 0.0625, 0.03125], dtype=torch.float64))
    assert found[5] == 0


def test_identical_images_are_aligned_and_alike() -> None:
    same = images(1).expand(5, -1, -1, -1)
    assert alignment("a")({"a": same}).tolist() == [0] * 5
    torch.testing.assert_close(diversity("a")({"a": same}), torch.full((5,), 4.0, dtype=torch.float64))


def test_a_single_image_has_nothing_to_align_to_and_no_gradient() -> None:
    alone = images(1).requires_grad_(True)
    found = alignment("a")({"a": alone})
    (gradient,) = torch.autograd.grad(found.sum(), alone)
    assert found.tolist() == [0]
    assert gradient.abs().max() == 0


@pytest.mark.parametrize("decay", [0, -1])
def test_a_decay_ratio_that_grows_without_bound_is_refused(decay: float) -> None:
    with pytest.raises(ObjectiveError, match=r"decay_ratio=.*positive number"):
        alignment("a", decay_ratio=decay)
