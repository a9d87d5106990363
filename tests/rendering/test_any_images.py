"""Non-square, odd, one-channel and many-channel images are rendered like any others."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import kornia.augmentation as kornia
import numpy as np
import pytest
import torch
from PIL import Image
from small_networks import as_model, mixing
from torch import Tensor, nn
from torchvision.transforms import v2

import lucidtorch as lt
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model


def rendered(model: Any, goal: Any, size: Any, **more: Any) -> lt.Rendering:
    settings = {"param": lt.param.image(size, batch=2, channels=model.convention.channels)} | more
    return lt.render(model, goal, steps=2, progress=False, **settings)


@pytest.mark.parametrize("size", [(32, 48), (33, 47), (47, 32), (16, 61), 31])
@pytest.mark.parametrize("channels", [1, 2, 3, 4, 7, 24])
@pytest.mark.parametrize("transforms", [None, "identity()"])
def test_any_size_and_number_of_channels(size: Any, channels: int, transforms: str | None, tmp_path: Path) -> None:
    model = as_model(mixing(channels), channels=channels)
    found = rendered(model, "4:[0, 1] - diversity('4') - 0.1 * total_variation()", size, transforms=transforms)
    height, width = (size, size) if isinstance(size, int) else size
    assert found.images.shape == (2, channels, height, width)
    assert found.images.isfinite().all()
    assert found.images.min() >= 0
    assert found.images.max() <= 1
    assert not torch.equal(found.images[0], found.images[1])
    canvas = [height, width] if transforms else [height + 24, width + 24]
    assert found.recipe["canvas"] == canvas
    with Image.open(found.save(tmp_path / "x.png")) as picture:
        assert picture.mode == ("L" if channels == 1 else "RGB")
        assert picture.size == (2 * width + 2, height)


@pytest.mark.parametrize("size", [(64, 96), (65, 97)])
def test_real_networks_take_any_size(size: tuple[int, int], demo: Model, resnet18: Model) -> None:
    for model, layer in ((demo, "conv4_1"), (resnet18, "layer4.1.conv2")):
        found = rendered(model, f"{layer}:0", size)
        assert found.images.shape == (2, 3, *size)


def test_the_network_of_digits_has_one_channel() -> None:
    model = load_model("digits", weights="random", device="cpu")
    found = lt.render(model, "logit(3)", steps=2, progress=False)
    assert found.images.shape == (1, 1, 32, 32)


def test_four_heads_are_rendered() -> None:
    model = load_model("lines", weights="random", device="cpu")
    layer = next(iter(model.layers))
    assert lt.render(model, lt.objectives.channel(layer, 0), steps=1, progress=False).images.shape[1] == 3


def test_the_default_size_is_the_networks() -> None:
    assert lt.render(as_model(mixing(), size=(20, 28)), "0:0", steps=1, progress=False).images.shape == (1, 3, 20, 28)


def test_each_image_of_an_objective_gets_a_picture(demo: Model) -> None:
    found = lt.render(demo, "conv1_1:[0, 1, 2]", param=lt.param.image(32), steps=1, progress=False)
    assert found.images.shape[0] == 3


def test_on_may_speak_of_fewer_images_than_there_are(demo: Model) -> None:
    param = lt.param.image(32, batch=3)
    found = lt.render(demo, "conv1_1:0 + conv1_1:1.on(1)", param=param, steps=2, progress=False)
    plain = lt.render(demo, "conv1_1:0", param=param, steps=2, progress=False)
    assert torch.equal(found.images[[0, 2]], plain.images[[0, 2]])
    assert not torch.equal(found.images[1], plain.images[1])


def draws_from_everywhere(images: Tensor) -> Tensor:
    """A callable that takes its randomness from three global states."""
    shifts = random.randrange(1, 9), int(np.random.randint(1, 9)), int(torch.randint(1, 9, (1,)))
    return images.roll(shifts[0], 2).roll(shifts[1], 3) * images.roll(shifts[2], 2)


FOREIGN = {
    "torchvision": v2.RandomAffine(degrees=15, translate=(0.1, 0.1), scale=(0.8, 1.2)),
    "torchvision blur": v2.GaussianBlur(3, sigma=(0.5, 1.5)),
    "torchvision compose": v2.Compose([v2.RandomHorizontalFlip(), v2.RandomErasing(p=1.0)]),
    "torchvision crop": v2.RandomCrop(24),
    "kornia": kornia.RandomAffine(15.0, p=1.0),
    "kornia noise": kornia.RandomGaussianNoise(std=0.05, p=1.0),
    "kornia sequence": kornia.AugmentationSequential(kornia.RandomHorizontalFlip(), kornia.RandomRotation(10.0)),
    "plain function": draws_from_everywhere,
    "module": nn.AvgPool2d(2),
}


@pytest.mark.parametrize("name", FOREIGN)
def test_foreign_transforms_work_and_are_reproducible(name: str, fingerprint: Any) -> None:
    model = as_model(mixing())
    pipeline = lt.transforms.pad(4) | FOREIGN[name] | lt.transforms.jitter(2)
    before = fingerprint(model.module)
    first = rendered(model, "4:0", 32, transforms=pipeline)
    assert fingerprint(model.module) == before
    torch.rand(3), np.random.rand(3)
    second = rendered(model, "4:0", 32, transforms=pipeline)
    assert torch.equal(first.images, second.images)
    plain = rendered(model, "4:0", 32, transforms=lt.transforms.pad(4) | lt.transforms.jitter(2))
    assert not torch.equal(first.images, plain.images)
    assert first.recipe["transforms"] is None


def test_foreign_randomness_changes_from_step_to_step() -> None:
    seen: list[Tensor] = []

    def noted(images: Tensor) -> Tensor:
        if images.requires_grad:
            seen.append(torch.rand(3))
        return images

    rendered(as_model(mixing()), "4:0", 16, transforms=noted)
    assert len(seen) == 2
    assert not torch.equal(seen[0], seen[1])


def test_a_foreign_transform_sees_the_images_own_channels() -> None:
    blur = nn.Conv2d(1, 1, 3, padding=1).requires_grad_(False)
    model = as_model(mixing(1), channels=1)
    assert rendered(model, "4:0", 16, transforms=blur).images.shape == (2, 1, 16, 16)
