"""Networks that observe what runs through them, as before quantization, keep what they had observed."""

from __future__ import annotations

import warnings
from collections.abc import Iterator

import pytest
import torch
from small_networks import as_model
from torch import nn

import lucidtorch as lt
from lucidtorch.models.model import Model

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # torch.ao is to be moved
    from torch.ao import quantization


@pytest.fixture(autouse=True)
def quiet() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", category=DeprecationWarning)
        warnings.filterwarnings("ignore", message=".*reduce_range.*")
        yield


def observed(module: nn.Module) -> dict[str, list[float]]:
    """All that observers hold, as numbers."""
    return {name: one.detach().double().flatten().tolist() for name, one in module.state_dict().items()}


def fused() -> nn.Module:
    """Prepared for training with quantization, by torch's own words; its observers are fused with what they watch."""
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.BatchNorm2d(4), nn.ReLU(), nn.Conv2d(4, 4, 1))
    module.qconfig = quantization.get_default_qat_qconfig("fbgemm")
    prepared: nn.Module = quantization.prepare_qat(module.train())
    prepared(torch.rand(2, 3, 12, 12, generator=torch.Generator().manual_seed(0)))
    return prepared


def per_channel() -> nn.Module:
    """With observers that have seen nothing and so hold no number yet."""
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU())
    observer = quantization.PerChannelMinMaxObserver.with_args(ch_axis=1)
    module.qconfig = quantization.QConfig(activation=observer, weight=quantization.default_weight_observer)
    prepared: nn.Module = quantization.prepare(module.eval())
    return prepared


NETWORKS = pytest.mark.parametrize("make", [fused, per_channel])


@NETWORKS
def test_the_table_of_layers_leaves_what_observers_hold(make: object) -> None:
    module = make()  # type: ignore[operator]
    model = as_model(module, size=12)
    before = observed(module)
    assert model.layers["0"].channels == 4
    assert observed(module) == before


@NETWORKS
def test_so_do_activations_and_a_render(make: object) -> None:
    module = make()  # type: ignore[operator]
    model: Model = as_model(module, size=12)
    before, buffers = observed(module), {name: id(one) for name, one in module.named_buffers()}
    model.activations(9 * torch.ones(1, 3, 12, 12), "0")
    lt.render(model, "0:1", param=lt.param.image(12), steps=2, progress=False)
    assert observed(module) == before
    assert {name: id(one) for name, one in module.named_buffers()} == buffers


def test_the_callers_own_graph_stays_valid() -> None:
    """Giving a buffer back is no new version of it, so that a backward pass of the caller's still goes through."""
    module = nn.Sequential(nn.Conv2d(3, 4, 1), nn.BatchNorm2d(4)).eval()
    images = torch.rand(1, 3, 4, 4, generator=torch.Generator().manual_seed(0), requires_grad=True)
    value = module(images).sum()
    versions = [one._version for one in module.buffers()]
    as_model(module, size=4).activations(images.detach(), "1")
    assert [one._version for one in module.buffers()] == versions
    value.backward()
    assert images.grad is not None
