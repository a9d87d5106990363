"""Checkpointed networks give the pictures of plain ones, and the user's backward hooks run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import timm
import torch
import torch.utils.checkpoint
from small_transformers import timm_vit
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import lucidtorch as lt
from lucidtorch.models.running.frozen import without_checkpoints


class Segments(nn.Module):
    """Two segments of a convolution and a ReLU, checkpointed in the old style (True), the new one (False) or not."""

    def __init__(self, reentrant: bool | None = None) -> None:
        super().__init__()
        self.reentrant = reentrant
        with torch.random.fork_rng():
            torch.manual_seed(0)
            self.a = nn.Sequential(nn.Conv2d(3, 8, 3), nn.ReLU())
            self.b = nn.Sequential(nn.Conv2d(8, 8, 3), nn.ReLU())

    def forward(self, images: Tensor) -> Tensor:
        for part in (self.a, self.b):
            images = part(images) if self.reentrant is None else self._kept(part, images)
        return images

    def _kept(self, part: nn.Module, images: Tensor) -> Tensor:
        found: Tensor = checkpoint(part, images, use_reentrant=self.reentrant)
        return found


def rendered(module: nn.Module, goal: str) -> lt.Rendering:
    model = lt.load_model(module, mean=0, std=1, size=16)
    return lt.render(model, goal, param=lt.param.image(16), transforms="identity()", steps=3, progress=False)


@pytest.mark.parametrize("goal", ["b.1:0", "a.0:2"])
@pytest.mark.parametrize("reentrant", [True, False], ids=["old style", "new style"])
def test_a_checkpointed_network_gives_the_picture_of_the_plain_one(reentrant: bool, goal: str) -> None:
    found, plain = rendered(Segments(reentrant), goal), rendered(Segments(), goal)
    assert torch.equal(found.images, plain.images)
    assert found.values.item() > found.history["objective"][0, 0]


@pytest.mark.parametrize("reentrant", [True, False], ids=["old style", "new style"])
def test_checkpoints_of_others_are_kept(reentrant: bool) -> None:
    calls = []

    def counted(values: Tensor) -> Tensor:
        calls.append(1)
        return values.exp()

    kept = vars(torch.utils.checkpoint).copy()
    values = torch.zeros(1, requires_grad=True)
    with without_checkpoints():
        checkpoint(counted, values, use_reentrant=reentrant).sum().backward()
    assert len(calls) == 1
    assert vars(torch.utils.checkpoint) == kept
    checkpoint(counted, values, use_reentrant=reentrant).sum().backward()
    assert len(calls) == 3


def test_a_full_backward_hook_on_the_target_runs_at_each_step() -> None:
    module, seen = Segments(), list[Tensor]()

    def hook(_: nn.Module, to_input: Any, to_output: Any) -> None:
        assert to_input[0].shape == to_output[0].shape == (1, 8, 12, 12)
        seen.append(to_output[0])

    module.b[1].register_full_backward_hook(hook)
    found = rendered(module, "b.1:0")
    assert len(seen) >= 3
    assert all(torch.allclose(one.sum((2, 3)), -torch.eye(8)[:1], atol=1e-5) for one in seen[:3])
    assert "_compiled_call_impl" not in vars(module.b[1])
    assert torch.equal(found.images, rendered(Segments(), "b.1:0").images)


def timm_resnet() -> nn.Module:
    return timm.create_model("resnet18")


@pytest.mark.parametrize(
    ("build", "goal", "size"),
    [(timm_vit, "blocks.1.mlp.act:3", (32, 48)), (timm_resnet, "layer2.1.act1:3", (32, 32))],
    ids=["vit", "resnet"],
)
def test_checkpointing_of_timm_gives_the_picture_of_the_plain_network(
    build: Callable[[], nn.Module], goal: str, size: tuple[int, int]
) -> None:
    found = []
    for wanted in (False, True):
        with torch.random.fork_rng():
            torch.manual_seed(0)
            module = build().eval()
        module.set_grad_checkpointing(wanted)
        model = lt.load_model(module, mean=0, std=1, size=size)
        param = lt.param.image(size)
        found.append(lt.render(model, goal, param=param, transforms="identity()", steps=3, progress=False))
    plain, kept = found
    assert torch.allclose(kept.images, plain.images, rtol=1e-5, atol=0)
    assert torch.allclose(kept.history["objective"], plain.history["objective"], rtol=1e-5, atol=0)
    assert kept.values.item() > kept.history["objective"][0, 0]
