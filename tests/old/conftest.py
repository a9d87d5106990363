"""Old numbers are compared with what stands for them today."""

from __future__ import annotations

import pytest

from lucidtorch.rendering.probe import Probe
from lucidtorch.rendering.seeing import still
from lucidtorch.transforms import Pipeline


@pytest.fixture(autouse=True)
def scored_on_the_canvas(monkeypatch: pytest.MonkeyPatch) -> None:
    """Version 0.1.0 scored finished pictures in the middle of the canvas, with grey around."""

    def bare(probe: Probe, pipeline: Pipeline) -> Pipeline:
        return still(pipeline, probe.param.channels, pipeline.output_size(probe.param.size))

    monkeypatch.setattr(Probe, "bare", bare)
