"""Reading textures, against the four neighbours by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from transforms.meshes.rays import naive_texel

from lucidtorch.transforms.meshes.view import sampled

SMALL = torch.arange(6, dtype=torch.float64).reshape(1, 1, 2, 3)
# u, v and the value: middles of texels, between two, between four, on the border of a side, and beyond
TABLE = [
    (1 / 6, 0.75, 0.0),
    (3 / 6, 0.75, 1.0),
    (5 / 6, 0.25, 5.0),
    (1 / 6, 0.25, 3.0),
    (2 / 6, 0.75, 0.5),
    (2 / 6, 0.5, 2.0),
    (0.0, 0.75, 1.0),
    (1 / 6, 1.0, 1.5),
    (1 / 6 + 2, 0.75 - 3, 0.0),
]


def test_a_small_texture_is_read_as_the_table_says() -> None:
    uvs = torch.tensor([row[:2] for row in TABLE], dtype=torch.float64).reshape(1, 3, 3, 2)
    expected = torch.tensor([row[2] for row in TABLE], dtype=torch.float64).reshape(1, 1, 3, 3)
    assert (sampled(SMALL, uvs) - expected).abs().max() < 1e-8


@given(st.integers(1, 6), st.integers(1, 6), st.floats(-3, 3), st.floats(-3, 3), st.integers(0, 99))
def test_any_place_of_any_texture_is_the_mean_of_its_neighbours(
    height: int, width: int, u: float, v: float, seed: int
) -> None:
    texture = np.random.default_rng(seed).uniform(size=(2, height, width))
    found = sampled(torch.tensor(texture)[None], torch.tensor([[[[u, v]]]], dtype=torch.float64))
    np.testing.assert_allclose(found[0, :, 0, 0].numpy(), naive_texel(texture, u, v), atol=1e-12)


@pytest.mark.parametrize("kind", [torch.float32, torch.float64, torch.bfloat16])
def test_each_texture_has_its_own_places_and_keeps_its_kind(kind: torch.dtype) -> None:
    textures, uvs = torch.rand(2, 5, 4, 7).to(kind), torch.rand(2, 3, 6, 2, dtype=torch.float64)
    found = sampled(textures, uvs)
    assert found.shape == (2, 5, 3, 6)
    assert found.dtype == kind
    assert torch.equal(found[1:], sampled(textures[1:], uvs[1:]))


def test_the_gradient_to_the_texture_is_right() -> None:
    texture = torch.rand(2, 2, 3, 4, dtype=torch.float64, requires_grad=True)
    uvs = torch.rand(2, 5, 5, 2, dtype=torch.float64) * 4 - 2
    assert torch.autograd.gradcheck(lambda one: sampled(one, uvs), texture)
