"""Every classification network of torchvision, as the page docs/networks.md says."""

from __future__ import annotations

import pytest
from every_classifier import PAGE, classifier_names, judged


@pytest.mark.slow
@pytest.mark.parametrize("name", classifier_names())
def test_a_look_into_it_is_right_and_leaves_no_mark(name: str) -> None:
    assert judged(name).failures == {}


def test_the_page_lists_all_of_them() -> None:
    rows = [
        line.split("|")[1].strip(" `") for line in PAGE.read_text(encoding="utf-8").splitlines() if "| pass" in line
    ]
    assert rows == classifier_names()
