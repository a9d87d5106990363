"""Captured activations against what hooks that clone every output see on a copy in which nothing works in place."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Callable
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import RenderError
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.models.running.address import Address
from lucidtorch.models.running.capture import capture
from lucidtorch.models.running.frozen import frozen
from lucidtorch.models.running.redirect import redirected_relu

Fingerprint = Callable[[nn.Module], dict[str, object]]


class Twice(nn.Module):
    """Calls one ReLU twice, in place, and goes on in place behind it.

    Args:
        rough: Whether what goes on in place keeps the network from being differentiated.
    """

    def __init__(self, *, rough: bool = True) -> None:
        super().__init__()
        self.rough = rough
        self.first = nn.Conv2d(3, 4, 3)
        self.second = nn.Conv2d(4, 5, 3)
        self.relu = nn.ReLU(inplace=True)
        self.last = nn.Conv2d(5, 2, 1)

    def forward(self, images: Tensor) -> Tensor:
        values = self.relu(self.first(images))
        values = self.relu(self.second(values))
        return self.last(F.relu_(values.mul_(2) if self.rough else values * 2))


def clones(module: nn.Module, images: Tensor) -> dict[tuple[str, int], Tensor]:
    """What every call of every module gives, on a copy with every `inplace=False`."""
    copied = copy.deepcopy(module).eval()
    seen: dict[tuple[str, int], Tensor] = {}
    counts: dict[str, int] = {}
    for name, part in copied.named_modules():
        if hasattr(part, "inplace"):
            part.inplace = False

        def note(_: nn.Module, __: Any, output: Any, name: str = name) -> None:
            call = counts.get(name, 0)
            counts[name] = call + 1
            if isinstance(output, Tensor):
                seen[name, call] = output.clone()

        part.register_forward_hook(note)
    with torch.no_grad():
        copied(images)
    return seen


def assert_captured_as_cloned(module: nn.Module, images: Tensor) -> None:
    expected = clones(module, images)
    addresses = {f"{name}@{call}": Address(name, call) for name, call in expected}
    with torch.no_grad(), frozen(module), capture(module, addresses) as run:
        together = run(images)
        assert set(together) == set(addresses)
        for (name, call), values in expected.items():
            assert torch.equal(together[f"{name}@{call}"], values), (name, call)


def test_all_layers_together_are_what_clones_see() -> None:
    assert_captured_as_cloned(Twice(), torch.rand(2, 3, 9, 8))


def test_each_layer_alone_is_what_clones_see() -> None:
    module, images = Twice(), torch.rand(2, 3, 9, 8)
    for (name, call), values in clones(module, images).items():
        with torch.no_grad(), frozen(module), capture(module, {"it": Address(name, call)}) as run:
            assert torch.equal(run(images)["it"], values), (name, call)


def test_gradients_flow_through_captured_layers_as_through_clones() -> None:
    module = Twice(rough=False).double().eval()
    images = torch.rand(2, 3, 9, 8, dtype=torch.float64, requires_grad=True)
    addresses = {"a": Address("first"), "b": Address("relu", 0), "c": Address("relu", 1), "d": Address("last")}
    with frozen(module), capture(module, addresses) as run:
        found = run(images)
        value = sum(k * one.square().sum() for k, one in enumerate(found.values(), start=1))
        (gradient,) = torch.autograd.grad(value, images)
    a = module.first(images)
    b = a.clamp(min=0)
    c = module.second(b).clamp(min=0)
    d = module.last(2 * c)
    naive = a.square().sum() + 2 * b.square().sum() + 3 * c.square().sum() + 4 * d.square().sum()
    (expected,) = torch.autograd.grad(naive, images)
    assert torch.allclose(gradient, expected, atol=1e-10)


@pytest.mark.parametrize("size", [48, (40, 56)])
def test_resnet18_with_its_relus_called_twice(resnet18: Model, size: Any) -> None:
    height, width = (size, size) if isinstance(size, int) else size
    assert_captured_as_cloned(resnet18.module, torch.randn(2, 3, height, width))


def test_the_calls_of_resnet18_have_addresses(resnet18: Model) -> None:
    images = torch.rand(1, 3, 48, 48)
    found = resnet18.activations(images, ["layer1.0.relu@0", "layer1.0.relu@1", "layer1.0.bn1", "layer1.0"])
    expected = clones(resnet18.module, resnet18.normalize(images))
    assert torch.equal(found["layer1.0.relu@0"], expected["layer1.0.relu", 0])
    assert torch.equal(found["layer1.0.relu@1"], expected["layer1.0.relu", 1])
    assert torch.equal(found["layer1.0.bn1"], expected["layer1.0.bn1", 0])
    assert (found["layer1.0.bn1"] < 0).any()  # before the ReLU that works on it in place


@pytest.mark.slow
@pytest.mark.parametrize("name", ["alexnet", "vgg11", "mobilenet_v2", "squeezenet1_0", "densenet121", "googlenet"])
def test_torchvisions_networks(name: str) -> None:
    model = load_model(name, weights="random", device="cpu")
    assert_captured_as_cloned(model.module, torch.randn(1, 3, 96, 96))


def test_the_softmax_is_taken_where_asked_for() -> None:
    module = nn.Sequential(nn.Flatten(), nn.Linear(4, 3))
    images = torch.rand(2, 1, 2, 2)
    addresses = {"scores": Address("1"), "prob": Address("1", softmax=True)}
    with torch.no_grad(), capture(module, addresses) as run:
        found = run(images)
    assert torch.allclose(found["prob"], found["scores"].exp() / found["scores"].exp().sum(1, keepdim=True))


def test_the_whole_network_is_a_layer() -> None:
    module, images = Twice(), torch.rand(1, 3, 9, 9)
    with torch.no_grad(), capture(module, {"out": Address("")}) as run:
        assert torch.equal(run(images)["out"], module(images))


def test_the_pass_ends_with_the_last_named_layer() -> None:
    class Bomb(nn.Module):
        def forward(self, values: Tensor) -> Tensor:
            raise AssertionError("this layer must not run")

    module = nn.Sequential(nn.Conv2d(3, 2, 1), nn.ReLU(), Bomb())
    with capture(module, {"0": Address("0"), "1": Address("1")}) as run:
        assert set(run(torch.rand(1, 3, 2, 2))) == {"0", "1"}


def test_a_networks_own_except_does_not_swallow_the_end() -> None:
    class Careful(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.conv = nn.Conv2d(3, 2, 1)
            self.went_on = False

        def forward(self, images: Tensor) -> Tensor:
            try:
                values = self.conv(images)
            except Exception:  # noqa: BLE001  # as some networks do
                values = images
            self.went_on = True
            return values

    module = Careful()
    with capture(module, {"conv": Address("conv")}) as run:
        run(torch.rand(1, 3, 2, 2))
    assert not module.went_on


def test_only_named_modules_are_hooked_and_nothing_stays(fingerprint: Fingerprint) -> None:
    module, images = Twice(), torch.rand(1, 3, 9, 9)
    before = fingerprint(module)
    with capture(module, {"a": Address("relu", 1)}) as run:
        hooked = [name for name, part in module.named_modules() if part._forward_hooks]
        run(images)
        assert hooked == ["relu"]
    assert fingerprint(module) == before


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt, SystemExit])
def test_nothing_stays_after_an_error(error: type[BaseException], fingerprint: Fingerprint) -> None:
    module, images = Twice(), torch.rand(1, 3, 9, 9)
    before = fingerprint(module)

    def interrupted() -> None:
        with frozen(module), capture(module, {"a": Address("first")}) as run:
            run(images)
            raise error

    with pytest.raises(error):
        interrupted()
    assert fingerprint(module) == before


def test_an_error_of_the_network_passes_through(fingerprint: Fingerprint) -> None:
    module, images = Twice(), torch.rand(1, 7, 9, 9)
    before = fingerprint(module)
    with pytest.raises(RuntimeError), capture(module, {"a": Address("last")}) as run:
        run(images)
    assert fingerprint(module) == before


def test_hooks_are_detached_even_when_attaching_fails(fingerprint: Fingerprint) -> None:
    module = Twice()
    before = fingerprint(module)
    with pytest.raises(AttributeError), capture(module, {"a": Address("first"), "b": Address("zzz")}):
        pass
    assert fingerprint(module) == before


def test_a_layer_that_never_fires_is_named() -> None:
    module = Twice()
    for address in (Address("relu", 2), Address("unused")):
        module.unused = nn.ReLU()
        with capture(module, {"it": address}) as run, pytest.raises(RenderError, match="'it' was not reached"):
            run(torch.rand(1, 3, 9, 9))


def test_a_layer_that_gives_no_tensor_is_named() -> None:
    class Pair(nn.Module):
        def forward(self, values: Tensor) -> tuple[Tensor, Tensor]:
            return values, values

    module = nn.Sequential(Pair())
    with capture(module, {"it": Address("0")}) as run, pytest.raises(RenderError, match="'0' gives a tuple"):
        run(torch.rand(1, 3, 9, 9))


def test_captures_inside_one_another_do_not_disturb() -> None:
    module, images = Twice(), torch.rand(1, 3, 9, 9)
    expected = clones(module, images)
    with torch.no_grad(), frozen(module), capture(module, {"outer": Address("first")}) as outer:
        with capture(module, {"inner": Address("last")}) as inner:
            assert torch.equal(inner(images)["inner"], expected["last", 0])
            assert torch.equal(outer(images)["outer"], expected["first", 0])
        assert torch.equal(module(images), expected["", 0])
        assert torch.equal(outer(images)["outer"], expected["first", 0])


def test_nothing_named_runs_nothing() -> None:
    module = Twice()
    ran: list[int] = []
    module.register_forward_pre_hook(lambda *_: ran.append(1))
    with capture(module, {}) as run:
        assert run(torch.rand(1, 3, 9, 9)) == {}
    assert ran == []


def test_runs_do_not_keep_what_they_gave() -> None:
    module = Twice()
    with torch.no_grad(), capture(module, {"a": Address("first"), "b": Address("last")}) as run:
        found = run(torch.rand(1, 3, 9, 9))
        watched = [weakref.ref(one) for one in found.values()]
        del found
        assert [one() for one in watched] == [None, None]


def test_redirected_relus_change_no_activation() -> None:
    module, images = Twice(rough=False), torch.rand(1, 3, 9, 9, requires_grad=True)
    expected = clones(module, images.detach())
    addresses = {f"{name}@{call}": Address(name, call) for name, call in expected}
    with frozen(module), capture(module, addresses) as run, redirected_relu():
        found = run(images)
    for (name, call), values in expected.items():
        assert torch.equal(found[f"{name}@{call}"].detach(), values), (name, call)


def compiled_in_place(module: nn.Sequential) -> nn.Module:
    module.compile()
    return module


def compiled_part(module: nn.Sequential) -> nn.Module:
    module[0].compile()
    return module


def compiled_inside(module: nn.Sequential) -> nn.Module:
    return nn.Sequential(torch.compile(module[0]), *module[1:])


COMPILED = (compiled_in_place, compiled_part, compiled_inside, torch.compile)


@pytest.mark.parametrize("compiling", COMPILED, ids=[one.__name__ for one in COMPILED])
def test_what_the_user_compiled_is_read_as_it_is_and_quietly(
    compiling: Callable[[nn.Sequential], nn.Module], capfd: pytest.CaptureFixture[str]
) -> None:
    """Compiling is counted, since it takes minutes of which no picture needs any."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 5, 3)).eval()
    images = torch.rand(2, 3, 12, 12)
    plain = module(images).detach()
    network = compiling(module)
    before = [vars(part).get("_compiled_call_impl") for part in network.modules()]
    torch._dynamo.utils.counters.clear()
    model = lt.load_model(network, device="cpu", size=12, mean=0, std=1)
    assert (model.layers["2"].shape, model.layers.broken) == ((5, 8, 8), None)
    torch.testing.assert_close(model.activations(images, "2")["2"], plain)
    for side in range(8, 28, 2):
        lt.render(model, "2:1", param=lt.param.image(side), steps=1, progress=False)
    assert not torch._dynamo.utils.counters["stats"]
    assert capfd.readouterr().err == ""
    assert [vars(part).get("_compiled_call_impl") for part in network.modules()] == before
