"""Named pipelines."""

from __future__ import annotations

from lucidtorch.base.checks import checked
from lucidtorch.base.sizes import SizeLike, Views, size_pair
from lucidtorch.transforms.distortions import random_crop, rotate, scale
from lucidtorch.transforms.geometry import OddCut, crop_or_pad_to, jitter, pad
from lucidtorch.transforms.noises import noise, uniform_noise
from lucidtorch.transforms.ranges import Group, powers, span
from lucidtorch.transforms.transform import Pipeline

ATLAS_SCALES = powers(0.998, 20, 39)
ATLAS_ANGLES: tuple[Group | float, ...] = (span(-20, 19), span(-10, 9), span(-5, 4), 0, 0, 0, 0, 0)


def identity() -> Pipeline:
    """No transform.

    Formula: out = in.
    Source: no transforms at all.
    """
    return Pipeline()


def standard() -> Pipeline:
    """Lucid's standard robustness pipeline, as one warp per image, with an output 24 pixels larger than the image.

    Formula: pad(12) | jitter(8) | scale(0.9, 1.1) | rotate(-10, 10) | jitter(4).
    Source: Lucid's `standard_transforms`, with ranges instead of its lists.
    """
    return Pipeline((pad(12), jitter(8), scale(0.9, 1.1), rotate(-10, 10), jitter(4)))


@checked
def strong(size: SizeLike | None = None, *, odd_cut: OddCut = "end") -> Pipeline:
    """A stronger pipeline, with many small shifts and some large rotations.

    Formula: pad(2) | ten times jitter(4) | scale by .995^n, n = -5 ... 79, or twice as likely .998^n, n = 20 ... 39 |
        rotate by -20 ... 19, -10 ... 9, -5 ... 4 or five times 0 | jitter(2).
    Source: `TransformationRobustness` of captum's optim.

    Args:
        size: The size to crop or pad to at the end, one number or height and width; None for no crop.
        odd_cut: As for `crop_or_pad_to`.
    """
    scales = (powers(0.995, -5, 79), ATLAS_SCALES, ATLAS_SCALES)
    shifts = (jitter(4),) * 10
    return Pipeline((pad(2), *shifts, scale(scales), rotate(ATLAS_ANGLES), jitter(2), *_ending(size, odd_cut)))


@checked
def atlas(size: SizeLike | None = None, *, odd_cut: OddCut = "end") -> Pipeline:
    """The pipeline of the icons of activation atlases: a wide border, many shifts, slight scaling, small rotations.

    Formula: pad(16) | jitter(4) twice | jitter(8) three times | scale by .998^n, n = 20 ... 39 | rotate by -20 ... 19,
        -10 ... 9, -5 ... 4 or five times 0 | jitter(2).
    Source: the icons of Lucid's activation atlases.

    Args:
        size: The size to crop or pad to at the end, which is that of the image in the original, one number or height
            and width; None for no crop.
        odd_cut: As for `crop_or_pad_to`.
    """
    shifts = (jitter(4), jitter(4), jitter(8), jitter(8), jitter(8))
    warps = scale((ATLAS_SCALES,)), rotate(ATLAS_ANGLES)
    return Pipeline((pad(16), *shifts, *warps, jitter(2), *_ending(size, odd_cut)))


@checked
def crops(views: Views = 6, *, size: SizeLike | None = None) -> Pipeline:
    """MACO's pipeline: several random boxes of the image per step, of decreasing size, with noise.

    Formula: random_crop(0.5, 0.5, sd=0.05, end=0.05, views=views, size=size) | noise(0.08) | uniform_noise(0.04).
    Source: MACO (Fel et al. 2023): Xplique's has 32 boxes per step, Horama's 6.

    Args:
        views: The number of boxes per image and step.
        size: The size of the resized boxes, one number or height and width; None for that of the image.
    """
    boxes = random_crop(0.5, 0.5, sd=0.05, end=0.05, size=size, views=views)
    return Pipeline((boxes, noise(0.08), uniform_noise(0.04)))


def _ending(size: SizeLike | None, odd_cut: OddCut) -> tuple[crop_or_pad_to, ...]:
    return () if size is None else (crop_or_pad_to(*size_pair(size), odd_cut=odd_cut),)
