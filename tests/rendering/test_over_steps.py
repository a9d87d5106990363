"""What depends on the step: timed terms, averages that a term keeps, crops that shrink, several views of an image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
import torch
from guards.registry import own_objectives
from torch import Generator, Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.objectives import (
    Activations,
    Memory,
    activation_difference,
    after,
    before,
    channel,
    facet,
    objective,
    ramp,
)
from lucidtorch.transforms import Transform, crops, identity


@pytest.fixture(scope="module")
def model() -> lt.Model:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.Tanh(), nn.Conv2d(4, 2, 3))
    return lt.load_model(net, mean=0.0, std=1.0, size=12)


SETTINGS: dict[str, Any] = {"param": "image(12, batch=2)", "transforms": "identity()", "progress": False}


def test_a_term_may_begin_and_end(model: lt.Model) -> None:
    goal = channel("2", 1) + 5 * after(2, channel("0", 0)) + 3 * before(1, channel("0", 2))
    history = lt.render(model, goal, steps=4, **SETTINGS).history
    late, early = history["after(2, channel('0', 0))"], history["before(1, channel('0', 2))"]
    assert (late[:, :2] == 0).all()
    assert (late[:, 2:] != 0).all()
    assert (early[:, :1] != 0).all()
    assert (early[:, 1:] == 0).all()
    total = history["channel('2', 1)"] + 5 * late + 3 * early
    assert torch.allclose(history["objective"], total, atol=1e-6)


def test_a_weight_may_go_from_one_number_to_another(model: lt.Model) -> None:
    plain = lt.render(model, channel("0", 0), steps=1, **SETTINGS).history["objective"][:, 0]
    history = lt.render(model, ramp(0, 4, channel("0", 0), first=2, last=-2), steps=6, **SETTINGS)
    values = history.history["objective"]
    assert torch.allclose(values[:, 0], 2 * plain, atol=1e-6)
    assert (values[:, 2] == 0).all()
    finished = channel("0", 0)(model.activations(history.images, "0"))
    assert torch.allclose(history.values, -2 * finished, atol=1e-5)


def test_before_it_begins_nothing_moves(model: lt.Model) -> None:
    found = lt.render(model, after(3, channel("0", 0)), steps=5, snapshots=(1, 3, 4), **SETTINGS)
    assert torch.equal(found.snapshots[1], found.snapshots[3])
    assert not torch.equal(found.snapshots[3], found.snapshots[4])


@pytest.mark.filterwarnings("ignore:No gradient")
def test_a_term_keeps_what_it_noted(model: lt.Model) -> None:
    with own_objectives():

        @objective
        def counted(activations: Activations, layer: str, *, memory: Memory) -> Tensor:
            """How often it was evaluated."""
            memory["count"] = memory.get("count", torch.zeros(())) + 1
            return activations[layer].flatten(1).mean(1) * 0 + memory["count"]

        assert repr(counted("0")) == "counted('0')"
        found = lt.render(model, counted("0"), steps=4, **SETTINGS)
        assert found.history["objective"].tolist() == [[1, 2, 3, 4]] * 2
        again = lt.render(model, counted("0"), steps=2, **SETTINGS)
        assert again.history["objective"].tolist() == [[1, 2]] * 2  # a render begins with an empty notebook
        assert counted("0")({"0": torch.ones(1, 2)}).tolist() == [1]


@dataclass(frozen=True, repr=False)
class Twice(Transform):
    """Looks at an image as it is, and at its negative."""

    views: int = 2

    def sample(self, shape: Any, generators: Any) -> Tensor:
        return torch.arange(len(generators), dtype=torch.float64)[:, None] % 2

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        return torch.where(draws.reshape(-1, 1, 1, 1) == 1, 1 - images, images)

    def output_size(self, size: Any) -> Any:
        return size


def test_an_image_is_the_mean_of_its_views(model: lt.Model) -> None:
    settings = {**SETTINGS, "transforms": Twice() | identity()}
    goal = channel("2", 1) - lt.objectives.L2(constant=0.4) + channel("2", [0, 1])
    found = lt.render(model, goal, steps=1, **settings)
    start = lt.param.image(12, batch=2)()
    both = [goal({**model.activations(one, ["2"]), "input": start}) for one in (start, 1 - start)]
    assert torch.allclose(found.history["objective"][:, 0], (both[0] + both[1]) / 2, atol=1e-5)


@dataclass(frozen=True, repr=False)
class Fading(Transform):
    """Fades an image to grey as the render goes on."""

    share: float = 0.0

    def at(self, progress: float) -> Transform:
        return Fading(progress)

    def sample(self, shape: Any, generators: list[Generator]) -> Tensor:
        return torch.zeros(len(generators), 0)

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        return images * (1 - self.share) + 0.5 * self.share

    def output_size(self, size: Any) -> Any:
        return size


def test_a_transform_may_change_over_the_steps(model: lt.Model) -> None:
    found = lt.render(model, channel("0", 0), steps=4, snapshots=(1, 2, 3), **{**SETTINGS, "transforms": Fading()})
    for step, images in found.snapshots.items():
        seen = images * (1 - step / 4) + 0.5 * step / 4
        expected = channel("0", 0)(model.activations(seen, "0"))
        assert torch.allclose(found.history["objective"][:, step], expected, atol=1e-5)


def test_a_picture_that_is_compared_with_changes_alike(model: lt.Model) -> None:
    """Also where nothing is drawn: what it looked like at another step is not kept."""
    picture = torch.rand(3, 12, 12, generator=torch.Generator().manual_seed(3))
    goal = activation_difference("0", picture)
    found = lt.render(model, goal, steps=4, snapshots=(1, 2, 3), **{**SETTINGS, "transforms": Fading()})
    for step, images in found.snapshots.items():
        seen, given = (one * (1 - step / 4) + 0.5 * step / 4 for one in (images, picture[None]))
        apart = model.activations(seen, "0")["0"] - model.activations(given, "0")["0"]
        assert torch.allclose(found.history["objective"][:, step], apart.abs().flatten(1).mean(1), atol=1e-5)


def test_crops_make_pictures(model: lt.Model) -> None:
    first = lt.render(model, channel("2", [0, 1]), steps=3, **{**SETTINGS, "transforms": crops(4)})
    again = lt.render(model, channel("2", [0, 1]), steps=3, **{**SETTINGS, "transforms": crops(4)})
    assert torch.equal(first.images, again.images)
    one = lt.render(model, channel("2", 1), steps=3, seed=1, param="image(12)", transforms=crops(4), progress=False)
    assert torch.allclose(first.images[1], one.images[0], atol=1e-4)


def test_a_facet_looks_at_one_view_at_a_time(model: lt.Model) -> None:
    with pytest.raises(ObjectiveError, match="views"):
        lt.render(model, facet("0", "2", [1, 0]), steps=1, **{**SETTINGS, "transforms": crops(2)})
    found = lt.render(model, facet("0", "2", [1, 0]), steps=2, engine=lt.Engine("bfloat16"), **SETTINGS)
    assert found.images.isfinite().all()
