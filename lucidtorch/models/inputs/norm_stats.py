"""Whether natural images at the first batch norm fit its running statistics: a check of mean, std and range."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import Generator, Tensor, nn

from lucidtorch.base.natural_images import IMAGENET_MEAN, IMAGENET_ROOT, IMAGENET_STD, amplitudes
from lucidtorch.models.inputs.convention import InputConvention, Normalization
from lucidtorch.models.running.frozen import probing

SHARED, OWN = 0.25, 0.08  # of the pixels' standard deviation: what all bands have in common, and what each has alone
FASTEST = 2  # pixels per frame
SETTLED = 100  # passes after which running statistics have forgotten what they started from
MOST_BEFORE = 2  # convolutions before the batch norm, beyond which pictures without shapes in them are no measure
MOST_IMAGES, FEWEST_IMAGES = 8, 2
PIXELS = 4 * 224 * 224  # of all images together, as far as there are enough images
MOST_PIXELS = 600 * 600  # of one image; larger ones, and volumes above all, are tried smaller
STEP = 16  # pixels, of the sides of those
IDENTITY = 0.01  # statistics closer than this to mean 0 and variance 1 are those of a folded or untrained layer
GROSS = 16.0
"""How far from its training a batch norm has to be for a warning: a factor of the spread, or standard deviations.

Right conventions are far below: 0.96 times as wide and 0.05 off in a ResNet-20 for CIFAR-10 with its own statistics;
1.1 to 1.8 times and at most 0.07 off after the first convolutions of SqueezeNet, MobileNetV2 and VGG-19. So are mild
errors: [0, 1] without mean and std instead of ImageNet's is 2.4 to 4.5 times narrower and at most 0.23 off; mean 0
instead of ImageNet's at most 0.8 off. Gross ones are above: [0, 255] instead of ImageNet's is 56 to 105 times wider;
406 for 0.406 in the mean 56 to 641 standard deviations off. One wrong std hardly shows (0.7 to 1.8 times).
"""
FITTING, CLOSE = 4.0, 2.0  # up to which a usual convention is said to fit, and to fit as well as any


def natural_images(channels: int, sides: Sequence[int], count: int, *, seed: int = 0) -> Tensor:
    """Draw pictures with nature's spectrum, 1 / f, and ImageNet's colours; other channels mostly share brightness."""
    generator = torch.Generator().manual_seed(seed)
    mixing, mean = _colours(channels)
    fields = _fields(count, mixing.shape[1], (sides[-2], sides[-1]), generator)
    pictures = (torch.einsum("ij,bjhw->bihw", mixing, fields) + mean.view(-1, 1, 1)).clamp(0, 1).float()
    return pictures if len(sides) == 2 else _moving(pictures, sides[0], generator)


def _colours(channels: int) -> tuple[Tensor, Tensor]:
    """The axes along which the channels vary together, as columns, and their mean."""
    if channels == len(IMAGENET_MEAN):
        return torch.tensor(IMAGENET_ROOT, dtype=torch.float64), torch.tensor(IMAGENET_MEAN, dtype=torch.float64)
    shared = torch.full((channels, 1), SHARED, dtype=torch.float64)
    own = torch.eye(channels, dtype=torch.float64) * OWN
    grey = sum(IMAGENET_MEAN) / len(IMAGENET_MEAN)
    return torch.cat([shared, own], dim=1), torch.full((channels,), grey, dtype=torch.float64)


def _fields(count: int, axes: int, plane: tuple[int, int], generator: Generator) -> Tensor:
    """Random fields with nature's spectrum, of mean 0 and standard deviation 1 over all."""
    weights = amplitudes(plane, 1.0)
    noise = torch.randn(count, axes, *weights.shape, 2, dtype=torch.float64, generator=generator)
    fields: Tensor = torch.fft.irfft2(torch.view_as_complex(noise) * weights, s=plane, norm="ortho")
    return fields / fields.square().mean().sqrt()


def _moving(pictures: Tensor, frames: int, generator: Generator) -> Tensor:
    speeds = torch.randint(-FASTEST, FASTEST + 1, (len(pictures), 2), generator=generator).tolist()
    clips = [
        torch.stack([picture.roll((down * frame, right * frame), (1, 2)) for frame in range(frames)], dim=1)
        for picture, (down, right) in zip(pictures, speeds, strict=True)
    ]
    return torch.stack(clips)


@dataclass(frozen=True, slots=True)
class NormStatsCheck:
    """Natural images at a batch norm, compared with its running statistics; medians over its channels."""

    layer: str
    spread: float  # their standard deviation, divided by that of training
    shift: float  # how far their mean is from that of training, in standard deviations of training

    @property
    def factor(self) -> float:
        """How many times wider or narrower they are, from 1."""
        return max(self.spread, 1 / self.spread)


def check_norm_stats(
    module: nn.Module, feed: Callable[[Tensor], object], convention: InputConvention
) -> NormStatsCheck | None:
    """Run natural pictures up to the first batch norm of a network, and compare."""
    weight = next((one for one in module.parameters() if one.is_floating_point()), None)
    scripted = any(isinstance(part, torch.jit.ScriptModule) for part in module.modules())
    if weight is None or weight.is_meta or scripted or not any(_is_settled(part) for part in module.modules()):
        return None
    sides = _affordable(convention.size)
    count = max(FEWEST_IMAGES, min(MOST_IMAGES, PIXELS // math.prod(sides)))
    images = natural_images(convention.channels, sides, count).to(weight.device, weight.dtype)
    found: list[NormStatsCheck | None] = []
    before: list[nn.Module] = []

    def note(name: str, part: nn.Module, inputs: tuple[object, ...]) -> None:
        if not _is_batch_norm(part):
            before.append(part)
            return
        near = len(before) <= MOST_BEFORE and all(isinstance(one, nn.Conv2d | nn.Conv3d) for one in before)
        if near and _is_settled(part) and inputs and isinstance(inputs[0], Tensor):
            found.append(_compared(name, part, inputs[0]))
        raise _Reached

    with probing(module), contextlib.ExitStack() as hooks, contextlib.suppress(_Reached):
        for name, part in module.named_modules():
            if _is_batch_norm(part) or any(one is not None for one in part._parameters.values()):
                hooks.callback(part.register_forward_pre_hook(partial(note, name)).remove)
        feed(Normalization(convention, "")(images))
    return found[0] if found else None


def _affordable(sides: tuple[int, ...]) -> tuple[int, ...]:
    shrink = (MOST_PIXELS / math.prod(sides)) ** (1 / len(sides))
    if shrink >= 1:
        return sides
    return tuple(min(side, max(STEP, int(side * shrink) // STEP * STEP)) for side in sides)


class _Reached(BaseException):
    """Ends a forward pass at the first batch norm; no network's own `except Exception` can swallow it."""


def _is_batch_norm(part: nn.Module) -> bool:
    """Also the frozen ones of detectors, which are a class of their own."""
    return isinstance(part, nn.BatchNorm2d | nn.BatchNorm3d | nn.SyncBatchNorm) or "BatchNorm" in type(part).__name__


def _is_settled(part: nn.Module) -> bool:
    if not _is_batch_norm(part):
        return False
    mean, variance = getattr(part, "running_mean", None), getattr(part, "running_var", None)
    if not isinstance(mean, Tensor) or not isinstance(variance, Tensor):
        return False
    passes = getattr(part, "num_batches_tracked", None)
    if isinstance(passes, Tensor) and 0 < int(passes) < SETTLED:
        return False
    return bool((mean.abs() > IDENTITY).any() or ((variance - 1).abs() > IDENTITY).any())


def _compared(name: str, part: nn.Module, values: Tensor) -> NormStatsCheck | None:
    """Take the median over the channels that are alive, now or in training."""
    kept_mean, kept_variance = (
        torch.as_tensor(getattr(part, one)).detach().cpu().double() for one in ("running_mean", "running_var")
    )
    channels = values.detach().float().cpu().transpose(0, 1).flatten(1)
    mean, variance = channels.mean(1).double(), channels.var(1).double()
    eps = float(getattr(part, "eps", 1e-5))
    alive = torch.maximum(variance, kept_variance) > eps
    if values.dim() < 4 or len(mean) != len(kept_mean) or not alive.any() or not mean.isfinite().all():
        return None
    spread = ((variance + eps) / (kept_variance + eps)).sqrt()[alive].median()
    shift = ((mean - kept_mean).abs() / (kept_variance + eps).sqrt())[alive].median()
    return NormStatsCheck(name, float(spread), float(shift))


def contradiction(
    module: nn.Module, feed: Callable[[Tensor], object], convention: InputConvention, name: str
) -> str | None:
    """Look for signs that a network was trained on other input than it is said to expect.

    Two are looked for: a mean outside of the value range, or a std beyond its width; and a first batch norm behind
    convolutions whose running statistics are grossly other than those of natural pictures that come to it now. The
    network runs up to that layer only and is afterwards as it was.
    """
    first = None if (said := _impossible(convention, name)) else check_norm_stats(module, feed, convention)
    if first is None or max(first.factor, first.shift) <= GROSS:
        return said
    how = f"{first.shift:.0f} standard deviations away from"
    if first.factor > GROSS:
        how = f"spread {first.factor:.0f} times {'wider' if first.spread > 1 else 'narrower'} than"
    return (
        f"With {_words(convention)}, natural pictures come to {first.layer!r}, the first batch norm of {name}, "
        f"{how} what it was trained on{_advice(module, feed, convention)}."
    )


def _impossible(convention: InputConvention, name: str) -> str | None:
    low, high = convention.value_range
    outside = [("mean", one, "lies outside of") for one in convention.mean if one != 0 and not low <= one <= high]
    wider = [("std", one, "is more than all of") for one in convention.std if one > max(1.0, high - low)]
    for word, number, how in (*outside, *wider)[:1]:
        return (
            f"The {word} {getattr(convention, word)} of {name} is in units of value_range, but {number:g} {how} "
            f"{convention.value_range}; check both, and write value_range=(0, 255) if they are of bytes."
        )
    return None


def _words(convention: InputConvention) -> str:
    mean = "a mean image" if convention.mean_image is not None else f"mean={convention.mean}"
    return f"{mean}, std={convention.std} and value_range={convention.value_range}"


def _advice(module: nn.Module, feed: Callable[[Tensor], object], convention: InputConvention) -> str:
    """Name the usual convention that fits best, where one fits."""
    found = [(check_norm_stats(module, feed, one), one) for one in _usual(convention)]
    fits = [(max(math.log(CLOSE), math.log(one.factor) + one.shift), usual) for one, usual in found if one]
    best = min(fits, key=lambda fit: fit[0], default=None)
    if best is None or best[0] > math.log(FITTING):
        return "; check them against its training script"
    return f"; it seems to expect something like {_words(best[1])}: check its training script"


def _usual(convention: InputConvention) -> list[InputConvention]:
    """The conventions that most networks are trained with, the most usual first."""
    zeros, ones = (0.0,) * convention.channels, (1.0,) * convention.channels
    plain = replace(convention, mean=zeros, std=ones, value_range=(0.0, 1.0), mean_image=None)
    known = [plain, replace(plain, value_range=(-1.0, 1.0)), replace(plain, value_range=(0.0, 255.0))]
    if convention.channels != len(IMAGENET_MEAN):
        return known
    return [replace(plain, mean=IMAGENET_MEAN, std=IMAGENET_STD), *known]
