from __future__ import annotations

import copy

import pytest
import torch
from small_transformers import torchvision_vit
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import RenderError, UnknownLayerError
from lucidtorch.models.backward import backward
from lucidtorch.models.model import Model
from lucidtorch.objectives import channel

BLOCK = "encoder.layers.encoder_layer_0"


def by_hooks(net: nn.Module, layer: str, images: Tensor, logit: int) -> tuple[Tensor, Tensor]:
    """The gradients of a logit to a module's own output and to the images, by a plain hook on a copy."""
    seen = {}
    own = copy.deepcopy(net).eval()
    own.get_submodule(layer).register_forward_hook(lambda module, given, found: seen.update(found=found))
    pixels = images.clone().requires_grad_(True)
    own((pixels - 0.5) / 0.5)[:, logit].sum().backward(retain_graph=True, inputs=[pixels])
    score = own((pixels - 0.5) / 0.5)[:, logit].sum()
    (grad,) = torch.autograd.grad(score, seen["found"])
    return grad, pixels.grad if pixels.grad is not None else torch.zeros(0)


@pytest.fixture
def vit() -> Model:
    torch.manual_seed(0)
    return lt.load_model(torchvision_vit().eval(), mean=0.5, std=0.5, size=32)


def test_gradients_to_a_plain_layer_and_to_the_image_are_those_of_hooks(demo: Model) -> None:
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    found = backward(demo, images, channel("logits", 3), ["logits"], ["input", "relu3_1", "conv2_1"])
    pixels = images.clone().requires_grad_(True)
    score = demo.module(demo.normalize(pixels))[:, 3]
    torch.testing.assert_close(found.score, score.detach())
    torch.testing.assert_close(found.gradients["input"], torch.autograd.grad(score.sum(), pixels)[0])
    assert found.gradients["relu3_1"].shape == found.activations["relu3_1"].shape == (2, 96, 4, 4)
    assert all(weight.grad is None and weight.requires_grad for weight in demo.module.parameters())


def test_gradients_to_tokens_come_as_a_map(vit: Model) -> None:
    images = torch.rand(2, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    whole, pixels = by_hooks(vit.module, BLOCK, images, 2)
    found = backward(vit, images, channel("logits", 2), ["logits"], ["input", BLOCK])
    torch.testing.assert_close(found.gradients[BLOCK], whole[:, 1:].transpose(1, 2).unflatten(2, (4, 4)))
    torch.testing.assert_close(found.gradients["input"], pixels)
    assert float(found.gradients[BLOCK].abs().max()) > 0


@pytest.mark.parametrize(("view", "tokens"), [("[class]", 0), ("[tokens][5]", 5)])
def test_gradients_to_some_tokens_leave_the_rest_of_the_way_as_it_was(vit: Model, view: str, tokens: int) -> None:
    images = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    whole, pixels = by_hooks(vit.module, BLOCK, images, 1)
    found = backward(vit, images, channel("logits", 1), ["logits"], ["input", f"{BLOCK}{view}"])
    torch.testing.assert_close(found.gradients[f"{BLOCK}{view}"], whole[:, tokens])
    torch.testing.assert_close(found.gradients["input"], pixels)


def test_a_layer_that_the_score_does_not_depend_on_has_no_gradient(demo: Model) -> None:
    images = torch.rand(1, 3, 32, 32, generator=torch.Generator().manual_seed(1))
    found = backward(demo, images, channel("conv1_1", 0), ["conv1_1"], ["input", "conv3_1"])
    assert not bool(found.gradients["conv3_1"].any())
    assert bool(found.gradients["input"].any())


@pytest.mark.parametrize("layer", ["prob", f"{BLOCK}.self_attention[heads][0]"])
def test_what_the_network_does_not_go_on_with_is_refused(vit: Model, layer: str) -> None:
    with pytest.raises(RenderError, match="only a part of what"):
        backward(vit, torch.rand(1, 3, 32, 32), channel("logits", 0), ["logits"], [layer])


def test_two_readings_of_one_output_are_refused(vit: Model) -> None:
    with pytest.raises(RenderError, match="one gradient of"):
        backward(vit, torch.rand(1, 3, 32, 32), channel("logits", 0), ["logits"], [BLOCK, f"{BLOCK}[class]"])


def test_a_wrong_layer_is_refused_and_leaves_the_network_as_it_was(demo: Model) -> None:
    with pytest.raises(UnknownLayerError, match="conv9_9"):
        backward(demo, torch.rand(1, 3, 32, 32), channel("conv9_9", 0), ["conv9_9"])
    assert not any(module._forward_hooks for module in demo.module.modules())
