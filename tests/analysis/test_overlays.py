from __future__ import annotations

import colorsys

import pytest
import torch

from lucidtorch.analysis import framed, group_colours, group_overlay
from lucidtorch.base.errors import BadInputError

RED_GREEN = torch.tensor([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])


@pytest.mark.parametrize("count", [1, 2, 5, 6, 12])
def test_hues_stand_evenly_round_the_circle(count: int) -> None:
    hues = [colorsys.rgb_to_hsv(*colour)[0] for colour in group_colours(count).tolist()]
    assert hues == pytest.approx([place / count for place in range(count)], abs=1e-5)


def test_beyond_twelve_the_hues_come_again_lighter_and_darker() -> None:
    colours = group_colours(36)
    assert len({tuple(one) for one in colours.tolist()}) == 36
    lightness = [[colorsys.rgb_to_hls(*colours[lap * 12 + hue].tolist())[1] for hue in (0, 5)] for lap in range(3)]
    assert lightness == [pytest.approx([one] * 2, abs=1e-5) for one in (0.5, 0.75, 0.3)]
    assert group_colours(0).shape == (0, 3)


def test_where_no_group_is_the_picture_is_dim_and_grey() -> None:
    image = torch.tensor([0.2, 0.6, 1.0])[:, None, None].expand(3, 4, 6)
    shown = group_overlay(image, torch.zeros(2, 2, 3), RED_GREEN)
    grey = 0.299 * 0.2 + 0.587 * 0.6 + 0.114 * 1.0
    torch.testing.assert_close(shown, torch.full((3, 4, 6), 0.45 * grey))


def test_the_stronger_a_group_the_fuller_its_colour() -> None:
    maps = torch.tensor([[[4.0, 1.0]], [[0.0, 1.0]]])  # red alone and strongest; both equally, a quarter as strong
    shown = group_overlay(torch.full((1, 1, 2), 0.5), maps, RED_GREEN)
    full, bare = 0.4 + 0.6 * 0.5, 0.45 * 0.5
    torch.testing.assert_close(shown[:, 0, 0], torch.tensor([full, 0.0, 0.0]))
    mixed = 0.25 * 0.5 * full + 0.75 * bare
    torch.testing.assert_close(shown[:, 0, 1], torch.tensor([mixed, mixed, 0.75 * bare]))


def test_a_peak_is_shown_in_the_full_colour_and_nothing_beyond_it_is_fuller() -> None:
    maps = torch.tensor([[[2.0, 8.0]], [[0.0, 0.0]]])
    shown = group_overlay(torch.zeros(1, 1, 2), maps, RED_GREEN, peak=4.0)
    torch.testing.assert_close(shown[0, 0], torch.tensor([0.5 * 0.4, 0.4]))


def test_tiny_maps_look_like_large_ones() -> None:
    maps = torch.rand(2, 3, 3, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    image = torch.rand(3, 9, 12, generator=torch.Generator().manual_seed(1))
    torch.testing.assert_close(
        group_overlay(image, maps * 1e-250, RED_GREEN), group_overlay(image, maps, RED_GREEN), atol=1e-6, rtol=0
    )


@pytest.mark.parametrize(
    ("image", "maps", "colours"),
    [
        (torch.zeros(2, 4, 4), torch.zeros(2, 2, 2), RED_GREEN),
        (torch.zeros(1, 3, 4, 4), torch.zeros(2, 2, 2), RED_GREEN),
        (torch.zeros(3, 4, 4), torch.zeros(2, 2), RED_GREEN),
        (torch.zeros(3, 4, 4), torch.zeros(3, 2, 2), RED_GREEN),
    ],
)
def test_shapes_that_do_not_fit_are_refused(image: torch.Tensor, maps: torch.Tensor, colours: torch.Tensor) -> None:
    with pytest.raises(BadInputError, match=r"were given|was given"):
        group_overlay(image, maps, colours)


@pytest.mark.parametrize("channels", [1, 3])
def test_a_frame_stands_round_each_picture_in_its_colour(channels: int) -> None:
    shown = framed(torch.full((2, channels, 48, 96), 0.25), RED_GREEN)
    assert shown.shape == (2, 3, 52, 100)
    assert bool((shown[:, :, 2:50, 2:98] == 0.25).all())
    frame = torch.ones(52, 100, dtype=torch.bool)
    frame[2:50, 2:98] = False
    assert bool((shown[1][:, frame] == RED_GREEN[1][:, None]).all())


@pytest.mark.parametrize("shape", [(3, 3, 8, 8), (2, 4, 8, 8)])
def test_frames_that_do_not_fit_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(BadInputError, match="Frames need"):
        framed(torch.zeros(shape), RED_GREEN)
