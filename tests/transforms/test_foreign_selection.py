"""A selection of kornia's and torchvision's modules, as they are: images and clips go through, and sizes are known."""

from __future__ import annotations

import warnings

import kornia.augmentation as augmentation
import pytest
import torch
from kornia.filters import MedianBlur
from torch import nn
from torchvision.transforms import v2

from lucidtorch.base.seeds import generators
from lucidtorch.transforms import Pipeline, jitter, pad

WHOLE = {  # modules that keep the size
    "v2.RandomHorizontalFlip": v2.RandomHorizontalFlip(),
    "v2.RandomVerticalFlip": v2.RandomVerticalFlip(),
    "v2.RandomRotation": v2.RandomRotation(20),
    "v2.RandomAffine": v2.RandomAffine(10, (0.1, 0.1), (0.9, 1.1), 5),
    "v2.RandomGrayscale": v2.RandomGrayscale(0.5),
    "v2.ColorJitter without hue": v2.ColorJitter(0.2, 0.2, 0.2),
    "v2.GaussianBlur": v2.GaussianBlur(5),
    "v2.GaussianNoise": v2.GaussianNoise(),
    "v2.RandomErasing": v2.RandomErasing(p=1.0),
    "v2.RandomChannelPermutation": v2.RandomChannelPermutation(),
    "v2.Normalize": v2.Normalize([0.5] * 3, [0.5] * 3),
    "v2.Compose": v2.Compose([v2.Pad(2), v2.CenterCrop((16, 20)), v2.RandomApply([v2.GaussianBlur(3)])]),
    "kornia.RandomHorizontalFlip": augmentation.RandomHorizontalFlip(),
    "kornia.RandomRotation": augmentation.RandomRotation(20.0, p=1.0),
    "kornia.RandomAffine": augmentation.RandomAffine(10.0, (0.1, 0.1), p=1.0),
    "kornia.RandomPerspective": augmentation.RandomPerspective(0.4, p=1.0),
    "kornia.RandomElasticTransform": augmentation.RandomElasticTransform(kernel_size=(5, 5), p=1.0),
    "kornia.RandomThinPlateSpline": augmentation.RandomThinPlateSpline(p=1.0),
    "kornia.ColorJiggle": augmentation.ColorJiggle(0.2, 0.2, 0.2, 0.1, p=1.0),
    "kornia.RandomGaussianBlur": augmentation.RandomGaussianBlur((5, 5), (0.5, 1.0), p=1.0),
    "kornia.RandomGaussianNoise": augmentation.RandomGaussianNoise(p=1.0),
    "kornia.RandomErasing": augmentation.RandomErasing(p=1.0),
    "kornia.RandomSharpness": augmentation.RandomSharpness(p=1.0),
    "kornia.RandomResizedCrop": augmentation.RandomResizedCrop((16, 20), p=1.0),
    "kornia.AugmentationSequential": augmentation.AugmentationSequential(
        augmentation.RandomAffine(5.0, p=1.0), augmentation.RandomHorizontalFlip(), same_on_batch=True
    ),
    "kornia.MedianBlur": MedianBlur((3, 3)),
}
# Modules that change images in place, which torch refuses where a gradient is wanted.
WITHOUT_GRADIENT = {
    "v2.RandomPerspective": v2.RandomPerspective(0.4, p=1.0),
    "v2.ColorJitter": v2.ColorJitter(0.2, 0.2, 0.2, 0.1),
    "v2.RandomAdjustSharpness": v2.RandomAdjustSharpness(2, p=1.0),
}
SIZED = {  # modules that change it, to what
    "v2.Resize": (v2.Resize((24, 30)), (24, 30)),
    "v2.Pad": (v2.Pad([1, 2, 3, 4]), (22, 24)),
    "v2.RandomCrop": (v2.RandomCrop(12), (12, 12)),
    "v2.CenterCrop": (v2.CenterCrop((7, 40)), (7, 40)),
    "v2.RandomResizedCrop": (v2.RandomResizedCrop((18, 14), antialias=True), (18, 14)),
    "kornia.Resize": (augmentation.Resize((24, 30)), (24, 30)),
    "kornia.RandomCrop": (augmentation.RandomCrop((12, 10), p=1.0), (12, 10)),
    "kornia.CenterCrop": (augmentation.CenterCrop((8, 9), p=1.0), (8, 9)),
    "kornia.PadTo": (augmentation.PadTo((40, 44)), (40, 44)),
    "nn.AvgPool2d": (nn.AvgPool2d(2), (8, 10)),
    "nn.Upsample": (nn.Upsample(scale_factor=1.5, mode="bilinear"), (24, 30)),
    "nn.ReflectionPad2d": (nn.ReflectionPad2d(2), (20, 24)),
}
EVERY = {name: (module, (16, 20)) for name, module in WHOLE.items()} | SIZED


@pytest.mark.parametrize("name", EVERY)
@pytest.mark.parametrize("frames", [(), (3,)], ids=["images", "clips"])
def test_it_takes_part_and_its_size_is_known_before_any_work(name: str, frames: tuple[int, ...]) -> None:
    module, size = EVERY[name]
    pipeline = Pipeline.of(module)
    with warnings.catch_warnings(), torch.random.fork_rng(devices=[]):
        warnings.simplefilter("ignore", category=DeprecationWarning)
        torch.manual_seed(0)
        state = torch.get_rng_state()
        assert pipeline.output_size((*frames, 16, 20)) == (*frames, *size)
        assert torch.equal(torch.get_rng_state(), state)
        images = torch.rand(2, 3, *frames, 16, 20).mul(0.8).add(0.1).requires_grad_()
        joined = pad(0) | module | jitter(1)
        found = joined.apply(images, joined.sample(images.shape, generators([0, 1], "test")))
    assert found.shape == (2, 3, *frames, *size)
    assert found.isfinite().all()
    (gradient,) = torch.autograd.grad(found.sum(), images)
    assert gradient.isfinite().all()


def test_what_changes_the_channels_is_known_once_it_was_seen() -> None:
    pipeline = Pipeline.of(v2.Grayscale(1))
    assert pipeline.output_channels(3) == 3
    assert pipeline.apply(torch.rand(2, 3, 5, 5), (torch.zeros(2, 0),)).shape == (2, 1, 5, 5)
    assert pipeline.output_channels(3) == 1


def test_a_module_of_one_channel_is_tried_with_what_it_took_before() -> None:
    pipeline = Pipeline.of(nn.Conv2d(1, 1, 3).requires_grad_(False))
    pipeline.apply(torch.rand(2, 1, 9, 9), (torch.zeros(2, 0),))
    assert pipeline.output_size((20, 30)) == (18, 28)


@pytest.mark.parametrize("name", WITHOUT_GRADIENT)
def test_what_has_no_gradient_serves_to_look_through(name: str) -> None:
    pipeline = Pipeline.of(WITHOUT_GRADIENT[name])
    images = torch.rand(2, 3, 9, 12)
    with torch.random.fork_rng(devices=[]):
        found = pipeline.apply(images, (torch.zeros(2, 0),))
    assert found.shape == (2, 3, *pipeline.output_size((9, 12)))
    assert not torch.equal(found, images)
