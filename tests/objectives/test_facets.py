"""The faceted objective on a small network, whose gradients are worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Tensor

import lucidtorch as lt
from lucidtorch.base.errors import ObjectiveError, UnitError
from lucidtorch.models.model import Model
from lucidtorch.objectives import direction
from lucidtorch.objectives.facets import facet

MIX = torch.tensor([[1.0, -2.0, 0.5], [0.25, 1.0, -1.0]], dtype=torch.float64)  # from three channels to two


def two_layers(seed: int = 1) -> dict[str, Tensor]:
    """A layer `[2, 3, 4, 5]` and one that mixes its channels at each position."""
    dice = torch.Generator().manual_seed(seed)
    image = torch.randn(2, 3, 4, 5, generator=dice, dtype=torch.float64, requires_grad=True)
    lower = image.exp()
    return {"image": image, "low": lower, "top": torch.einsum("kc,bchw->bkhw", MIX, lower)}


def slopes(given: dict[str, Tensor], vector: list[float]) -> np.ndarray:
    """Where channel k of the top is above zero, each channel c below adds vector[k] MIX[k, c] to the unit."""
    top = given["top"].detach().numpy()
    found = np.zeros(given["low"].shape)
    for b, c, i, j in np.ndindex(*found.shape):
        found[b, c, i, j] = sum(vector[k] * float(MIX[k, c]) for k in range(2) if top[b, k, i, j] > 0)
    return found


def test_it_is_activation_times_positive_gradient_times_weights() -> None:
    given = two_layers()
    weights = [0.5, -1.0, 2.0]
    raising = np.maximum(slopes(given, [1, -0.5]), 0)
    low = given["low"].detach().numpy()
    expected = [sum(float((low[b, c] * raising[b, c]).sum()) * weights[c] for c in range(3)) for b in range(2)]
    found = facet("low", "top", [1, -0.5], weights=weights)(given)
    np.testing.assert_allclose(found.detach(), expected, atol=1e-10)
    stronger = facet("low", "top", [1, -0.5], weights=weights, strength=[3, -1])(given)
    np.testing.assert_allclose(stronger.detach(), [3 * expected[0], -expected[1]], atol=1e-10)


def test_it_sums_over_positions_as_its_docs_say() -> None:
    given = two_layers()
    low = given["low"].detach().repeat(1, 1, 2, 2).requires_grad_(True)
    fourfold = {"low": low, "top": torch.einsum("kc,bchw->bkhw", MIX, low)}
    term = facet("low", "top", [1, -0.5])
    torch.testing.assert_close(term(fourfold).detach(), 4 * term(given).detach())
    assert "sum over positions" in " ".join((facet.__doc__ or "").split())


def test_its_own_gradient_holds_the_inner_one_constant() -> None:
    given = two_layers()
    weights = torch.tensor([0.5, -1.0, 2.0], dtype=torch.float64)
    value = facet("low", "top", [1, -0.5], weights=weights)(given)
    (to_low,) = torch.autograd.grad(value.sum(), given["low"], retain_graph=True)
    raising = torch.tensor(np.maximum(slopes(given, [1, -0.5]), 0))
    torch.testing.assert_close(to_low, raising * weights[:, None, None], rtol=0, atol=1e-12)
    (to_image,) = torch.autograd.grad(value.sum(), given["image"])
    torch.testing.assert_close(to_image, to_low * given["low"].detach(), rtol=0, atol=1e-12)


def test_the_graph_is_kept_and_nothing_gathers_in_it() -> None:
    given = two_layers()
    goal = facet("low", "top", [1, 1]) + direction("top", [1, 1])
    first, second = goal(given), goal(given)
    assert torch.equal(first, second)
    second.sum().backward()
    assert given["image"].grad is not None


def test_images_are_evaluated_apart() -> None:
    given, other = two_layers(1), two_layers(2)
    image = torch.stack([given["image"][0], other["image"][1]]).detach().requires_grad_(True)
    mixed = {"low": image.exp()}
    mixed["top"] = torch.einsum("kc,bchw->bkhw", MIX, mixed["low"])
    goal = facet("low", "top", [1, -0.5])
    expected = [goal(given)[0].item(), goal(other)[1].item()]
    np.testing.assert_allclose(goal(mixed).detach(), expected, atol=1e-12)


def test_maps_of_weights_are_resized_to_the_layer() -> None:
    given = two_layers()
    maps = np.arange(12.0).reshape(3, 2, 2)
    raising = np.maximum(slopes(given, [1, 1]), 0) * given["low"].detach().numpy()
    expected = np.zeros(2)
    for b, c, i, j in np.ndindex(*raising.shape):
        expected[b] += raising[b, c, i, j] * maps[c, i * 2 // 4, j * 2 // 5]
    np.testing.assert_allclose(facet("low", "top", [1, 1], weights=maps)(given).detach(), expected, atol=1e-10)
    each = facet("low", "top", [1, 1], weights=np.stack([maps, 2 * maps]))
    np.testing.assert_allclose(each(given).detach(), expected * [1, 2], atol=1e-10)
    assert each.batch == 2
    assert facet("low", "top", [1, 1], weights=maps).batch is None
    assert facet("low", "top", [1, 1], strength=[1, 2, 3]).batch == 3


def test_a_silent_unit_has_no_facet() -> None:
    given = {"low": torch.ones(2, 3, dtype=torch.float64, requires_grad=True)}
    given["top"] = given["low"] @ -torch.ones(3, 2, dtype=torch.float64)
    value = facet("low", "top", [1, 1])(given)
    assert value.tolist() == [0, 0]
    assert torch.autograd.grad(value.sum(), given["low"])[0].abs().sum() == 0


def test_without_gradients_it_counts_as_zero() -> None:
    with torch.no_grad():
        assert facet("low", "top", [1, 1])(two_layers()).tolist() == [0, 0]
        with pytest.raises(UnitError, match="'top' has 2 channels"):
            facet("low", "top", [1, 1, 1])(two_layers())


def test_what_does_not_fit_is_refused() -> None:
    given = two_layers()
    apart = {name: values.detach() for name, values in given.items()}
    separate = {name: values.requires_grad_(True) for name, values in apart.items()}
    for goal, found, error, reason in (
        (facet("low", "top", [1, 1]), apart, ObjectiveError, "gradient of 'top' to 'low'.*one forward pass"),
        (facet("low", "top", [1, 1]), separate, ObjectiveError, "'top' were not computed from those of 'low'"),
        (facet("top", "low", [1, 1, 1]), given, ObjectiveError, "'low' were not computed from those of 'top'"),
        (facet("low", "top", [1, 1], weights=[1, 2]), given, UnitError, "'low' has 3 channels"),
        (facet("low", "top", [1, 1], weights=[[1, 2, 3]]), given, UnitError, r"give \[3, h, w\]"),
        (facet("low", "top", [1, 1], strength=[1, 2, 3]), given, ObjectiveError, "3 strengths were given for 2 images"),
    ):
        with pytest.raises(error, match=reason):
            goal(found)


def test_it_steers_a_render(demo: Model) -> None:
    """Added, it draws what it weights; subtracted, it keeps it away, and the graph of the network carries both."""
    unit = [float(k == 5) for k in range(96)]
    toward = facet("conv2_1", "conv3_2", unit, weights=[float(k < 24) for k in range(48)])
    last = []
    for sign in (1, -1):
        goal = direction("conv3_2", unit) + sign * toward
        found = lt.render(demo, goal, param=lt.param.image(32), steps=40, progress=False)
        assert found.images.isfinite().all()
        last.append(found.history[repr(toward)].flatten()[-4:].mean().item())
    assert last[0] > 0
    assert last[0] > last[1]
