"""Numbers that images share: they stop together, and a param must say which images read which row."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
import torch
from guards.registry import own_objectives
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, LucidtorchWarning
from lucidtorch.objectives import Activations, objective
from lucidtorch.param import Param


@pytest.fixture(scope="module")
def model() -> lt.Model:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(2)
        return lt.load_model(nn.Conv2d(3, 4, 3), mean=0.0, std=1.0, size=12)


@pytest.fixture
def burst() -> Any:
    """An objective that is no number for image 0 from its third evaluation with a gradient on."""
    passes = [0]
    with own_objectives():

        @objective
        def bursting_first(activations: Activations, layer: str) -> Tensor:
            """The mean of a layer, while it lasts."""
            values = activations[layer].flatten(1).mean(1)
            passes[0] += values.requires_grad
            broken = (torch.arange(len(values)) == 0) & (passes[0] >= 3)
            return torch.where(broken, torch.nan, 1.0) * values

        yield bursting_first


SETTINGS: dict[str, Any] = {"transforms": "identity()", "steps": 5, "snapshots": (1, 5), "progress": False}


def test_images_that_share_a_row_stop_together(model: lt.Model, burst: Any) -> None:
    param = lt.param.parse("image(12, batch=2) + shared([1, 3, 4, 4])")
    with pytest.warns(LucidtorchWarning, match="stopped before step 3"):
        found = lt.render(model, burst("output"), param=param, **SETTINGS)
    assert set(found.stopped) == {0, 1}
    assert torch.equal(found.snapshots[1], found.images)


def test_images_that_share_nothing_go_on(model: lt.Model, burst: Any) -> None:
    param = lt.param.parse("image(12, batch=4) + shared([4, 3, 4, 4])")
    with pytest.warns(LucidtorchWarning, match="Image 0 stopped before step 3"):
        found = lt.render(model, burst("output"), param=param, **SETTINGS)
    assert set(found.stopped) == {0}
    assert torch.equal(found.snapshots[1][0], found.images[0])
    for other in (1, 2, 3):
        assert not torch.equal(found.snapshots[1][other], found.images[other])


class OneForAll(Param):
    """One picture for every image of the batch, and no word about it."""

    batch = property(lambda self: 2)
    channels = property(lambda self: 3)
    size = property(lambda self: (12, 12))
    arrays = property(lambda self: ())

    def fill(self, seeds: Sequence[int]) -> None:
        self.numbers = nn.Parameter(torch.zeros(1, 3, 12, 12))

    def forward(self) -> Tensor:
        return torch.sigmoid(self.numbers).expand(2, -1, -1, -1)

    def resized(self, *, batch: int) -> Param:
        return self


class Said(OneForAll):
    """The same, and it says so."""

    def reads(self, name: str) -> Tensor:
        return torch.ones(1, 2, dtype=torch.bool)


def test_a_param_says_which_images_read_which_row(model: lt.Model) -> None:
    with pytest.raises(BadInputError, match=r"'numbers'.*1 rows for 2 images"):
        lt.render(model, "output:1", param=OneForAll(), steps=1, progress=False)
    found = lt.render(model, "output:1", param=Said(), steps=2, progress=False)
    assert torch.equal(found.images[0], found.images[1])
