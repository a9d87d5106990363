"""Signs that what was said of a network's input is wrong: numbers that cannot be, and a batch norm that saw others."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace

from torch import Tensor, nn

from lucidtorch.base.natural_images import IMAGENET_MEAN, IMAGENET_STD
from lucidtorch.models.inputs.arrival import Arrival, first_arrival
from lucidtorch.models.inputs.convention import InputConvention

GROSS = 16.0
"""How many times wider or narrower than in training, or how many standard deviations off, is no matter of the pictures.

Measured by `first_arrival`. With the right numbers: 0.96 times as wide as in training and 0.05 off in a ResNet-20 for
CIFAR-10 with its own statistics; 1.1 to 1.8 times and at most 0.07 off behind the first convolutions of SqueezeNet,
MobileNetV2 and VGG-19, with the statistics that photographs leave there. Mild, and no reason to warn: [0, 1] without
mean and std in the place of ImageNet's is 2.4 to 4.5 times narrower and at most 0.23 off; 0 in the place of ImageNet's
mean is at most 0.8 off. Gross: [0, 255] in the place of ImageNet's is 56 to 105 times wider; 406 for 0.406 in the mean
is 56 to 641 standard deviations off. One wrong std hardly shows (0.7 to 1.8 times as wide): its size tells.
"""
FITTING, CLOSE = 4.0, 2.0  # up to which a usual convention is said to fit, and to fit as well as any


def contradiction(
    module: nn.Module, feed: Callable[[Tensor], object], convention: InputConvention, name: str
) -> str | None:
    """Look for signs that a network was trained on other input than it is said to expect.

    Two are looked for: a mean outside of the value range, or a std beyond its width; and a first batch norm behind
    convolutions whose running statistics are grossly other than those of natural pictures that come to it now. The
    network runs up to that layer only and is afterwards as it was.
    """
    impossible = _impossible(convention, name)
    if impossible is not None:
        return impossible
    first = first_arrival(module, feed, convention)
    how = None if first is None else _gross(first)
    if first is None or how is None:
        return None
    return (
        f"With {_words(convention)}, natural pictures come to {first.layer!r}, the first batch norm of {name}, "
        f"{how} what it was trained on{_advice(module, feed, convention)}."
    )


def _gross(arrival: Arrival) -> str | None:
    """Say how far from its training a batch norm is, where that is far."""
    if arrival.factor > GROSS:
        return f"spread {arrival.factor:.0f} times {'wider' if arrival.spread > 1 else 'narrower'} than"
    return f"{arrival.shift:.0f} standard deviations away from" if arrival.shift > GROSS else None


def _impossible(convention: InputConvention, name: str) -> str | None:
    low, high = convention.value_range
    for mean in convention.mean:
        if mean != 0 and not low <= mean <= high:
            return (
                f"The mean {convention.mean} of {name} is in units of value_range, but {mean:g} lies outside of "
                f"{convention.value_range}; check both, and write value_range=(0, 255) if they are of bytes."
            )
    for std in convention.std:
        if std > max(1.0, high - low):
            return (
                f"The std {convention.std} of {name} is in units of value_range, but {std:g} is more than all of "
                f"{convention.value_range}; check both, and write value_range=(0, 255) if they are of bytes."
            )
    return None


def _words(convention: InputConvention) -> str:
    mean = "a mean image" if convention.mean_image is not None else f"mean={convention.mean}"
    return f"{mean}, std={convention.std} and value_range={convention.value_range}"


def _advice(module: nn.Module, feed: Callable[[Tensor], object], convention: InputConvention) -> str:
    """Name the usual convention that fits best, where one fits."""
    arrivals = [(first_arrival(module, feed, one), one) for one in _usual(convention)]
    fits = [(max(math.log(CLOSE), math.log(found.factor) + found.shift), one) for found, one in arrivals if found]
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
