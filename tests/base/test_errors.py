"""What messages suggest."""

from __future__ import annotations

from lucidtorch.base.errors import nearest, suggestion


def test_suggestions_are_the_nearest_words() -> None:
    known = ["conv1_1", "conv1_2", "pool1", "fc6"]
    assert nearest("conv1_l", known, 1)[0] in ("conv1_1", "conv1_2")
    assert suggestion("conv1_l", ["conv1_1"]) == "Did you mean 'conv1_1'?"
    assert suggestion("zzz", ["a", "b", "c", "d"]) == "Did you mean 'a', 'b' or 'c'?"
    assert suggestion("zzz", []) == ""
