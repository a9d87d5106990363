"""The window that a unit sees, and what is cut out of an image through it."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from small_networks import as_model
from torch import nn

from lucidtorch.datasets import drawings, scan
from lucidtorch.scanning.layer_scan import Box
from lucidtorch.scanning.patches import GREY, cut, patch
from lucidtorch.scanning.source import Source

SIDES = (20, 26)


@pytest.fixture(scope="module")
def model():
    """Three convolutions without negative weights, so that every pixel that is seen has a gradient."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        net = nn.Sequential(
            nn.Conv2d(3, 4, 5, stride=2, padding=2),
            nn.MaxPool2d(3, stride=2, padding=1),
            nn.Conv2d(4, 4, (3, 5), padding=(1, 0)),
            nn.Conv2d(4, 2, (1, 3), dilation=2),
        )
    for weight in net.parameters():
        weight.data.abs_()
    return as_model(net, size=SIDES)


@pytest.fixture(scope="module")
def images():
    return torch.rand(6, 3, *SIDES, generator=torch.Generator().manual_seed(1))


@pytest.fixture(scope="module")
def found(model, images, tmp_path_factory):
    return scan(model, images, tmp_path_factory.mktemp("scan"), layers=["0", "1", "2"])


@pytest.mark.parametrize("layer", ["0", "1", "2"])
def test_every_pixel_with_a_gradient_is_inside_the_window(model, images, found, layer):
    own = found[layer]
    height, width = own.shape[1:]
    sizes = set()
    for row in range(height):
        for column in range(width):
            pixels = images[:1].clone().requires_grad_()
            values = pixels
            for part in model.module[: int(layer) + 1]:
                values = part(values)
            (gradient,) = torch.autograd.grad(values[0, 1, row, column], pixels)
            rows, columns = torch.nonzero(gradient[0].abs().sum(0), as_tuple=True)
            window, box = own.window(row, column), own.box(row, column)
            assert window.top <= int(rows.min()) <= int(rows.max()) < window.bottom
            assert window.left <= int(columns.min()) <= int(columns.max()) < window.right
            whole = (0, 0, *SIDES)
            clipped = [min(max(one, 0), SIDES[axis % 2]) for axis, one in enumerate(window)]
            assert list(box) == clipped or window == whole
            sizes.add((window.bottom - window.top, window.right - window.left))
    assert len(sizes) == 1


def test_a_window_that_is_larger_than_the_image_is_the_whole_image_along_that_axis(found):
    field = found["2"].receptive_field
    high, wide = field.size if isinstance(field.size, tuple) else (field.size, field.size)
    window = found["2"].window(0, 0)
    assert high < SIDES[0]
    assert window.bottom - window.top == high
    assert (window.left, window.right - window.left) == ((0, SIDES[1]) if wide >= SIDES[1] else (window.left, wide))


def test_a_patch_shows_the_image_and_grey_beyond_its_border(model, images, found):
    source = Source(images, 3, SIDES)
    for unit in range(found["0"].units):
        for example in found["0"].top(unit):
            window = found["0"].window(example.row, example.column)
            shown = patch(source, found["0"], example)
            assert shown.shape == (3, 5, 5)
            for row in range(5):
                for column in range(5):
                    y, x = window.top + row, window.left + column
                    inside = 0 <= y < SIDES[0] and 0 <= x < SIDES[1]
                    expected = images[example.image, :, y, x] if inside else torch.full((3,), GREY)
                    assert torch.equal(shown[:, row, column], expected)


@given(top=st.integers(-12, 12), left=st.integers(-12, 12), height=st.integers(1, 12), width=st.integers(1, 12))
def test_a_cut_is_that_of_an_image_on_endless_grey(top, left, height, width):
    image = torch.rand(2, 7, 5, generator=torch.Generator().manual_seed(2))
    endless = torch.full((2, 60, 60), GREY)
    endless[:, 26:33, 26:31] = image
    shown = cut(image, Box(top, left, top + height, left + width))
    assert torch.equal(shown, endless[:, 26 + top : 26 + top + height, 26 + left : 26 + left + width])


def test_units_that_see_the_whole_image_have_it_as_their_patch(demo, tmp_path):
    data = drawings("test", length=4, size=96)
    found = scan(demo, data, tmp_path, layers=["logits"])["logits"]
    source = Source(data, 3, (96, 96))
    assert torch.equal(patch(source, found, found.top(3)[0]), data[found.top(3)[0].image][0])


def test_an_image_that_cannot_be_read_any_more_is_grey(model, images, found):
    broken = [*images[:1], torch.full((3, *SIDES), torch.nan), *images[2:]]
    source = Source(broken, 3, SIDES)
    example = next(one for unit in range(4) for one in found["0"].top(unit) if one.image == 1)
    assert torch.equal(patch(source, found["0"], example), torch.full((3, 5, 5), GREY))
