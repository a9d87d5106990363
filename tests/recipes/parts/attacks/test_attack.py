from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
import torch
from small_networks import as_model, mixing
from torch import nn

from lucidtorch.base.errors import RenderError
from lucidtorch.models.model import Model
from lucidtorch.recipes.parts.attacks.aim import Aim, look
from lucidtorch.recipes.parts.attacks.attack import Attack, Reach

SIDE = 4
SHAPE = (3, SIDE, SIDE)


def linear(classes: int = 3, seed: int = 0, scale: float = 1.0) -> tuple[Model, np.ndarray, np.ndarray]:
    """A softmax on the pixels, and its weights and biases."""
    random = np.random.default_rng(seed)
    weights, bias = scale * random.normal(size=(classes, 3 * SIDE * SIDE)), random.normal(size=classes)
    layer = nn.Linear(3 * SIDE * SIDE, classes).double()
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(weights))
        layer.bias.copy_(torch.from_numpy(bias))
    return as_model(nn.Sequential(nn.Flatten(), layer), size=SIDE), weights, bias


def probabilities(weights: np.ndarray, bias: np.ndarray, pixels: np.ndarray) -> np.ndarray:
    values = np.exp(weights @ pixels + bias - (weights @ pixels + bias).max())
    return values / values.sum()


def gradient(weights: np.ndarray, bias: np.ndarray, pixels: np.ndarray, label: int) -> np.ndarray:
    """Of the cross entropy of a label to the pixels, by hand."""
    return weights.T @ (probabilities(weights, bias, pixels) - np.eye(len(bias))[label])


def picture(seed: int = 1) -> torch.Tensor:
    return torch.rand(SHAPE, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize(("label", "target"), [(0, None), (2, None), (0, 1)])
def test_one_step_follows_the_gradient_by_hand(label: int, target: int | None) -> None:
    model, weights, bias = linear()
    clean = picture()
    pixels = clean.numpy().astype(np.float64).ravel()
    slope = gradient(weights, bias, pixels, label) if target is None else -gradient(weights, bias, pixels, target)
    wanted = np.clip(pixels + 0.25 * np.sign(slope), 0, 1)
    moment = Attack(model, "logits", clean, Aim(label, target)).single(0.25)
    np.testing.assert_allclose(moment.image.numpy().ravel(), wanted, atol=1e-6)
    found = probabilities(weights, bias, wanted)
    assert moment.answer == found.argmax()
    assert moment.probability(1) == pytest.approx(found[1], rel=1e-5)
    assert moment.loss(label) == pytest.approx(-np.log(found[label]), rel=1e-5)


@pytest.mark.parametrize("noise", [None, 0])
def test_iterations_are_those_of_a_naive_loop(noise: int | None) -> None:
    model, weights, bias = linear()
    clean = picture()
    pixels = clean.numpy().astype(np.float64).ravel()
    start = None if noise is None else 2 * torch.rand(SHAPE, generator=torch.Generator().manual_seed(noise)) - 1
    wanted = [pixels]
    if start is not None:
        wanted.append(np.clip(pixels + 0.1 * start.numpy().ravel(), 0, 1))
    for _ in range(4):
        moved = wanted[-1] + 0.04 * np.sign(gradient(weights, bias, wanted[-1], 1))
        wanted.append(np.clip(np.clip(moved, pixels - 0.1, pixels + 0.1), 0, 1))
    moments = list(Attack(model, "logits", clean, Aim(1), start).iterated(Reach(0.1, 4, 0.04)))
    assert len(moments) == len(wanted)
    for moment, one in zip(moments, wanted, strict=True):
        np.testing.assert_allclose(moment.image.numpy().ravel(), one, atol=1e-6)
        assert moment.answer == probabilities(weights, bias, one).argmax()
    assert torch.equal(moments[0].image, clean)


def test_the_loss_of_a_linear_network_rises_at_every_iteration_and_the_target_s_falls() -> None:
    model, _, _ = linear(classes=2)
    reach = Reach(0.1, 5, 0.02)
    losses = [one.loss(0) for one in Attack(model, "logits", picture(), Aim(0)).iterated(reach)]
    assert losses == sorted(losses)
    assert losses[-1] > losses[0]
    aimed = [one.loss(1) for one in Attack(model, "logits", picture(), Aim(0, 1)).iterated(reach)]
    assert aimed == sorted(aimed, reverse=True)


@pytest.mark.parametrize("seed", range(4))
def test_the_smallest_epsilon_of_two_classes_is_the_distance_to_their_border(seed: int) -> None:
    model, weights, bias = linear(classes=2, seed=seed)
    clean = 0.25 + 0.5 * picture(seed)  # far from black and white, so that nothing is clipped
    margin = weights @ clean.numpy().astype(np.float64).ravel() + bias
    label = int(margin.argmax())
    border = abs(margin[0] - margin[1]) / np.abs(weights[0] - weights[1]).sum()
    assert 1 / 64 / 255 < border < 0.25
    attack = Attack(model, "logits", clean, Aim(label))
    for found in (attack.smallest_single(0.25), attack.smallest_iterated(Reach(0.1, 3, 0.1), 0.25)):
        assert found is not None
        assert found.too_little < border <= found.enough
    assert attack.smallest_single(border / 2) is None


def test_what_is_reached_already_needs_no_change() -> None:
    model, _, _ = linear()
    answer = look(model, "logits", picture()).answer
    for aim in (Aim((answer + 1) % 3), Aim((answer + 1) % 3, answer)):
        found = Attack(model, "logits", picture(), aim).smallest_single(0.1)
        assert found is not None
        assert (found.enough, found.too_little) == (0.0, 0.0)


def test_a_network_that_is_too_sure_moves_nothing() -> None:
    model, _, _ = linear(classes=2, scale=1e4)
    answer = look(model, "logits", picture()).answer
    moments = list(Attack(model, "logits", picture(), Aim(answer)).iterated(Reach(0.1, 2, 0.1)))
    assert all(torch.equal(one.image, picture()) for one in moments)


def test_values_that_are_not_finite_are_refused() -> None:
    model, _, _ = linear()
    with torch.no_grad():
        model.module[1].weight.fill_(float("inf"))
    with pytest.raises(RenderError, match="not finite"):
        list(Attack(model, "logits", picture(), Aim(0)).iterated(Reach(0.1, 2, 0.1)))


def test_the_network_is_left_as_it_was(fingerprint: Callable[[nn.Module], dict[str, object]]) -> None:
    model = as_model(mixing())
    assert model.layers.broken is None
    before = fingerprint(model.module)
    clean = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
    attack = Attack(model, "logits", clean, Aim(look(model, "logits", clean).answer))
    assert len(list(attack.iterated(Reach(0.1, 2, 0.1)))) == 3
    attack.smallest_single(0.01)
    assert fingerprint(model.module) == before
