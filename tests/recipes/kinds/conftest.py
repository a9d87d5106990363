"""What the tests of all kinds of recipes share."""

from __future__ import annotations

from pathlib import Path

import pytest
from recipe_runs import Bench

from lucidtorch.models.model import Model


@pytest.fixture
def bench(demo: Model, tmp_path: Path) -> Bench:
    """A place to run recipes on `demo`, at 24 pixels for 2 steps where a test does not say otherwise."""
    return Bench(demo, tmp_path)
