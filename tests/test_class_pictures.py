"""The default pictures of all classes of `demo` are named by `demo`, and by a network that did not make them."""

from __future__ import annotations

import pytest
from logit_pictures import class_pictures, named_right

import lucidtorch as lt


@pytest.mark.slow
def test_class_pictures_are_named_by_their_network_and_by_its_judge() -> None:
    model = lt.load_model("demo", device="cpu")
    pictures = class_pictures(model, 96, 256)
    own = named_right(pictures, model).float().mean().item()
    judged = named_right(pictures, lt.load_model("demo-judge", device="cpu")).float().mean().item()
    assert own >= 0.95, f"demo names {own:.1%} of its own class pictures"
    assert judged >= 0.70, f"demo-judge names {judged:.1%} of the class pictures"
