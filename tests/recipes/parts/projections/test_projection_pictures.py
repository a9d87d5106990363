from __future__ import annotations

import torch

from lucidtorch.recipes.parts.projections.projection_pictures import enlarged, framed_box, in_cell, signed
from lucidtorch.scanning.layer_scan import Box


def test_signed_values_stand_around_middle_grey() -> None:
    values = torch.zeros(1, 20, 20)
    values[0, :10] = torch.linspace(-1, 1, 200).reshape(10, 20)
    picture, scale = signed(values)
    sizes = sorted(abs(one) for one in values.flatten().tolist() if one != 0)
    assert scale == sizes[198]  # 99 % of 200 are 198, so that two of them are in full strength
    assert (picture[0, 10:] == 0.5).all()
    torch.testing.assert_close(picture[0, 1:9], 0.5 + values[0, 1:9] / scale / 2)
    assert float(picture.min()) == 0
    assert float(picture.max()) == 1


def test_nothing_is_flat_grey() -> None:
    picture, scale = signed(torch.zeros(3, 4, 5))
    assert scale == 0
    assert torch.equal(picture, torch.full((3, 4, 5), 0.5))


def test_small_pictures_are_enlarged_by_whole_pixels() -> None:
    picture = torch.rand(3, 2, 5)
    large = enlarged(picture, 12)
    assert large.shape == (3, 4, 10)
    assert torch.equal(large[:, ::2, ::2], picture)
    assert torch.equal(large[:, 1::2, 1::2], picture)
    assert enlarged(torch.rand(1, 40, 100)).shape == (1, 40, 100)


def test_a_frame_stands_around_a_box() -> None:
    found = framed_box(torch.full((1, 8, 10), 0.2), Box(2, 3, 5, 6))
    yellow = torch.tensor([1.0, 0.8, 0.15])
    for row in range(8):
        for column in range(10):
            around = 1 <= row <= 5 and 2 <= column <= 6
            inside = 2 <= row <= 4 and 3 <= column <= 5
            wanted = yellow if around and not inside else torch.full((3,), 0.2)
            assert torch.equal(found[:, row, column], wanted)


def test_a_cell_holds_a_picture_in_its_middle() -> None:
    cell = in_cell(torch.full((1, 2, 3), 0.7), 9, 7)
    assert cell.shape == (3, 9, 7)
    assert (cell[:, 2:6, 0:6] == 0.7).all()
    assert (cell == 0.7).sum() == 3 * 4 * 6
