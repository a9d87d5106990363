"""What parts make of their numbers, against each formula written out."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch

from lucidtorch.base.natural_images import radial_amplitudes
from lucidtorch.base.seeds import generators
from lucidtorch.param import Basis, Part, fft, pixels, pyramid, shared

Numbers = np.ndarray


def made(part: Part, batch: int, channels: int, size: tuple[int, ...]) -> Basis:
    basis = part.basis(batch, channels, size)
    basis.fill(generators(range(batch), "start"))
    return basis.double()


def given(basis: Basis) -> list[Numbers]:
    return [one.detach().numpy() for one in basis.parameters()]


def enlarged(numbers: Numbers, axis: int, length: int) -> Numbers:
    """Linear interpolation along one axis, place by place; cells and places share their two ends."""
    cells = numbers.shape[axis]
    rows = []
    for place in range(length):
        at = min(max((place + 0.5) / length * cells - 0.5, 0), cells - 1)
        low = math.floor(at)
        high = min(low + 1, cells - 1)
        rows.append((1 - (at - low)) * numbers.take(low, axis) + (at - low) * numbers.take(high, axis))
    return np.stack(rows, axis)


def moved(numbers: Numbers, axis: int, offset: int) -> Numbers:
    """Put a mirrored beginning before it and cut off the end."""
    padding = [(offset, 0) if one == axis else (0, 0) for one in range(numbers.ndim)]
    return np.pad(numbers, padding, mode="symmetric").take(range(numbers.shape[axis]), axis)


@pytest.mark.parametrize("size", [(6, 8), (5, 7), (1, 4), (3, 4, 5)])
@pytest.mark.parametrize("decay", [0.0, 1.0, 1.7])
def test_frequencies_make_a_sum_of_waves(size: tuple[int, ...], decay: float) -> None:
    basis = made(fft(sd=1.0, decay=decay), 2, 2, size)
    (numbers,) = given(basis)
    half = numbers[..., 0] + 1j * numbers[..., 1]
    places = np.stack(np.meshgrid(*(np.arange(side) for side in size), indexing="ij"))
    expected = np.zeros((2, 2, *size))
    for index in np.ndindex(*half.shape[2:]):
        turns = [at if 2 * at <= side else at - side for at, side in zip(index, size, strict=True)]
        length = math.sqrt(sum((turn / side) ** 2 for turn, side in zip(turns, size, strict=True)))
        weight = max(length, 1 / max(size)) ** -decay / 4 / math.sqrt(math.prod(size))
        angle = sum(2 * math.pi * at * axis / side for at, axis, side in zip(index, places, size, strict=True))
        twice = 1 if index[-1] == 0 or 2 * index[-1] == size[-1] else 2
        wave = half[(slice(None), slice(None), *index)][(..., *(None,) * len(size))] * np.exp(1j * angle)
        expected += twice * weight * wave.real
    np.testing.assert_allclose(basis().detach().numpy(), expected, atol=1e-6)


def test_pixels_are_their_numbers() -> None:
    basis = made(pixels(sd=0.3), 2, 3, (4, 5))
    assert np.array_equal(basis().detach().numpy(), given(basis)[0])


@pytest.mark.parametrize("size", [(16, 16), (13, 22), (3, 2), (4, 9, 10)])
@pytest.mark.parametrize("levels", [1, 2, 4, 6])
def test_a_pyramid_is_a_sum_of_enlarged_grids(size: tuple[int, ...], levels: int) -> None:
    basis = made(pyramid(levels=levels, sd=1.0), 2, 3, size)
    grids = given(basis)
    assert [grid.shape for grid in grids] == [
        (2, 3, *(max(1, side // 2**level) for side in size)) for level in range(levels)
    ]
    expected = np.zeros((2, 3, *size))
    for grid in grids:
        for axis, side in enumerate(size, 2):
            grid = enlarged(grid, axis, side)
        expected += grid
    np.testing.assert_allclose(basis().detach().numpy(), expected, atol=1e-10)


@pytest.mark.parametrize(
    ("full", "coarse"),
    [
        ((6, 3, 8, 8), (3, 3, 4, 4)),
        ((5, 3, 7, 9), (2, 1, 3, 9)),
        ((4, 3, 6, 6), (1, 2, 1, 5)),
        ((3, 1, 4, 6, 6), (2, 1, 4, 2, 3)),
    ],
)
@pytest.mark.parametrize("offset", [None, False, True, "own"])
def test_a_shared_part_is_interpolated_along_every_axis(
    full: tuple[int, ...], coarse: tuple[int, ...], offset: bool | str | None
) -> None:
    own = [axis % 3 for axis in range(len(full))] if offset == "own" else None
    part = shared(coarse, offset=own if own is not None else offset, sd=1.0)
    basis = made(part, full[0], full[1], full[2:])
    (expected,) = given(basis)
    halves = [int(length / cells / 2) for length, cells in zip(full, coarse, strict=True)]
    offsets: Sequence[int] = own if own is not None else halves if offset else [0] * len(full)
    for axis, length in enumerate(full):
        expected = moved(enlarged(expected, axis, length), axis, min(offsets[axis], length))
    np.testing.assert_allclose(basis().detach().numpy(), expected, atol=1e-6)


def test_one_axis_at_a_time_is_torchs_trilinear_enlargement() -> None:
    basis = made(shared([2, 3, 4, 5]), 5, 3, (8, 15))
    (numbers,) = basis.parameters()
    swapped = torch.nn.functional.interpolate(numbers.transpose(0, 1)[None], (5, 8, 15), mode="trilinear")
    assert torch.allclose(basis(), swapped[0].transpose(0, 1), atol=1e-6)


def test_a_shared_part_of_equal_size_is_its_numbers_exactly() -> None:
    basis = made(shared([4, 3, 6, 7], offset=True), 4, 3, (6, 7))
    assert np.array_equal(basis().detach().numpy(), given(basis)[0])
    assert torch.equal(basis.reads("numbers"), torch.eye(4, dtype=torch.bool))


def test_half_a_cell_is_what_true_says() -> None:
    for full, coarse in (((6, 3, 8, 9), (2, 3, 2, 3)), ((5, 3, 16, 16), (1, 1, 4, 16))):
        halves = [length // (2 * cells) for length, cells in zip(full, coarse, strict=True)]
        one = made(shared(coarse, offset=True), full[0], full[1], full[2:])
        other = made(shared(coarse, offset=halves), full[0], full[1], full[2:])
        assert torch.equal(one(), other())


def test_rows_are_read_by_the_images_near_them() -> None:
    basis = shared([3, 3, 2, 2]).basis(6, 3, (4, 4))
    expected = [[1, 1, 1, 0, 0, 0], [0, 1, 1, 1, 1, 0], [0, 0, 0, 1, 1, 1]]
    assert basis.reads("numbers").int().tolist() == expected
    assert shared([1, 3, 2, 2]).basis(4, 3, (4, 4)).reads("numbers").tolist() == [[True] * 4]
    pushed = shared([3, 3, 2, 2], offset=[4, 0, 0, 0]).basis(6, 3, (4, 4))
    assert pushed.reads("numbers").int().tolist() == [[0, 1, 1, 1, 1, 1], [1, 1, 1, 0, 0, 1], [1, 0, 0, 0, 0, 0]]


def test_a_row_starts_from_the_first_image_that_reads_it() -> None:
    first, other = (shared([3, 3, 2, 2]).basis(6, 3, (4, 4)) for _ in range(2))
    first.fill(generators([0, 1, 2, 3, 4, 5], "start"))
    other.fill(generators([0, 1, 7, 3, 8, 9], "start"))
    assert torch.equal(*(next(one.parameters()) for one in (first, other)))
    other.fill(generators([0, 7, 2, 3, 4, 5], "start"))
    rows = [torch.equal(one, two) for one, two in zip(*(next(x.parameters()) for x in (first, other)), strict=True)]
    assert rows == [True, False, True]


def test_rows_that_no_image_reads_are_still() -> None:
    basis = shared([3, 3, 2, 2], offset=[6, 0, 0, 0]).basis(6, 3, (4, 4))
    cut = shared([4, 1, 1, 1], offset=[3, 0, 0, 0]).basis(4, 1, (2, 2))
    for one in (basis, cut):
        one.fill(generators(range(one.batch), "start"))
        unread = ~one.reads("numbers").any(1)
        assert (next(one.parameters())[unread] == 0).all()
    assert cut.reads("numbers").any(1).tolist() == [True, True, True, False]


def test_a_spectrum_of_ones_is_white_and_as_strong_as_natures() -> None:
    for size, spectrum in itertools.product([(32, 32), (31, 48), (33, 20)], ([1, 1], [9, 3, 1, 0.5, 0.2])):
        basis = fft(spectrum=spectrum).basis(64, 1, size)
        nature = fft().basis(64, 1, size)
        for one in (basis, nature):
            one.fill(generators(range(64), "start"))
        own, natures = (one().square().mean().sqrt().item() for one in (basis, nature))
        assert own == pytest.approx(natures, rel=0.05)


def test_a_spectrum_is_interpolated_from_0_to_the_corner() -> None:
    found = radial_amplitudes((8, 8), np.array([5.0, 3.0, 1.0])).numpy()
    for row, column in np.ndindex(8, 5):
        length = max(math.hypot(min(row, 8 - row) / 8, column / 8), 1 / 8)
        expected = np.interp(length, [0, math.sqrt(0.5) / 2, math.sqrt(0.5)], [5, 3, 1])
        assert found[row, column] / found[4, 4] == pytest.approx(expected, rel=1e-9)


def test_the_spectrum_that_nature_has_is_the_spectrum_of_decay_1() -> None:
    at = np.linspace(0, math.sqrt(0.5), 2001)
    given_one, formula = fft(spectrum=1 / np.maximum(at, 1e-3)), fft()
    one, other = (part.basis(1, 1, (24, 24)) for part in (given_one, formula))
    for basis in (one, other):
        basis.fill(generators([4], "start"))
    assert torch.allclose(one(), other(), rtol=1e-3, atol=1e-5)
