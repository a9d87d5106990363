from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

from lucidtorch.base.errors import WeightsError
from lucidtorch.models.sources.weights import fits, load_weights, unwrapped


def network(seed: int = 0) -> nn.Sequential:
    torch.manual_seed(seed)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.Sequential(nn.Conv2d(2, 2, 1)))


def same(first: dict[str, Tensor], second: dict[str, Tensor]) -> bool:
    return first.keys() == second.keys() and all(torch.equal(first[name], second[name]) for name in first)


STATE = dict(network().state_dict())
OTHER = {name: value + 1 for name, value in STATE.items()}


@pytest.mark.parametrize(
    "held",
    [
        {"state_dict": STATE, "optimizer": {"state": {}, "param_groups": [{"lr": 0.1}]}},
        {"net": {"module": STATE}, "epoch": 3},
        {"ema": {"decay": 0.9, "weights": STATE}},
        {"state_dict_ema": OTHER, "state_dict": STATE},
        {"generator": STATE, "epoch": 3, "name": "net"},
    ],
)
def test_what_scripts_wrap_weights_in_is_taken_off(held: dict[str, object]) -> None:
    found = unwrapped(held)
    assert found is not None
    assert same(found, STATE)


def test_two_unnamed_state_dicts_are_none() -> None:
    assert unwrapped({"generator": STATE, "discriminator": OTHER}) is None


def prefixed(*prefixes: str) -> dict[str, Tensor]:
    return {"".join(prefixes) + name: value for name, value in STATE.items()}


@pytest.mark.parametrize(
    "state",
    [
        prefixed("module."),
        prefixed("_orig_mod."),
        prefixed("module.", "_orig_mod."),
        prefixed("_orig_mod.", "module."),
        {name.replace("2.", "2._orig_mod.", 1): value for name, value in STATE.items()},
        prefixed("module.") | {"n_averaged": torch.tensor(3)},
    ],
)
def test_what_parallel_and_compiled_networks_put_before_names_is_taken_off(state: dict[str, Tensor]) -> None:
    found = unwrapped(state)
    assert found is not None
    assert same(found, STATE)


def test_torchs_own_wrappers_are_covered() -> None:
    net = network()
    for wrapped in (nn.DataParallel(net), torch.optim.swa_utils.AveragedModel(net), torch.compile(net)):
        found = unwrapped(wrapped.state_dict())
        assert found is not None
        assert same(found, STATE)


@pytest.mark.parametrize("prefixes", [("model.",), ("net.",), ("model.", "encoder.")])
def test_a_beginning_that_all_names_share_is_taken_off(prefixes: tuple[str, ...]) -> None:
    target = network(1)
    assert fits(target, prefixed(*prefixes))
    load_weights(target, prefixed(*prefixes), name="net", origin="a file")
    assert same(dict(target.state_dict()), STATE)


@pytest.mark.parametrize("wrap", [nn.DataParallel, torch.compile, lambda net: nn.ModuleDict({"model": net})])
def test_a_beginning_that_only_the_network_has_is_put_on(wrap: Callable[[nn.Module], nn.Module]) -> None:
    target = network(1)
    load_weights(wrap(target), STATE, name="net", origin="a file")
    assert same(dict(target.state_dict()), STATE)


def test_a_beginning_is_kept_where_the_rest_does_not_fit() -> None:
    target = network(1)
    before = {name: value.clone() for name, value in target.state_dict().items()}
    state = prefixed("model.") | {"criterion.weight": torch.zeros(1)}
    assert not fits(target, state)
    with pytest.raises(WeightsError, match=r"unknown to the network: model\.0\.weight"):
        load_weights(target, state, name="net", origin="a file")
    assert same(dict(target.state_dict()), before)
