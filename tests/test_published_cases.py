"""What the tests of older tools check, asked of this one, where no other test asks it."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.models.model import Model
from lucidtorch.objectives import (
    L1,
    L2,
    Linf,
    Lp,
    Objective,
    activation_difference,
    alignment,
    blur_input,
    boundary_complexity,
    caricature,
    channel,
    channel_weight,
    deepdream,
    direction,
    direction_neuron,
    diversity,
    input_difference,
    interpolate,
    inversion,
    layer_mean,
    localgroup_weight,
    logit,
    neuron,
    neuron_weight,
    reference,
    spatial_match,
    style,
    tensor_direction,
    total_variation,
    tv_beta,
    whitened_direction,
)
from lucidtorch.objectives.joins import total
from lucidtorch.param.finish import Decorrelated


class Equal(nn.Module):
    """A convolution whose weights are all 0.4 and whose biases are all 0.1: 1.3 where the image is 1."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 2, 1)
        nn.init.constant_(self.conv1.weight, 0.4)
        nn.init.constant_(self.conv1.bias, 0.1)

    def forward(self, images: Tensor) -> Tensor:
        return self.conv1(images)


@pytest.fixture(scope="module")
def equal() -> dict[str, Tensor]:
    """What the two channels of that convolution say about two white pictures of one pixel."""
    model = lt.load_model(Equal(), mean=0.0, std=1.0, size=1, device="cpu")
    return model.activations(torch.ones(2, 3, 1, 1), ["conv1", "input"])


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        (channel("conv1", 0), [1.3, 1.3]),
        (layer_mean("conv1"), [1.3, 1.3]),
        (neuron("conv1", 1), [1.3, 1.3]),
        (deepdream("conv1"), [1.69, 1.69]),
        (L1("conv1"), [2.6, 2.6]),
        (L2("conv1", epsilon=0), [math.sqrt(2 * 1.69)] * 2),
        (total_variation("conv1"), [0, 0]),
        (channel_weight("conv1", [1, 1]), [1.3, 1.3]),
        (direction("conv1", [1, 1]), [2.6, 2.6]),
        (diversity("conv1"), [1, 1]),  # captum's sign is turned
        (alignment("conv1"), [0, 0]),
        (interpolate(channel("conv1", 0), channel("conv1", 1), 2), [1.3, 1.3]),  # captum adds them: 2.6
        (total([deepdream("conv1")] * 400), [676, 676]),
    ],
    ids=lambda value: repr(value)[:40],
)
def test_all_equal_weights_give_captums_numbers(
    equal: dict[str, Tensor], goal: Objective, expected: list[float]
) -> None:
    assert goal(equal).tolist() == pytest.approx(expected, rel=1e-5, abs=1e-6)


@pytest.mark.parametrize(
    ("form", "expected"),
    [
        (lambda a, b: a + 1, 2.3),
        (lambda a, b: 1 + a, 2.3),
        (lambda a, b: a - 1, 0.3),
        (lambda a, b: 1 - a, -0.3),
        (lambda a, b: a * 10, 13),
        (lambda a, b: 10 * a, 13),
        (lambda a, b: a / 10, 0.13),
        (lambda a, b: 1 / a, 1 / 1.3),
        (lambda a, b: a**2, 1.69),
        (lambda a, b: 2**a, 2**1.3),
        (lambda a, b: -a, -1.3),
        (lambda a, b: a + b, 2.6),
        (lambda a, b: a - b, 0),
        (lambda a, b: a * b, 1.69),
        (lambda a, b: a / b, 1),
        (lambda a, b: a**b, 1.3**1.3),
        (lambda a, b: 1 + 1 * (-a) / 1 - 1, -1.3),  # lucent's
    ],
)
def test_every_operator_gives_captums_numbers(
    equal: dict[str, Tensor], form: Callable[[Any, Any], Objective], expected: float
) -> None:
    found = form(channel("conv1", 0), channel("conv1", 1))(equal)
    assert found.tolist() == pytest.approx([expected] * 2, rel=1e-5, abs=1e-6)


def test_cosines_of_equal_opposite_and_right_angled_vectors_are_xpliques() -> None:
    picture = np.full((3, 1, 1), 0.5)
    here = torch.tensor([[3.0, 4.0], [-3.0, -4.0], [-4.0, 3.0]], dtype=torch.float64)
    given = {"a": here, reference("a", picture): torch.tensor([[30.0, 40.0]], dtype=torch.float64)}
    assert spatial_match("a", picture)(given).tolist() == pytest.approx([1, -1, 0], abs=1e-4)


def test_norms_of_a_small_picture_are_keras_viss() -> None:
    small = {"input": torch.tensor([[[[1.0, 0, 0], [0, 2, 0], [0, 0, 0]]]], dtype=torch.float64)}
    for goal, expected in (
        (total_variation(), 10),
        (tv_beta(), 2 + 4 + 4 + 8),
        (tv_beta(beta=1), math.sqrt(2) + 2 + 2 + math.sqrt(8)),
        (Lp(), ((1 + 2**6) / 9) ** (1 / 6)),
        (Linf(), 2),
    ):
        assert goal(small).item() == pytest.approx(expected, abs=1e-12)


def test_captums_other_colours_have_an_inverse() -> None:
    i1i2i3 = np.array([[1 / 3, 1 / 3, 1 / 3], [1 / 2, 0, -1 / 2], [-1 / 4, 1 / 2, -1 / 4]])
    colour = Decorrelated(i1i2i3).double()
    images = torch.tensor(np.random.default_rng(0).uniform(size=(2, 3, 4, 5)))
    torch.testing.assert_close(colour.inverse(colour(images)), images, rtol=0, atol=1e-6)


def test_phases_of_a_picture_of_16_by_24_are_16_by_13() -> None:
    param = lt.param.image((16, 24), spatial=lt.param.maco())
    param.fill([0])
    assert [one.shape for one in param.parameters()] == [(1, 3, 16, 13)]
    assert param().shape == (1, 3, 16, 24)


def test_a_picture_that_a_render_starts_from_has_changed_after_ten_steps(demo: Model) -> None:
    start = torch.rand((3, 32, 32), generator=torch.Generator().manual_seed(1)) * 0.8 + 0.1
    found = lt.render(demo, "conv2_1:3", param=lt.param.image(32, init=start), steps=10, progress=False).images[0]
    assert (found - start).abs().mean() > 0.01
    assert found.min() >= 0
    assert found.max() <= 1


PICTURE = torch.rand((3, 32, 32), generator=torch.Generator().manual_seed(2))


def goals(layer: str, channels: int) -> dict[str, Objective]:
    """Lucid's objectives and those that came after, on one layer, for two images."""
    dice = np.random.default_rng(3)
    vector, square = dice.normal(size=channels), dice.normal(size=(channels, channels))
    tensor = dice.normal(size=(channels, 2, 2))
    first, second = channel(layer, 1), channel(layer, 2)
    found = [
        *(neuron(layer, 1), first, logit(3), layer_mean(layer), deepdream(layer)),
        *(direction(layer, vector), direction(layer, vector, cossim_pow=2), direction_neuron(layer, vector)),
        *(tensor_direction(layer, tensor), whitened_direction(layer, vector, square)),
        *(channel_weight(layer, vector), neuron_weight(layer, vector), localgroup_weight(layer, vector, wx=2, wy=2)),
        *(interpolate(first, second, 2), first.on(0) - first.on(1), caricature(layer, PICTURE, cossim_pow=1)),
        *(total_variation(), L1(constant=0.5), L2(constant=0.5), blur_input(), -boundary_complexity(width=5)),
        *(diversity(layer), -diversity(layer), -alignment(layer), first - 100 * diversity(layer)),
        *(input_difference(PICTURE), -input_difference(PICTURE), -inversion(layer, PICTURE)),
        *(-activation_difference(layer, PICTURE), -style(layer, PICTURE), spatial_match(layer, PICTURE)),
    ]
    return {repr(goal): goal for goal in found}


def climbs(model: Model, goal: Objective) -> bool:
    """Whether three updates of Adam at 0.1 make an objective larger; near grey, penalties have nowhere to climb."""
    found = lt.render(
        model,
        goal,
        param=lt.param.image(32, batch=2, sd=1),
        transforms=lt.transforms.identity(),
        steps=3,
        lr=0.1,
        progress=False,
    )
    return bool(found.values.sum() > found.history["objective"][:, 0].sum())


WORDS = [text[:40] for text in goals("", 4)]
each_goal = pytest.mark.parametrize("number", range(len(WORDS)), ids=WORDS)


@each_goal
def test_every_objective_climbs_in_three_steps(demo: Model, number: int) -> None:
    channels = demo.layers["conv2_1"].channels
    text, goal = list(goals("conv2_1", channels).items())[number]
    assert climbs(demo, goal), text


@pytest.mark.slow
@each_goal
def test_every_objective_climbs_in_three_steps_on_lucids_network(inceptionv1: Model, number: int) -> None:
    channels = inceptionv1.layers["mixed4a_3x3_pre_relu"].channels
    text, goal = list(goals("mixed4a_3x3_pre_relu", channels).items())[number]
    assert climbs(inceptionv1, goal), text
