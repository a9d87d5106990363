"""Constraints that cannot be: refused with a message, before any work."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from lucidtorch.base.errors import BadInputError, ExpressionError, ImageError
from lucidtorch.constraints import (
    Constraints,
    Moment,
    blur,
    clip_contribution,
    clip_norm,
    decay,
    l2_ball,
    linf_ball,
    parse,
    yosinski,
)


@pytest.mark.parametrize(
    "make",
    [
        lambda: decay(-0.1),
        lambda: decay(1.1),
        lambda: decay(True),
        lambda: decay("0.3"),  # type: ignore[arg-type]
        lambda: decay(float("nan")),
        lambda: blur(-1),
        lambda: blur(float("inf")),
        lambda: blur(0.5, every=0),
        lambda: blur(0.5, every=2.0),  # type: ignore[arg-type]
        lambda: blur(0.5, every=True),
        lambda: clip_norm(-1),
        lambda: clip_norm(101),
        lambda: clip_norm(None),  # type: ignore[arg-type]
        lambda: clip_contribution(100.5),
        lambda: l2_ball(-1),
        lambda: l2_ball(float("nan")),
        lambda: l2_ball(1, centre=torch.full((3, 4, 4), 1.5)),
        lambda: l2_ball(1, centre=[0.5, 0.5]),
        lambda: linf_ball("a"),  # type: ignore[arg-type]
        lambda: linf_ball(0.1, centre=-torch.ones(3, 4, 4)),
        lambda: linf_ball(0.1, centre="photo.jpg"),  # type: ignore[arg-type]
        lambda: yosinski(0),
        lambda: yosinski(5),
        lambda: yosinski(True),
        lambda: yosinski("1"),  # type: ignore[arg-type]
        lambda: Constraints.of(5),  # type: ignore[arg-type]
        lambda: Constraints.of("decay(0.3)"),
        lambda: Constraints.of([decay(0.3), None]),  # type: ignore[list-item]
        lambda: decay(0.3) | 5,  # type: ignore[operator]
    ],
)
def test_arguments_that_do_not_fit_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(BadInputError):
        make()


@pytest.mark.parametrize(
    "text",
    ["decay(", "decay(2)", "decay(0.3) + blur(1)", "jitter(3)", "decay(0.3) | 5", "5", "decay", "decay('a')", "a:3"],
)
def test_texts_that_are_no_constraints_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


def test_the_empty_text_is_no_constraint() -> None:
    assert parse("") == parse("  ") == Constraints() == Constraints.of(())
    assert repr(Constraints()) == ""
    images = torch.rand(1, 3, 4, 4)
    assert torch.equal(Constraints().apply(images, Moment(1, torch.zeros(3))), images)


def test_fractions_may_be_typed() -> None:
    assert parse("linf_ball(8 / 255)") == Constraints((linf_ball(8 / 255),))


@pytest.mark.parametrize("shape", [(1, 3, 4, 5), (3, 3, 4, 4), (1, 1, 4, 4), (1, 3, 2, 4, 4)])
def test_a_centre_of_another_shape_is_refused(shape: tuple[int, ...]) -> None:
    constraint = l2_ball(1, centre=torch.rand(2, 3, 4, 4))
    with pytest.raises(ImageError, match="give"):
        constraint.check(shape)
    with pytest.raises(ImageError):
        constraint.apply(torch.rand(shape), Moment(1, torch.zeros(shape[1])))
    Constraints((constraint,)).check((2, 3, 4, 4))


def test_one_centre_serves_every_image() -> None:
    (l2_ball(1, centre=torch.rand(3, 4, 4)) | l2_ball(1)).check((5, 3, 4, 4))
