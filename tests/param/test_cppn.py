"""Pattern networks: Lucid's architecture, one network per image, and no resolution."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pytest
import torch

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.seeds import generators
from lucidtorch.param import image
from lucidtorch.param.pattern_network import ACTIVATIONS, PatternNetwork, cppn, places


def network(part: cppn, batch: int, channels: int, *size: int, ends: float = 0.3) -> Any:
    """A filled basis whose last layer is no longer zero."""
    basis: Any = part.basis(batch, channels, size)
    basis.fill(generators(range(batch), "start"))
    last = f"weight{part.layers}"
    dice = [torch.Generator().manual_seed(one) for one in range(batch)]
    basis.put(last, ends * torch.stack([torch.randn(getattr(basis, last)[0].shape, generator=one) for one in dice]))
    return basis


def by_hand(basis: PatternNetwork, which: int, row: float, column: float, bend: Any) -> np.ndarray:
    """The colour of one place, one number after the other."""
    values = [row, column]
    for number in range(len(basis.widths)):
        if number:
            values = bend(values)
        weight = basis.get_parameter(f"weight{number}").detach().double().numpy()[which]
        bias = basis.get_parameter(f"bias{number}").detach().double().numpy()[which, :, 0]
        values = [
            sum(weight[out, place] * value for place, value in enumerate(values)) + bias[out]
            for out in range(len(weight))
        ]
    return np.array(values)


BENT = {
    "atan": lambda v: [math.atan(one) / 0.67 for one in v] + [math.atan(one) ** 2 / 0.6 for one in v],
    "unbiased_atan": lambda v: (
        [math.atan(one) / 0.67 for one in v] + [(math.atan(one) ** 2 - 0.45) / 0.396 for one in v]
    ),
    "relu": lambda v: [(max(one, 0) - 0.40) / 0.58 for one in v],
}


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_it_is_the_formula(activation: str) -> None:
    basis = network(cppn(hidden=5, layers=3, activation=activation), 2, 3, 4, 7).double()
    found = basis().detach().numpy()
    step = 2 * math.sqrt(3) / 6
    for which in range(2):
        for row in range(4):
            for column in range(7):
                place = ((row - 1.5) * step, (column - 3) * step)
                expected = by_hand(basis, which, *place, BENT[activation])
                np.testing.assert_allclose(found[which, :, row, column], expected, atol=1e-9)


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_activations_keep_a_deviation_of_one(activation: str) -> None:
    values = torch.randn(1, 200_000, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    parts = ACTIVATIONS[activation][0](values).flatten().chunk(ACTIVATIONS[activation][1])
    rms = [part.square().mean().sqrt().item() for part in parts]
    assert rms == pytest.approx([1.0] * len(parts), rel=0.02)
    if activation != "atan":
        assert [part.mean().item() for part in parts] == pytest.approx([0.0] * len(parts), abs=0.01)


def test_lucids_architecture_has_8451_numbers() -> None:
    basis = cppn().basis(4, 3, (8, 8))
    basis.fill(generators(range(4), "start"))
    assert sum(one[0].numel() for one in basis.parameters()) == 8451


def test_the_start_is_grey_and_its_weights_keep_the_deviation() -> None:
    basis = cppn(hidden=64).basis(2, 3, (9, 9))
    basis.fill(generators(range(2), "start"))
    assert (basis() == 0).all()
    assert basis.get_parameter("weight3").std().item() == pytest.approx(math.sqrt(2 / 128), rel=0.05)
    assert basis.get_parameter("bias3").std().item() == pytest.approx(0.1, rel=0.2)


@pytest.mark.parametrize("size", [(16, 16), (3, 5), (5, 3), (1, 1), (1, 4)])
def test_places_run_over_the_longer_side_and_keep_the_aspect(size: tuple[int, int]) -> None:
    rows, columns = places(size).reshape(2, *size)
    reach = math.sqrt(3) if max(size) > 1 else 0
    assert max(rows.max(), columns.max()).item() == pytest.approx(reach)
    for axis in (rows, columns):
        assert axis.mean().item() == pytest.approx(0, abs=1e-12)
    if min(size) > 1:
        assert (rows[1, 0] - rows[0, 0]).item() == pytest.approx((columns[0, 1] - columns[0, 0]).item())


def test_a_square_has_lucids_coordinates() -> None:
    rows, columns = places((12, 12)).reshape(2, 12, 12)
    expected = np.linspace(-np.sqrt(3), np.sqrt(3), 12)
    np.testing.assert_allclose(rows[:, 5], expected, atol=1e-12)
    np.testing.assert_allclose(columns[7], expected, atol=1e-12)


def test_a_clip_has_a_time_of_its_own() -> None:
    times, rows, columns = places((4, 3, 5)).reshape(3, 4, 3, 5)
    np.testing.assert_allclose(times[:, 1, 2], np.linspace(-np.sqrt(3), np.sqrt(3), 4), atol=1e-12)
    np.testing.assert_allclose(columns[2, 1], np.linspace(-np.sqrt(3), np.sqrt(3), 5), atol=1e-12)
    assert rows.abs().max() < columns.abs().max()
    assert network(cppn(8, 2), 2, 3, 4, 3, 5)().shape == (2, 3, 4, 3, 5)


@pytest.mark.parametrize("size", [(6, 9), (8, 8), (3, 4, 6)])
def test_at_another_size_it_is_the_same_picture(size: tuple[int, ...]) -> None:
    basis = network(cppn(8, 3), 2, 3, *size)
    finer = basis.at(tuple(2 * side - 1 for side in size))
    every_second = finer[(..., *[slice(None, None, 2)] * len(size))]
    assert torch.allclose(every_second, basis(), atol=1e-5)
    assert basis().std() > 0.05


def test_a_param_gives_its_picture_at_any_size(demo: Any) -> None:
    param = image(24, spatial=cppn(8, 3), decorrelate=False)
    for step in lt.optimize(demo, "conv2_1:3", param=param, steps=8, lr=0.02):
        made = step.param
    large = made.at((47, 47)).detach()
    assert torch.allclose(large[..., ::2, ::2], made(), atol=1e-5)
    assert made().std() > 0.01


def test_images_have_networks_of_their_own() -> None:
    part = cppn(6, 2)
    both = network(part, 2, 3, 5, 6)
    swapped: Any = part.basis(2, 3, (5, 6))
    swapped.fill(generators([1, 0], "start"))
    for name, numbers in both.named_parameters():
        swapped.put(name, numbers.flip(0))
    assert torch.equal(swapped()[0], both()[1])
    before = both().detach()
    with torch.no_grad():
        for one in both.parameters():
            one[0] += 1
    assert torch.equal(both()[1], before[1])
    assert not torch.allclose(both()[0], before[0])


@pytest.mark.parametrize("activation", sorted(ACTIVATIONS))
def test_it_learns_xor(activation: str) -> None:
    """Lucid's test: the four corners become 0, 1, 1, 0 within 200 steps, in one of three tries."""
    assert any(_learns_xor(activation, seed) for seed in range(3))


def _learns_xor(activation: str, seed: int) -> bool:
    basis = cppn(activation=activation).basis(1, 1, (2, 2))
    basis.fill(generators([seed], "start"))
    optimizer = torch.optim.Adam(basis.parameters(), lr=0.01)
    wanted = torch.tensor([[0.0, 1.0], [1.0, 0.0]])
    for _ in range(200):
        corners = torch.sigmoid(basis())[0, 0]
        if (corners - wanted).abs().max() < 0.01:
            return True
        optimizer.zero_grad()
        (corners - wanted).square().mean().backward()
        optimizer.step()
    return False


def test_it_has_no_inverse() -> None:
    basis = cppn().basis(1, 3, (4, 4))
    assert not basis.invertible
    with pytest.raises(BadInputError, match="PatternNetwork has no inverse"):
        basis.assign(torch.zeros(1, 3, 4, 4))
    with pytest.raises(BadInputError, match="init="):
        image(4, spatial=cppn(), init=torch.rand(3, 4, 4))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"hidden": 0}, "hidden"),
        ({"layers": 0}, "layers"),
        ({"layers": 1.5}, "layers"),
        ({"activation": "atn"}, "'atan'"),
        ({"activation": 3}, "'atan', 'unbiased_atan' or 'relu', but 3"),
    ],
)
def test_arguments_that_do_not_fit_are_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        cppn(**arguments)
