"""Penalties on opacity: what counts of a picture, and which pictures have none."""

from __future__ import annotations

import pytest
import torch

from lucidtorch.base.errors import ObjectiveError
from lucidtorch.objectives.penalties import alpha_coverage, blur_alpha, blur_input

IMAGE = torch.rand((2, 4, 6, 5), generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def test_coverage_runs_from_nothing_to_all() -> None:
    image = IMAGE.clone()
    image[0, -1], image[1, -1] = 0, 1
    torch.testing.assert_close(alpha_coverage()({"input": image}), torch.tensor([0.0, 1.0], dtype=torch.float64))


@pytest.mark.parametrize("goal", [alpha_coverage(), blur_alpha()])
def test_only_the_last_channel_counts(goal: object) -> None:
    other = IMAGE.clone()
    other[:, :-1] = 0.25
    assert torch.equal(goal({"input": IMAGE}), goal({"input": other}))
    grey = IMAGE[:, -2:]
    assert torch.equal(goal({"input": grey}), goal({"input": IMAGE}))


def test_blur_alpha_is_blur_input_of_the_opacity() -> None:
    assert torch.equal(blur_alpha()({"input": IMAGE}), blur_input()({"input": IMAGE[:, -1:]}))


@pytest.mark.parametrize("goal", [alpha_coverage(), blur_alpha()])
@pytest.mark.parametrize("channels", [1, 3])
def test_pictures_without_opacity_are_refused(goal: object, channels: int) -> None:
    with pytest.raises(ObjectiveError, match=f"2 or 4 channels, but 'input' has {channels}; .*alpha=True"):
        goal({"input": IMAGE[:, :channels]})
