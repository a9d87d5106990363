"""What one image of a batch is asked for, as it would be typed for it alone."""

from __future__ import annotations

import pytest
import torch

from lucidtorch.objectives import parse
from lucidtorch.objectives.images import single

BATCH = {
    "channel('a', [3, 7, 9])": ["channel('a', 3)", "channel('a', 7)", "channel('a', 9)"],
    "each(channel('a', 1), L2(), 2 * channel('a', 0))": ["channel('a', 1)", "L2()", "2 * channel('a', 0)"],
    "channel('a', [0, 1, 2]) - L2()": [f"channel('a', {unit}) - L2()" for unit in range(3)],
    "interpolate(channel('a', 1), channel('a', 2), 3)": [
        "channel('a', 1)",
        "0.5 * channel('a', 1) + 0.5 * channel('a', 2)",
        "channel('a', 2)",
    ],
    "logit(['cat', 'dog', 3])": ["logit('cat')", "logit('dog')", "logit(3)"],
    "-neuron('a', [0, 1, 2], x=1)": [f"-neuron('a', {unit}, x=1)" for unit in range(3)],
    "mean(channel('a', [4, 5, 6]), 1)": [f"mean(channel('a', {unit}), 1)" for unit in (4, 5, 6)],
    "channel('a', 1).on(1)": ["channel('a', 1).on(1)", "channel('a', 1)", "channel('a', 1).on(1)"],
    "channel('a', 1) - 100 * diversity('a')": ["channel('a', 1) - 100 * diversity('a')"] * 3,
    "direction('a', [[1, 2], [3, 4], [5, 6]])": ["direction('a', [[1, 2], [3, 4], [5, 6]])"] * 3,
}


@pytest.mark.parametrize("text", BATCH)
def test_each_image_has_the_text_that_would_be_typed_for_it(text: str) -> None:
    whole = parse(text)
    assert [repr(single(whole, image)) for image in range(3)] == [repr(parse(own)) for own in BATCH[text]]


@pytest.mark.parametrize("text", [text for text in BATCH if "on(" not in text and "logit" not in text])
def test_the_value_of_an_image_is_that_of_its_own_objective(text: str) -> None:
    activations = {
        "a": torch.rand(3, 10 if "[[" not in text else 2, 4, 4, generator=torch.Generator().manual_seed(0)),
        "input": torch.rand(3, 3, 8, 8, generator=torch.Generator().manual_seed(1)),
    }
    whole = parse(text)
    for image in range(3):
        own = single(whole, image)(activations)
        assert torch.allclose(own[image], whole(activations)[image])


def test_an_objective_of_all_images_stays_the_same_value() -> None:
    whole = parse("channel('a', 1) - L2()")
    assert single(whole, 2) is whole


def test_shares_of_a_walk_are_rounded() -> None:
    assert repr(single(parse("interpolate(a:0, a:1, 4)"), 1)) == ("0.6667 * channel('a', 0) + 0.3333 * channel('a', 1)")
