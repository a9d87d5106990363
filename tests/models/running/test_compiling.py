"""Compiled networks against the same networks as they are; a backend that only replays stands for the compiler."""

from __future__ import annotations

import contextlib
import shutil
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from small_networks import as_model, mixing
from small_transformers import torchvision_vit
from torch import Tensor, fx, nn

from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.models.model import Model
from lucidtorch.models.running import compiling
from lucidtorch.models.running.capture import Run, capture
from lucidtorch.models.running.frozen import frozen

BLOCK = "encoder.layers.encoder_layer_0"
Backend = Callable[[fx.GraphModule, list[Tensor]], Callable[..., Any]]


class Counting:
    """Stands for a compiler: counts what it is given, and lets it run as it is."""

    def __init__(self) -> None:
        self.graphs: list[fx.GraphModule] = []

    def __call__(self, graph: fx.GraphModule, inputs: list[Tensor]) -> Callable[..., Any]:
        self.graphs.append(graph)
        return graph.forward


@pytest.fixture
def compiler(monkeypatch: pytest.MonkeyPatch) -> Iterator[Counting]:
    counting = Counting()
    set_backend(monkeypatch, counting)
    yield counting
    compiling._kept_program.cache_clear()


def set_backend(monkeypatch: pytest.MonkeyPatch, backend: Backend) -> None:
    compiling._kept_program.cache_clear()
    monkeypatch.setattr(compiling, "_settings", lambda images: {"backend": backend})


@contextlib.contextmanager
def both(model: Model, layers: list[str], size: int = 16) -> Iterator[tuple[Run, Run]]:
    """The network as it is, and compiled."""
    addresses = model.addresses(layers, (size, size))
    with contextlib.ExitStack() as held:
        held.enter_context(frozen(model.module))
        plain = held.enter_context(capture(model.module, addresses, model.feed))
        yield plain, held.enter_context(compiling.compiled(model.module, addresses, model.feed, plain, "the network"))


def seen(run: Run, images: Tensor) -> tuple[dict[str, Tensor], Tensor]:
    """What a network makes of images, and the gradient of the squares of it."""
    leaf = images.clone().requires_grad_(True)
    found = run(leaf * 1)
    (gradient,) = torch.autograd.grad(sum(one.square().sum() for one in found.values()), [leaf])
    return {name: one.detach() for name, one in found.items()}, gradient


def assert_same(first: tuple[dict[str, Tensor], Tensor], second: tuple[dict[str, Tensor], Tensor]) -> None:
    assert list(first[0]) == list(second[0])
    for name, one in first[0].items():
        torch.testing.assert_close(second[0][name], one)
    torch.testing.assert_close(second[1], first[1])


class Twice(nn.Module):
    """Calls one ReLU twice, in place, and has a part that must never run."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3)
        self.second = nn.Conv2d(4, 5, 3)
        self.relu = nn.ReLU(inplace=True)
        self.broken = nn.Linear(7, 3)
        self.fits = True

    def forward(self, images: Tensor) -> Tensor:
        values = self.relu(self.first(images)) - 0.1
        values = (self.relu(self.second(values)) * 1).mul_(3)
        return values if self.fits else self.broken(values)


class Asking(nn.Module):
    """Goes one way or another by what it sees."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(images) if float(images.detach().mean()) > 0 else self.conv(-images)


@pytest.mark.parametrize("layers", [["relu@0", "second", "relu@1", "first"], ["second"], ["output"]])
def test_it_gives_what_the_network_gives(compiler: Counting, layers: list[str]) -> None:
    with both(as_model(Twice()), layers) as (plain, fast):
        images = torch.rand(2, 3, 16, 16)
        assert_same(seen(plain, images), seen(fast, images))
        with torch.no_grad():
            for name, one in fast(images).items():
                torch.testing.assert_close(one, plain(images)[name])
    assert len(compiler.graphs) == 2  # with gradients, and without


def test_nothing_behind_the_deepest_layer_is_compiled_or_run(compiler: Counting) -> None:
    net = Twice()
    model = as_model(net)
    assert "relu@1" in model.layers
    net.fits = False
    with both(model, ["relu@0"]) as (plain, fast):
        images = torch.rand(1, 3, 16, 16)
        assert_same(seen(plain, images), seen(fast, images))
    (graph,) = compiler.graphs
    assert sum("conv" in str(node.target) for node in graph.graph.nodes if node.op == "call_function") == 1


@pytest.mark.parametrize("layers", [["prob"], ["logits", BLOCK], [f"{BLOCK}[tokens][2]", f"{BLOCK}[class]"]])
def test_scores_and_tokens_are_read_alike(compiler: Counting, layers: list[str]) -> None:
    model = as_model(torchvision_vit(), size=32)
    with both(model, layers, size=32) as (plain, fast):
        images = torch.rand(2, 3, 32, 32)
        assert_same(seen(plain, images), seen(fast, images))


def test_what_is_inside_of_a_layer_is_read_of_the_network_as_it_is(compiler: Counting) -> None:
    model = as_model(torchvision_vit(), size=32)
    heads = [f"{BLOCK}.self_attention[heads]"]
    with pytest.warns(LucidtorchWarning, match="inside of a layer"), both(model, heads, size=32) as (plain, fast):
        assert fast is plain


def test_what_was_compiled_serves_other_copies_with_their_own_numbers(compiler: Counting) -> None:
    images = torch.rand(2, 3, 16, 16)
    for seed in range(3):
        with both(as_model(mixing(seed=seed)), ["4"]) as (plain, fast):
            assert_same(seen(plain, images), seen(fast, images))
    assert len(compiler.graphs) == (1 if compiling.SHARES else 3)
    with both(as_model(mixing()), ["4"], size=20) as (plain, fast):
        larger = torch.rand(2, 3, 20, 20)
        assert_same(seen(plain, larger), seen(fast, larger))
    with both(as_model(mixing()), ["2"]) as (plain, fast):
        assert_same(seen(plain, images), seen(fast, images))
    assert len(compiler.graphs) == (3 if compiling.SHARES else 5)


def test_hooks_of_others_are_heard_as_they_are_now(compiler: Counting) -> None:
    model, images = as_model(mixing()), torch.rand(2, 3, 16, 16)
    handles = []
    for factor in (None, 0.5, -2.0):
        if factor is not None:
            handles.append(model.module[0].register_forward_hook(lambda layer, given, out, by=factor: out * by))
        with both(model, ["4"]) as (plain, fast):
            assert_same(seen(plain, images), seen(fast, images))
    for handle in handles:
        handle.remove()


def test_nothing_stays_on_the_network(
    compiler: Counting, fingerprint: Callable[[nn.Module], dict[str, object]]
) -> None:
    model, images = as_model(mixing()), torch.rand(1, 3, 16, 16)
    before = fingerprint(model.module)
    with contextlib.suppress(KeyboardInterrupt), both(model, ["4"]) as (_, fast):
        seen(fast, images)
        raise KeyboardInterrupt
    assert fingerprint(model.module) == before


def refusing(graph: fx.GraphModule, inputs: list[Tensor]) -> Callable[..., Any]:
    raise RuntimeError("no code for this")


def lying(graph: fx.GraphModule, inputs: list[Tensor]) -> Callable[..., Any]:
    return lambda *given: tuple(one * 1.5 for one in graph.forward(*given))


def failing_later(graph: fx.GraphModule, inputs: list[Tensor]) -> Callable[..., Any]:
    calls = []

    def run(*given: Tensor) -> Any:
        calls.append(given)
        if len(calls) == 3:
            raise RuntimeError("the device is gone")
        return graph.forward(*given)

    return run


@pytest.mark.parametrize(
    ("backend", "said"),
    [(refusing, "no code for this"), (lying, "it gave other numbers"), (failing_later, "the device is gone")],
)
def test_where_the_compiler_fails_the_network_runs_as_it_is(
    monkeypatch: pytest.MonkeyPatch, backend: Backend, said: str
) -> None:
    set_backend(monkeypatch, backend)
    model, images = as_model(mixing()), torch.rand(2, 3, 16, 16)
    with both(model, ["4"]) as (plain, fast):
        expected = seen(plain, images)
        with pytest.warns(LucidtorchWarning, match=f"the network is not compiled.*{said}") as heard:
            found = [seen(fast, images) for _ in range(4)]
        assert len(heard) == 1
    for one in found:
        assert_same(expected, one)
    if compiling.SHARES:  # it is not tried again
        with both(model, ["4"]) as (plain, fast), pytest.warns(LucidtorchWarning, match=said):
            assert_same(seen(plain, images), seen(fast, images))
    compiling._kept_program.cache_clear()


def test_a_network_that_looks_at_numbers_runs_as_it_is(compiler: Counting) -> None:
    images = torch.rand(2, 3, 16, 16)
    with both(as_model(Asking()), ["conv"]) as (plain, fast):
        with pytest.warns(LucidtorchWarning, match="is not compiled"):
            found = seen(fast, images)
        assert_same(seen(plain, images), found)
        assert_same(seen(plain, -images), seen(fast, -images))


def test_a_network_with_random_numbers_runs_as_it_is(compiler: Counting) -> None:
    class Noisy(nn.Sequential):
        def forward(self, images: Tensor) -> Tensor:
            return F.dropout(super().forward(images), training=True)

    said = pytest.warns(LucidtorchWarning, match="it gave other numbers")
    with torch.random.fork_rng(), both(as_model(Noisy(nn.Conv2d(3, 4, 3))), ["output"]) as (_, fast), said:
        fast(torch.rand(2, 3, 16, 16))


@pytest.mark.slow
@pytest.mark.skipif(not (shutil.which("g++") or shutil.which("clang++")), reason="there is no C++ compiler here")
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_with_the_compiler_of_torch(dtype: torch.dtype) -> None:
    compiling._kept_program.cache_clear()
    with warnings.catch_warnings(), both(as_model(mixing()), ["0", "4"]) as (plain, fast):
        warnings.simplefilter("error")
        images = torch.rand(2, 3, 16, 16)
        with torch.autocast("cpu", dtype=dtype, enabled=dtype != torch.float32):
            expected, found = seen(plain, images), seen(fast, images)
    close = {"rtol": 0.0, "atol": 1e-4 if dtype == torch.float32 else 0.05}
    for name, one in expected[0].items():
        torch.testing.assert_close(found[0][name], one, **close)
    torch.testing.assert_close(found[1], expected[1], rtol=0.0, atol=close["atol"] * float(expected[1].abs().max()))
