"""What is computed does not depend on the caller's autocast, default type and device, inference mode, or threads."""

from __future__ import annotations

import contextlib
import dataclasses
import re
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from fuzz_tools import Call, calls, furnish
from small_networks import as_model, mixing
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import WeightsError
from lucidtorch.base.surroundings import pinned
from lucidtorch.models.model import Model
from lucidtorch.rendering.loop import Step

SIDE, STEPS, THREADS = 20, 3, 4
CHANGING = ("load_source", "umap")  # what gives no value of its own, and what compiles for half a minute
SLOW = ("recipes.", "gallery")
FAST_RECIPES = ("recipes.activations", "recipes.heatmap", "recipes.inversion", "recipes.read_recipe")


@contextlib.contextmanager
def of_type(kind: torch.dtype) -> Iterator[None]:
    before = torch.get_default_dtype()
    torch.set_default_dtype(kind)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextlib.contextmanager
def on_meta() -> Iterator[None]:
    torch.set_default_device("meta")
    try:
        yield
    finally:
        torch.set_default_device(None)


SURROUNDINGS: dict[str, Callable[[], contextlib.AbstractContextManager[object]]] = {
    "autocast": lambda: torch.autocast("cpu", dtype=torch.bfloat16),
    "float64": lambda: of_type(torch.float64),
    "float16": lambda: of_type(torch.float16),
    "meta by default": on_meta,
    "with meta": lambda: torch.device("meta"),
    "inference mode": torch.inference_mode,
    "no_grad": torch.no_grad,
}
each_surrounding = pytest.mark.parametrize("around", SURROUNDINGS.values(), ids=SURROUNDINGS)


@contextlib.contextmanager
def all_at_once() -> Iterator[None]:
    with contextlib.ExitStack() as held:
        for name in ("autocast", "float64", "meta by default", "inference mode"):
            held.enter_context(SURROUNDINGS[name]())
        yield


def rendered(model: Any, **more: Any) -> bytes:
    words = {"param": lt.param.image(SIDE, batch=2, channels=3), "steps": STEPS, "progress": False, **more}
    found = lt.render(model, "4:1 - 0.1 * deepdream('4')", **words)
    return b"".join(one.numpy().tobytes() for one in (found.images, found.values, *found.history.values()))


def stepped(model: Model) -> bytes:
    param = lt.param.image(SIDE, batch=2, channels=3)
    steps = lt.optimize(model, "4:1", param=param, transforms=lt.transforms.jitter(2), steps=STEPS)
    return b"".join(step.images.numpy().tobytes() for step in steps)


@each_surrounding
def test_a_render_has_the_bytes_of_the_plain_call(around: Callable[[], Any]) -> None:
    plain = rendered(as_model(mixing(), size=SIDE))
    model = as_model(mixing(), size=SIDE)
    with around():
        found = rendered(model)
    assert found == plain


@each_surrounding
def test_so_has_every_step_from_outside(around: Callable[[], Any]) -> None:
    plain = stepped(as_model(mixing(), size=SIDE))
    model = as_model(mixing(), size=SIDE)
    with around():
        found = stepped(model)
    assert found == plain


@each_surrounding
def test_the_surroundings_are_given_back(around: Callable[[], Any]) -> None:
    def now() -> tuple[object, ...]:
        made = torch.empty(0)
        on = torch.is_autocast_enabled("cpu"), torch.is_inference_mode_enabled(), torch.is_grad_enabled()
        return made.dtype, made.device, on

    model = as_model(mixing(), size=SIDE)
    seen = []
    with around():
        before = now()
        for _ in lt.optimize(model, "4:1", param=lt.param.image(SIDE), steps=2):
            seen.append(now())
        with contextlib.suppress(ZeroDivisionError), pinned():
            seen.append((now(), 1 / 0))
        assert now() == before
    assert seen == [before] * 2


def test_an_objective_alone_is_not_rounded_by_an_autocast() -> None:
    maps = torch.rand(2, 3, 4, 4, generator=torch.Generator().manual_seed(0))
    goal = lt.objectives.direction("a", [0.3, 0.2, 0.1])
    with torch.autocast("cpu", dtype=torch.bfloat16):
        found = goal({"a": maps})
    by_hand = (maps.double() * torch.tensor([0.3, 0.2, 0.1]).double()[:, None, None]).sum(1).mean((1, 2))
    assert found.dtype == torch.float32
    scale = float(found[0] / by_hand[0])  # a direction is of length 1
    torch.testing.assert_close(found.double(), by_hand * scale, rtol=1e-6, atol=0)


@pytest.mark.parametrize("shared", [True, False], ids=["a copy", "the network itself"])
def test_four_threads_with_one_model_give_the_bytes_of_the_plain_call(shared: bool) -> None:
    """Also where the network cannot be copied, so that all threads hook into the same modules."""

    def network() -> Model:
        module: nn.Module = mixing() if shared else Uncopied(mixing())
        return as_model(module, size=SIDE)

    plain = rendered(network())
    model = network()
    gate = threading.Barrier(THREADS)
    found: list[object] = []

    def work() -> None:
        gate.wait()
        try:
            found.append(rendered(model) == plain)
        except BaseException as error:  # noqa: BLE001  # what ends a pass is no Exception
            found.append(repr(error))

    threads = [threading.Thread(target=work) for _ in range(THREADS)]
    for one in threads:
        one.start()
    for one in threads:
        one.join()
    assert found == [True] * THREADS
    assert all(part.training for part in model.module.modules())
    assert all(weight.requires_grad for weight in model.module.parameters())


class Uncopied(nn.Sequential):
    """A network that cannot be copied."""

    def __init__(self, module: nn.Sequential) -> None:
        super().__init__(*module)

    def __deepcopy__(self, memo: object) -> nn.Module:
        raise TypeError("this one is unique")


def test_the_owner_may_run_the_network_while_a_pass_of_ours_runs() -> None:
    """Another thread's own call goes through to its end, and what it gives is not taken for ours."""
    inside, done = threading.Event(), threading.Event()
    given: list[Tensor] = []

    class Waiting(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.first, self.last = nn.Conv2d(3, 4, 1), nn.Conv2d(4, 4, 1)

        def forward(self, images: Tensor) -> Tensor:
            values = self.first(images)
            if threading.current_thread() is not owner and watched:
                inside.set()
                done.wait(10)
            return self.last(values)

    def own_call() -> None:
        inside.wait(10)
        try:
            given.append(module(torch.ones(1, 3, 4, 4)))
        finally:
            done.set()

    owner = threading.Thread(target=own_call)
    watched: list[bool] = []
    module = Waiting()
    model = as_model(module, size=4)
    images = torch.zeros(1, 3, 4, 4)
    plain = model.activations(images, "last")["last"]
    watched.append(True)
    owner.start()
    found = model.activations(images, "last")["last"]
    owner.join()
    assert torch.equal(found, plain)
    assert torch.equal(given[0], module(torch.ones(1, 3, 4, 4)))


def test_weights_of_inference_mode_render_from_a_copy() -> None:
    plain = rendered(as_model(mixing(), size=SIDE))
    with torch.inference_mode():
        module = mixing()
    assert rendered(as_model(module, size=SIDE)) == plain


def test_they_are_refused_in_words_where_there_is_no_copy() -> None:
    with torch.inference_mode():
        module = Uncopied(mixing())
    with pytest.raises(WeightsError, match=r"made under torch\.inference_mode\(\).*build or load the network outside"):
        rendered(as_model(module, size=SIDE))


@pytest.fixture
def room(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        furnish(tmp_path)
    return tmp_path


def marked(call: Call) -> Any:
    slow = call.name.startswith(SLOW) and call.name not in FAST_RECIPES
    return pytest.param(call, id=call.name, marks=[pytest.mark.slow] if slow else [])


@pytest.mark.parametrize("call", [marked(one) for one in calls() if not one.name.endswith(CHANGING)])
def test_every_public_call_gives_the_same_in_other_surroundings(call: Call, room: Path) -> None:
    written = [name for name in ("output", "folder") if name in call.arguments and "load" not in call.name]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of the autocast, and what the call itself has to say
        plain = value_of(call(dict.fromkeys(written, "plain")))
        with all_at_once():
            found = call(dict.fromkeys(written, "found"))
            found = list(found) if isinstance(found, lt.datasets.Collection) or call.name == "optimize" else found
        assert value_of(found) == plain


def value_of(given: Any) -> object:
    """What a call gave, as something that can be compared: arrays by type and bytes, files by what they hold."""
    if isinstance(given, Tensor | np.ndarray):
        array = given.detach().numpy() if isinstance(given, Tensor) else given
        return str(array.dtype), array.shape, array.tobytes()
    if isinstance(given, dict):
        return [(key, value_of(one)) for key, one in given.items()]
    for kind, parts in PARTS.items():
        if isinstance(given, kind):
            return [value_of(one) for one in parts(given)]
    if dataclasses.is_dataclass(given) and not isinstance(given, type):
        return [value_of(getattr(given, one.name)) for one in dataclasses.fields(given)]
    return re.sub(" at 0x[0-9a-f]+", "", repr(given))


def parts_of_param(param: lt.param.Param) -> list[object]:
    made = param.resized(batch=param.batch)
    made.fill(range(param.batch))
    return [repr(made), made()]


def parts_of_model(model: Model) -> list[object]:
    images = torch.linspace(0, 1, 3 * 32 * 32).reshape(1, 3, 32, 32)
    return [model.activations(images, "conv2_1"), *model.module.state_dict().values()]


def parts_of_folder(folder: Path) -> list[object]:
    files = [folder] if folder.is_file() else sorted(one for one in folder.rglob("*") if one.suffix in PICTURES)
    return [(one.name, one.read_bytes()) for one in files]


PICTURES = (".png", ".npz", ".npy", ".gif")
PARTS: dict[Any, Callable[[Any], Iterable[object]]] = {
    lt.Rendering: lambda one: [one.images, one.values, one.history],
    lt.recipes.Run: lambda one: parts_of_folder(one.folder),
    lt.param.Param: parts_of_param,
    Model: parts_of_model,
    Path: parts_of_folder,
    Step: lambda one: [one.images, one.values],
    lt.datasets.Scan: lambda one: [one.checksum, one.network, *(layer.moments for layer in one.layers.values())],
    lt.datasets.Collection: list,
    list: lambda one: one,
    tuple: lambda one: one,
    Iterator: list,
}
