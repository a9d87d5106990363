"""Old numbers are compared with what stands for them today."""

from __future__ import annotations

import pytest

from lucidtorch.param import Param
from lucidtorch.rendering import loop
from lucidtorch.rendering.loop import bare
from lucidtorch.transforms import Pipeline


@pytest.fixture(autouse=True)
def scored_on_the_canvas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 0.1.0 scored finished pictures in the middle of the canvas, with grey around."""

    def on_canvas(pipeline: Pipeline, param: Param) -> tuple[Pipeline, Pipeline]:
        return (bare(pipeline, param)[1],) * 2

    monkeypatch.setattr(loop, "bare", on_canvas)
