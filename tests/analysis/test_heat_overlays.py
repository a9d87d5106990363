from __future__ import annotations

import pytest
import torch

from lucidtorch.analysis import heat_legend, heat_overlay
from lucidtorch.analysis.overlays import scaled_heat, toned
from lucidtorch.base.errors import BadInputError


def test_an_overlay_is_the_formula_at_each_pixel() -> None:
    generator = torch.Generator().manual_seed(0)
    image, heat = torch.rand(3, 3, 4, generator=generator), torch.randn(3, 4, generator=generator)
    found = heat_overlay(image, heat)
    for row in range(3):
        for column in range(4):
            value = max(0.0, float(heat[row, column])) / float(heat.max())
            red, green, blue = image[:, row, column].tolist()
            grey = 0.75 * (0.299 * red + 0.587 * green + 0.114 * blue)
            opacity = 0.85 * value**0.5
            wanted = opacity * toned(torch.tensor(value), signed=False, tones="heat") + (1 - opacity) * grey
            torch.testing.assert_close(found[:, row, column], wanted)


def test_a_map_without_heat_leaves_the_picture_grey() -> None:
    image = torch.rand(1, 3, 4, generator=torch.Generator().manual_seed(0))
    torch.testing.assert_close(heat_overlay(image, -torch.ones(3, 4)), 0.75 * image.expand(3, -1, -1))
    assert not bool(scaled_heat(torch.zeros(2)).any())
    assert scaled_heat(torch.tensor([-1.0, 1.0, 4.0])).tolist() == [0, 0.25, 1]


def test_the_legend_goes_from_bare_grey_to_the_lightest_colour() -> None:
    found = heat_legend()
    torch.testing.assert_close(found[:, 0, 0], torch.full((3,), 0.375))
    wanted = 0.85 * toned(torch.tensor(1.0), signed=False, tones="heat") + 0.15 * 0.375
    torch.testing.assert_close(found[:, -1, -1], wanted)


@pytest.mark.parametrize("shapes", [((2, 4, 4), (4, 4)), ((3, 4, 4), (4, 5)), ((4, 4), (4, 4))], ids=str)
def test_shapes_that_do_not_fit_are_refused(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(BadInputError, match=r"map \[H, W\]|\[C, H, W\] .* but a tensor \[4, 4\]"):
        heat_overlay(torch.zeros(shapes[0]), torch.zeros(shapes[1]))
