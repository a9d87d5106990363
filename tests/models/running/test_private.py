"""A render works on a copy of the network: the owner's is what it was, and hears and counts as if it had run itself."""

from __future__ import annotations

import gc
import weakref
from collections import Counter, deque
from collections.abc import Callable
from typing import Any

import pytest
import torch
from normalized_networks import Pair, blocks, seeded
from small_networks import as_model
from torch import Tensor, nn
from unusual_networks import COPIED, NOT_COPIED, Fixed, scripted

import lucidtorch as lt
from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.models.model import Model
from lucidtorch.models.running.private import private_copy, rearranged

Fingerprint = Callable[[nn.Module], dict[str, object]]
A_TRY, A_LAST_LOOK = 1, 1  # the passes of a render before its first update and after its last
PLAIN: dict[str, Any] = {"channels_last": False, "fold": False, "winograd": False}


def rendered(model: Model, goal: str = "last:1", **more: Any) -> lt.Rendering:
    settings: dict[str, Any] = {"param": lt.param.image(16, batch=2), "steps": 3, "progress": False}
    return lt.render(model, goal, **(settings | more))


def copy_of(module: nn.Module) -> nn.Module:
    made = private_copy(module)
    assert made is not None
    return made


def test_weights_stand_in_memory_once_and_the_copy_learns_nothing() -> None:
    module = seeded(blocks).train()
    made = copy_of(module)
    pairs = list(zip(module.parameters(), made.parameters(), strict=True))
    assert all(own is not other and own.data_ptr() == other.data_ptr() for own, other in pairs)
    assert all(own.requires_grad and not other.requires_grad for own, other in pairs)
    assert not any(part.training for part in made.modules())
    assert all(part.training for part in module.modules())


def test_what_is_laid_out_anew_is_the_copys_own(fingerprint: Fingerprint) -> None:
    module = seeded(Pair)
    before, strides = fingerprint(module), [one.stride() for one in module.parameters()]
    made = rearranged(copy_of(module), (), (), channels_last=True)
    assert made.conv.weight.is_contiguous(memory_format=torch.channels_last)
    assert made.conv.bias.data_ptr() == module.conv.bias.data_ptr()
    assert torch.equal(made.conv.weight, module.conv.weight)
    made.conv.weight.data.zero_()
    assert fingerprint(module) == before
    assert [one.stride() for one in module.parameters()] == strides


@pytest.mark.parametrize("case", COPIED | NOT_COPIED)
def test_unusual_networks_render_as_without_a_copy(case: str, fingerprint: Fingerprint) -> None:
    module = seeded((COPIED | NOT_COPIED)[case])
    model = as_model(module)
    plain = rendered(model, engine=lt.Engine(**PLAIN))
    before = fingerprint(module)
    made = rendered(model)
    assert fingerprint(module) == before
    assert torch.allclose(made.images, plain.images, atol=1e-4)
    assert torch.allclose(made.values, plain.values, atol=1e-4)
    assert (model.private([model.layers.resolve("last")]) is model) == (case in NOT_COPIED)


def test_a_scripted_part_is_not_copied() -> None:
    model = as_model(seeded(scripted))
    assert model.private([model.layers.resolve("last")]) is model
    assert torch.equal(rendered(model).images, rendered(model, engine=lt.Engine(**PLAIN)).images)


def test_a_network_that_refuses_eval_mode_is_copied() -> None:
    module = Fixed()
    for part in module.modules():
        part.training = False
    assert not any(part.training for part in copy_of(module).modules())


def test_a_network_without_convolutions_or_with_every_switch_off_is_used_itself() -> None:
    flat = as_model(nn.Sequential(nn.Flatten(), nn.Linear(3 * 16 * 16, 4)))
    assert flat.private([flat.layers.resolve("1")]) is flat
    model = as_model(seeded(Pair))
    addresses = [model.layers.resolve("last")]
    assert model.private(addresses, **PLAIN) is model
    assert model.private([]) is model
    assert model.private(addresses) is not model
    assert model.private(addresses).module is not model.module


class Counting(Pair):
    """It counts its passes in every way that modules do."""

    def __init__(self) -> None:
        super().__init__()
        self.passes = 0
        self.sizes: list[int] = []
        self.latest: deque[int] = deque(maxlen=2)
        self.kinds: Counter[str] = Counter()

    def forward(self, images: Tensor) -> Tensor:
        self.passes += 1
        self.sizes.append(len(images))
        self.latest.append(len(images))
        self.kinds["images"] += len(images)
        self.first = len(self.sizes) == 1
        return super().forward(images)


def test_what_modules_count_the_owner_finds() -> None:
    module = seeded(Counting)
    model = as_model(module)
    rendered(model)  # whatever is looked up once is looked up now
    passes, noted, images = module.passes, len(module.sizes), module.kinds["images"]
    rendered(model, steps=5)
    assert module.passes - passes == len(module.sizes) - noted == A_TRY + 5 + A_LAST_LOOK
    assert module.sizes[noted:] == [1, 2, 2, 2, 2, 2, 2]
    assert module.kinds["images"] - images == 13
    assert list(module.latest) == module.sizes[-2:]
    assert module.first is False


def test_hooks_of_the_owner_hear_every_pass_and_what_they_count_stays() -> None:
    module = seeded(Pair)
    model = as_model(module)
    heard: list[tuple[int, ...]] = []
    module.heard = 0
    module.conv.register_forward_hook(lambda layer, inputs, output: heard.append(tuple(output.shape)))
    module.conv.register_forward_pre_hook(lambda *_: setattr(module, "heard", int(module.heard) + 1))
    rendered(model, steps=5, transforms="identity()")
    assert heard[-6:] == [(2, 6, 14, 14)] * 6
    assert module.heard == len(heard)


def test_hooks_that_are_methods_of_somebody_else_are_his() -> None:
    class Listener:
        def __init__(self) -> None:
            self.count = 0

        def hear(self, layer: nn.Module, inputs: object, output: object) -> None:
            self.count += 1

    module, listener = seeded(Pair), Listener()
    handle = module.conv.register_forward_hook(listener.hear)
    model = as_model(module)
    rendered(model)
    before = listener.count
    rendered(model, steps=5)
    assert listener.count - before == A_TRY + 5 + A_LAST_LOOK
    handle.remove()


@pytest.mark.parametrize("error", [ValueError("its own"), KeyboardInterrupt(), torch.OutOfMemoryError("its own")])
def test_the_owners_network_is_what_it_was_after_anything(error: BaseException, fingerprint: Fingerprint) -> None:
    class Failing(Pair):
        passes = 0

        def between(self, images: Tensor) -> Tensor:
            Failing.passes += images.requires_grad
            if Failing.passes == 3:
                raise error
            return super().between(images)

    module = seeded(Failing).train()
    module.last.weight.requires_grad_(False)
    model = as_model(module)
    before = fingerprint(module)
    if isinstance(error, ValueError):
        with pytest.raises(ValueError, match="its own"):
            rendered(model, steps=9)
    elif isinstance(error, KeyboardInterrupt):
        assert rendered(model, steps=9).interrupted
    else:
        with pytest.warns(LucidtorchWarning, match="Out of memory with 2"):
            rendered(model, steps=9)
    assert fingerprint(module) == before


def test_copies_go_with_their_render() -> None:
    class Known(Pair):
        made: list[weakref.ref[nn.Module]]

        def forward(self, images: Tensor) -> Tensor:
            if self.made[-1]() is not self:
                self.made.append(weakref.ref(self))
            return super().forward(images)

    Known.made = [lambda: None]  # type: ignore[list-item]
    module = seeded(Known)
    model = as_model(module)
    for _ in range(20):
        rendered(model, steps=1)
    gc.collect()
    left = [one() for one in Known.made if one() is not None and one() is not module]
    assert left == []
    assert len(Known.made) > 20  # there was a copy for each
