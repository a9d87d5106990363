"""Step sizes and plateaus in a render: what is planned, who rests, and that nobody else notices."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch

import lucidtorch as lt
from lucidtorch.models.model import Model
from lucidtorch.objectives import channel

SIZE, STEPS, UNITS = 32, 24, [3, 4, 5]
FAST: dict[str, Any] = {"lr": 0.3, "lr_schedule": "trapezoid", "optimizer": "adam(beta1=0.5)", "progress": False}
STOP = "plateau(patience=4, rise=0.3)"


def rendered(model: Model, units: list[int], seed: int = 0, **more: Any) -> lt.Rendering:
    settings: dict[str, Any] = {"steps": STEPS, "engine": lt.Engine(compute_batch=1), **FAST, **more}
    return lt.render(
        model, channel("conv2_1", units), param=lt.param.image(SIZE, batch=len(units)), seed=seed, **settings
    )


@pytest.fixture(scope="module")
def resting(demo: Model) -> lt.Rendering:
    """Three units, each of which rests before the last step."""
    found = rendered(demo, UNITS, stop=STOP)
    assert set(found.rested) == {0, 1, 2}
    return found


def test_what_rests_is_what_it_was_when_it_came_to_rest(demo: Model, resting: lt.Rendering) -> None:
    moving = rendered(demo, UNITS, snapshots=sorted(set(resting.rested.values())))
    for image, step in resting.rested.items():
        assert step < STEPS
        assert torch.equal(resting.images[image], moving.snapshots[step][image])
        assert not torch.equal(resting.images[image], moving.images[image])


def test_an_image_rests_as_it_would_alone(demo: Model, resting: lt.Rendering) -> None:
    for place, unit in enumerate(UNITS):
        alone = rendered(demo, [unit], seed=place, stop=STOP)
        assert alone.rested == {0: resting.rested[place]}
        assert torch.equal(alone.images[0], resting.images[place])


def test_without_a_stop_no_image_rests(demo: Model) -> None:
    found = rendered(demo, UNITS)
    assert found.rested == {}
    assert found.history["objective"].shape == (len(UNITS), STEPS)


def test_an_interrupted_render_is_made_again_with_the_step_sizes_that_were_planned(demo: Model, tmp_path: Path) -> None:
    def interrupt(step: Any) -> None:
        if step.number == 7:
            raise KeyboardInterrupt

    part = rendered(demo, UNITS, callbacks=[interrupt], lr_schedule="cosine")
    whole = rendered(demo, UNITS, snapshots=[7], lr_schedule="cosine")
    assert (part.recipe["steps"], part.recipe["planned"], whole.recipe["planned"]) == (7, STEPS, None)
    assert torch.equal(part.images, whole.snapshots[7])
    again = lt.recipes.rerun(part.save(tmp_path / "part.png"), model=demo)
    assert torch.equal(again.images, part.images)
