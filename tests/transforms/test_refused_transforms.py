"""Arguments and texts that are no transforms, and what the refusals say."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch

from lucidtorch.base.errors import BadInputError, ExpressionError, ImageError, SizeError
from lucidtorch.transforms import (
    Pipeline,
    background,
    blur,
    colour_jitter,
    colour_noise,
    crop,
    crop_or_pad_to,
    flip,
    jitter,
    noise,
    pad,
    parse,
    perspective,
    powers,
    random_crop,
    rotate,
    scale,
    shear,
    span,
    strong,
    uniform_noise,
)


@pytest.mark.parametrize(
    "make",
    [
        lambda: pad(-1),
        lambda: pad(1.5),  # type: ignore[arg-type]
        lambda: pad(True),
        lambda: pad("3"),  # type: ignore[arg-type]
        lambda: pad(3, value="grey"),  # type: ignore[arg-type]
        lambda: pad(3, value=float("nan")),
        lambda: pad(3, mode="mirror"),
        lambda: pad(3, value=0.2, mode="reflect"),
        lambda: jitter(-2),
        lambda: jitter(0.5),  # type: ignore[arg-type]
        lambda: scale(0, 1),
        lambda: scale(-1, 1),
        lambda: scale(1.1, 0.9),
        lambda: scale(0.9, float("inf")),
        lambda: scale(float("nan"), float("nan")),
        lambda: scale(0.9),
        lambda: scale([]),
        lambda: scale([1, 0]),
        lambda: scale([1, "2"]),  # type: ignore[list-item]
        lambda: scale([1, 2], 3),
        lambda: rotate(10, -10),
        lambda: rotate(0, float("inf")),
        lambda: rotate(float("nan"), 3),
        lambda: rotate("a", "b"),  # type: ignore[arg-type]
        lambda: rotate([[1, 2]]),  # type: ignore[list-item]
        lambda: shear(0, 90),
        lambda: shear(10, -10),
        lambda: perspective(1),
        lambda: perspective(-0.1),
        lambda: flip(1.5),
        lambda: flip(-0.5),
        lambda: crop(-1),
        lambda: crop(0.5),  # type: ignore[arg-type]
        lambda: crop_or_pad_to(0, 5),
        lambda: crop_or_pad_to(5, 2.5),  # type: ignore[arg-type]
        lambda: random_crop(0.0, 0.5),
        lambda: random_crop(0.5, 0.2),
        lambda: random_crop(0.5, 1.5),
        lambda: random_crop(0.5, 0.5, end=0.0),
        lambda: random_crop(0.5, 0.5, sd=-1),
        lambda: random_crop(0.5, 0.5, spread=-1),
        lambda: random_crop(0.5, 0.5, size=0),
        lambda: random_crop(0.5, 0.5, views=0),
        lambda: blur(-1, 1),
        lambda: blur(2, 1),
        lambda: noise(-0.1),
        lambda: uniform_noise(-0.1),
        lambda: colour_noise(float("inf")),
        lambda: colour_jitter(-0.1),
        lambda: colour_jitter(hue=0.6),
        lambda: background("photo"),
        lambda: background(sd=-1),
        lambda: background("noise", decay=2),
        lambda: span(3, 2),
        lambda: span(0, 1, 0),
        lambda: span(0, 1, 1e-9),
        lambda: powers(0, 1, 2),
        lambda: powers(2, 3, 2),
        lambda: powers(2, 0.5, 2),  # type: ignore[arg-type]
        lambda: strong((3, 4, 5)),
        lambda: Pipeline.of(5),  # type: ignore[arg-type]
        lambda: Pipeline.of("pad(3)"),
        lambda: Pipeline.of([pad(3), None]),  # type: ignore[list-item]
    ],
)
def test_arguments_that_do_not_fit_are_refused(make: Callable[[], object]) -> None:
    with pytest.raises(BadInputError):
        make()


@pytest.mark.parametrize(
    "text",
    [
        "",
        "pad(",
        "pad(12) +  jitter(8)",
        "smear(3)",
        "pad(12) | 5",
        "5",
        "pad",
        "pad('a')",
        "conv1_1:3",
        "pad(3).on(0)",
        "span(1, 2)",
        "pad(3) | span(1, 2)",
        "span(1, 2) | pad(3)",
        "rotate(span(1, 2))",
        "rotate([pad(3)])",
        "span('a', 2)",
    ],
)
def test_texts_that_are_no_transforms_are_refused(text: str) -> None:
    with pytest.raises(ExpressionError):
        parse(text)


def test_images_of_the_wrong_channels_are_refused_before_any_work() -> None:
    for pipeline in (jitter(3) | colour_jitter(hue=0.1), pad(1) | colour_jitter(saturation=0.1)):
        assert pipeline.output_channels(3) == 3
        with pytest.raises(ImageError, match="have 4 channels"):
            pipeline.output_channels(4)
        with pytest.raises(ImageError, match="have 4 channels"):
            pipeline.sample((1, 4, 9, 9), [torch.Generator()])
    with pytest.raises(ImageError, match="alpha=True"):
        background().output_channels(1)
    with pytest.raises(ImageError, match="have 2 channels"):
        (background() | colour_jitter(hue=0.1)).output_channels(3)
    assert (background() | colour_jitter(hue=0.1) | background()).output_channels(4) == 2


def test_a_crop_that_leaves_nothing_is_refused_before_any_work() -> None:
    with pytest.raises(SizeError, match="leaves nothing of an image of 4 x 9"):
        (pad(1) | crop(6)).output_size((2, 7))
    assert crop(6).output_size((3, 7, 8)) == (3, 1, 2)


def test_foreign_functions_have_no_text() -> None:
    assert (pad(3) | jitter(2)).is_text
    assert not (pad(3) | torch.nn.Identity()).is_text
