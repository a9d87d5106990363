"""What a network expects of its input: channels, size, range, mean and standard deviation."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from numbers import Real

import torch
from torch import Tensor

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.sizes import size_pair


@dataclass(frozen=True, slots=True)
class InputConvention:
    """How an image in [0, 1] becomes the network's input: ``((x * (hi - lo) + lo) - mean) / std``.

    Args:
        channels: The number of image channels.
        size: Height and width in pixels that the network was made for.
        value_range: The pair (lo, hi) that [0, 1] is stretched to before mean and std.
        mean: One number per channel, in units of `value_range`.
        std: One positive number per channel, in units of `value_range`.
        stated: Whether somebody said so (the weights, the network's card or the caller); otherwise it is a guess.

    Raises:
        BadInputError: The numbers of mean and std do not fit the channels, or a value is out of its range.
        SizeError: The size is not positive.
    """

    channels: int = 3
    size: tuple[int, int] = (224, 224)
    value_range: tuple[float, float] = (0.0, 1.0)
    mean: tuple[float, ...] = (0.0, 0.0, 0.0)
    std: tuple[float, ...] = (1.0, 1.0, 1.0)
    stated: bool = True

    def __post_init__(self) -> None:
        _check_channels(self.channels)
        size_pair(self.size)
        _check_range(self.value_range)
        for name, values in (("mean", self.mean), ("std", self.std)):
            _check_per_channel(name, values, self.channels)
        if min(self.std) <= 0:
            raise BadInputError(f"std divides the image, so each number must be above 0, but {self.std} was given.")

    def columns(self, device: torch.device, dtype: torch.dtype) -> tuple[Tensor, Tensor]:
        """Fold range, mean and std into one factor and one summand.

        Args:
            device: Where the two tensors shall live.
            dtype: Their type.

        Returns:
            Scale and shift `[1, C, 1, 1]`, so that the network's input is ``images * scale + shift``.
        """
        low, high = self.value_range
        scale = [(high - low) / std for std in self.std]
        shift = [(low - mean) / std for mean, std in zip(self.mean, self.std, strict=True)]
        with torch.inference_mode(False):  # the tensors outlive the caller's mode
            rows = torch.tensor([scale, shift], device=device, dtype=dtype)
            return rows[0].view(1, -1, 1, 1), rows[1].view(1, -1, 1, 1)

    def overridden(
        self,
        *,
        mean: float | Sequence[float] | None = None,
        std: float | Sequence[float] | None = None,
        value_range: Sequence[float] | None = None,
        size: int | Sequence[int] | None = None,
        channels: int | None = None,
    ) -> InputConvention:
        """Put the caller's words in the place of what was known.

        Args:
            mean: One number per channel, or one for all.
            std: One positive number per channel, or one for all.
            value_range: The pair (lo, hi) that [0, 1] is stretched to.
            size: The side of a square in pixels, or height and width.
            channels: The number of image channels.

        Returns:
            The convention with what was given replaced.

        Raises:
            BadInputError: The numbers do not fit.
            SizeError: The size is not positive.
        """
        if channels is not None:
            _check_channels(channels)
        count = self.channels if channels is None else channels
        return replace(
            self,
            channels=count,
            size=self.size if size is None else size_pair(size),
            value_range=self.value_range if value_range is None else _pair_of_numbers(value_range),
            mean=_per_channel("mean", self.mean if mean is None else mean, count, given=mean is not None),
            std=_per_channel("std", self.std if std is None else std, count, given=std is not None),
            stated=self.stated or any(given is not None for given in (mean, std, value_range)),
        )


def _check_channels(channels: object) -> None:
    if isinstance(channels, bool) or not isinstance(channels, int) or channels < 1:
        raise BadInputError(f"channels is a whole number from 1, but {channels!r} was given.")


def _check_range(value_range: tuple[float, float]) -> None:
    low, high = value_range
    if not (math.isfinite(low) and math.isfinite(high) and low < high):
        raise BadInputError(f"value_range is (lo, hi) with lo below hi, but {value_range} was given; write (0, 1).")


def _check_per_channel(name: str, values: Sequence[float], channels: int) -> None:
    if len(values) != channels:
        raise BadInputError(f"{name} has {len(values)} numbers for {channels} channels; give one per channel.")
    if not all(isinstance(value, Real) and math.isfinite(value) for value in values):
        raise BadInputError(f"{name} is one finite number per channel, but {tuple(values)} was given.")


def _per_channel(name: str, values: float | Sequence[float], channels: int, *, given: bool) -> tuple[float, ...]:
    numbers = (values,) if isinstance(values, int | float) else tuple(values)
    if len(set(numbers)) == 1 and (len(numbers) == 1 or not given):
        numbers = numbers[:1] * channels
    _check_per_channel(name, numbers, channels)
    return tuple(float(number) for number in numbers)


def _pair_of_numbers(values: Sequence[float]) -> tuple[float, float]:
    numbers = tuple(values)
    if len(numbers) != 2:
        raise BadInputError(f"value_range is a pair (lo, hi), but {values!r} was given; write (0, 1).")
    return float(numbers[0]), float(numbers[1])
