"""Schedules: what they hold, the step size of every update, and what they write down."""

from __future__ import annotations

import pytest
import torch

from lucidtorch.base.errors import BadInputError
from lucidtorch.rendering.rules import Plateaus
from lucidtorch.rendering.settings import Schedule


def test_the_default_is_as_many_steps_of_one_size() -> None:
    assert Schedule().rates() == [0.05] * 512
    assert Schedule().plateaus(3) is None


def test_the_largest_step_is_lr() -> None:
    rates = Schedule(20, 0.3, lr_schedule="trapezoid").rates()
    assert len(rates) == 20
    assert max(rates) == 0.3
    assert rates[0] == pytest.approx(0.15)
    assert rates[-1] == pytest.approx(0.05)


@pytest.mark.parametrize("name", ["constant", "cosine", "trapezoid"])
def test_a_part_of_what_was_planned_steps_as_its_beginning(name: str) -> None:
    whole = Schedule(50, 0.3, lr_schedule=name)
    part = Schedule(20, 0.3, lr_schedule=name, planned=50)
    assert part.rates() == whole.rates()[:20]
    assert part.horizon == whole.horizon == 50


def test_what_is_written_down_makes_the_same_schedule_again() -> None:
    made = Schedule(20, 1, "adam( beta1=.5 )", [4, 20], "trapezoid(cooldown=.3)", "plateau(patience=64)", 40)
    written = made.to_dict()
    assert written == {
        "steps": 20,
        "snapshots": [4, 20],
        "optimizer": "adam(beta1=0.5, beta2=0.999, eps=1e-08, weight_decay=0.0)",
        "lr": 1.0,
        "lr_schedule": "trapezoid(warmup=0.1, cooldown=0.3)",
        "stop": "plateau(patience=64, rise=0.02, smoothing=0.95)",
        "planned": 40,
    }
    assert Schedule(**written).to_dict() == written


def test_the_optimizer_starts_at_lr() -> None:
    (group,) = Schedule(4, 0.2, "adam(beta1=0.5)").build_optimizer([torch.nn.Parameter(torch.zeros(1))]).param_groups
    assert group["lr"] == 0.2
    assert group["betas"] == (0.5, 0.999)


def test_images_rest_where_stop_says_so() -> None:
    found = Schedule(stop="plateau(patience=3)").plateaus(2)
    assert isinstance(found, Plateaus)
    assert found.rule.patience == 3


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"steps": 0}, "steps is a whole number from 1"),
        ({"lr": 0}, "lr is a positive number"),
        ({"optimizer": "lbfgs"}, "optimizer is one of adam, sgd"),
        ({"lr_schedule": "step"}, "lr_schedule is one of"),
        ({"stop": "never"}, "stop is one of plateau"),
        ({"steps": 8, "planned": 7}, "planned is a whole number from 8"),
        ({"steps": 8, "planned": 8.0}, "planned is a whole number from 8"),
        ({"snapshots": 4}, "several numbers of steps"),
        ({"steps": 8, "snapshots": [9]}, "after 1 to 8 steps"),
    ],
)
def test_what_does_not_fit_is_refused(settings: dict[str, object], said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        Schedule(**settings)  # type: ignore[arg-type]
