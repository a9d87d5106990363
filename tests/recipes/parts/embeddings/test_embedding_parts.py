"""What maps of data are made of: evenly chosen images, and pictures of maps."""

from __future__ import annotations

import itertools

import torch
from hypothesis import given
from hypothesis import strategies as st

from lucidtorch.recipes.parts.embeddings.features import Chosen
from lucidtorch.recipes.parts.embeddings.layouts import gathered
from lucidtorch.recipes.parts.embeddings.map_pictures import dot_map, hexadecimal, image_grid, image_map, pale
from lucidtorch.scanning.source import Source

GROUND = 0.1


@given(st.integers(1, 300), st.integers(1, 60), st.integers(0, 2**62))
def test_images_are_chosen_evenly_each_once(total: int, most: int, seed: int) -> None:
    source = Source(torch.zeros(total, 3, 1, 1), 3, (1, 1))
    numbers = Chosen.of(source, most, seed).numbers
    assert numbers == Chosen.of(source, most, seed).numbers
    assert len(numbers) == min(total, most)
    assert list(numbers) == sorted(set(numbers))
    assert 0 <= numbers[0] <= numbers[-1] < total
    gaps = [after - before for before, after in itertools.pairwise((-1, *numbers, total))]
    assert max(gaps) <= 2 * -(-total // min(total, most))


def test_no_class_is_met_again_and_again_where_classes_take_turns() -> None:
    source = Source(torch.zeros(1000, 3, 1, 1), 3, (1, 1))
    assert len({number % 10 for number in Chosen.of(source, 100, 0).numbers}) == 10


def test_images_lie_at_their_places_and_hide_none() -> None:
    thumbs = torch.rand(3, 3, 10, 10, generator=torch.Generator().manual_seed(0))
    canvas, hidden = image_map(thumbs, torch.tensor([[0.0, 0.0], [1.0, 0.5], [0.98, 0.5]]), width=110)
    assert canvas.shape == (3, 60, 110)
    assert torch.equal(canvas[:, :10, :10], thumbs[0])
    last = canvas[:, 50:, 98:]
    assert hidden == 1
    assert torch.equal(last[:, :, 2:], thumbs[1]) or torch.equal(last[:, :, :10], thumbs[2])
    assert torch.equal(canvas[:, 20:40, 20:90], torch.full((3, 20, 70), GROUND))


def test_many_images_are_made_smaller() -> None:
    thumbs = torch.ones(100, 1, 80, 40)
    canvas, _ = image_map(thumbs, torch.zeros(100, 2), width=640)
    assert canvas.shape == (1, 40, 20)


def test_a_grid_leaves_free_cells_dark() -> None:
    thumbs = torch.stack([torch.full((1, 2, 3), value) for value in (0.3, 0.6, 0.9)])
    grid = image_grid(thumbs, torch.tensor([[1, 0], [0, 1], [0, 0]]))
    assert grid[0, ::2, ::3].flatten().tolist() == torch.tensor([0.9, 0.3, 0.6, GROUND]).tolist()
    assert grid.shape == (1, 4, 6)


def test_dots_are_round_and_in_their_colours() -> None:
    colours = torch.tensor([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0]])
    dots = dot_map(torch.tensor([[0.0, 0.0], [1.0, 0.0]]), colours, width=101)
    side, radius = dots.shape[1], (dots.shape[1] - 3) // 2
    middle = side // 2
    torch.testing.assert_close(dots[:, middle, middle], colours[0])
    torch.testing.assert_close(dots[:, middle, 101 - 1 - middle], colours[1])
    torch.testing.assert_close(dots[:, 0, 0], torch.full((3,), GROUND))
    red = int((dots[0] > 0.55).sum())
    assert abs(red - torch.pi * (radius + 0.5) ** 2 / 1) < 0.12 * red


def test_pale_colours_as_pages_write_them() -> None:
    assert hexadecimal(pale(torch.tensor([[1.0, 0.0, 0.2]]))[0]) == "#ff4066"


def test_what_lies_far_off_is_drawn_closer_in_order_and_the_rest_stays() -> None:
    places = torch.linspace(0, 100, 101, dtype=torch.float64)[:, None].repeat(1, 2)
    places[-1], places[-2] = torch.tensor([10000.0, 1000.0]), torch.tensor([1000.0, 900.0])
    found = gathered(places)
    assert torch.equal(found[:90], places[:90])
    assert bool((found.diff(dim=0)[:-1, 0] > 0).all())
    assert 123 < float(found[-2, 0]) < float(found[-1, 0]) < 300
    assert torch.equal(gathered(torch.zeros(4, 2)), torch.zeros(4, 2))
