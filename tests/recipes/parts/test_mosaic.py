from __future__ import annotations

import torch

from lucidtorch.recipes.parts.mosaic import side_by_side, smaller, tiled


def test_pictures_are_tiled_row_by_row() -> None:
    numbers = torch.arange(6.0).reshape(6, 1, 1, 1).expand(6, 1, 2, 2)
    assert tiled(numbers, 3)[0, ::2, ::2].tolist() == [[0, 1, 2], [3, 4, 5]]


def test_pictures_side_by_side_are_as_high_as_the_highest() -> None:
    row = side_by_side([torch.zeros(3, 10, 20), torch.ones(3, 40, 10)])
    assert row.shape == (3, 40, 80 + 2 + 10)
    assert (row[:, :, :80] == 0).all()
    assert (row[:, :, 82:] == 1).all()


def test_a_smaller_picture_stands_in_the_middle_of_grey() -> None:
    found = smaller(torch.ones(1, 8, 4), 0.5)[0]
    wanted = torch.full((8, 4), 0.5)
    wanted[2:6, 1:3] = 1
    torch.testing.assert_close(found, wanted)
    assert torch.equal(smaller(torch.ones(1, 8, 4), 1)[0], torch.ones(8, 4))
