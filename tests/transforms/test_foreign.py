"""Other libraries' transforms: what they are given of images and of clips, and what they give back."""

from __future__ import annotations

import kornia.augmentation as kornia
import pytest
import torch
from torch import Tensor, nn
from torchvision.transforms import v2

from lucidtorch.base.seeds import generators
from lucidtorch.transforms import Pipeline, jitter, pad


def applied(pipeline: Pipeline, images: Tensor) -> Tensor:
    return pipeline.apply(images, pipeline.sample(images.shape, generators(range(len(images)), "test")))


def test_it_gets_the_frames_of_one_clip_after_another() -> None:
    seen: list[Tensor] = []

    def noted(images: Tensor) -> Tensor:
        seen.append(images)
        return images[..., 1:, 2:]

    clips = torch.rand(2, 3, 5, 9, 12)
    pipeline = Pipeline.of(noted)
    assert pipeline.output_size((5, 9, 12)) == (5, 8, 10)
    seen.clear()  # what was tried to learn the size
    found = applied(pipeline, clips)
    assert torch.equal(found, clips[..., 1:, 2:])
    assert len(seen) == 2
    for clip, frames in zip(clips, seen, strict=True):
        assert torch.equal(frames, clip.transpose(0, 1))
    assert pipeline.output_size((9, 12)) == (8, 10)
    assert len(seen) == 2


def test_its_size_is_found_out_before_any_work() -> None:
    pipeline = pad(2) | nn.AvgPool2d(2) | jitter(3)
    assert pipeline.output_size((7, 12, 20)) == (7, 8, 12)
    assert applied(pipeline, torch.rand(2, 4, 7, 12, 20)).shape == (2, 4, 7, 8, 12)


ALIKE = {
    "torchvision": v2.RandomAffine(degrees=40, translate=(0.2, 0.2)),
    "torchvision colours": v2.ColorJitter(0.5, 0.5, 0.5, 0.2),
    "torchvision crop": v2.RandomCrop(7),
    "kornia": kornia.RandomAffine(40.0, p=1.0, same_on_batch=True),
    "kornia colours": kornia.ColorJitter(0.5, 0.5, 0.5, 0.2, p=1.0, same_on_batch=True),
}


@pytest.mark.parametrize("name", ALIKE)
def test_frames_are_changed_alike_where_a_batch_is(name: str) -> None:
    still = torch.rand(1, 3, 1, 9, 12).expand(2, -1, 6, -1, -1)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        found = applied(Pipeline.of(ALIKE[name]), still)
    assert torch.allclose(found, found[:, :, :1].expand_as(found), atol=1e-6)
    assert not torch.allclose(found[0], found[1], atol=1e-3)


def test_images_go_through_as_one_batch() -> None:
    seen: list[tuple[int, ...]] = []
    applied(Pipeline.of(lambda images: seen.append(tuple(images.shape)) or images), torch.rand(4, 3, 5, 6))
    assert seen[-1] == (4, 3, 5, 6)
    assert seen.count((4, 3, 5, 6)) == 1
