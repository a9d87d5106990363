"""What changes the gradient on its way back to the image."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Generator, Tensor

from lucidtorch.base.sizes import Size
from lucidtorch.transforms.transform import Transform


class _Evened(torch.autograd.Function):
    """The identity, whose gradient has the same size for each image."""

    @staticmethod
    def forward(ctx: Any, images: Tensor) -> Tensor:
        return images.view_as(images)

    @staticmethod
    def backward(ctx: Any, gradient: Tensor) -> Tensor:
        wide = gradient.to(torch.promote_types(gradient.dtype, torch.float32))
        size = wide.square().mean(dim=tuple(range(1, wide.ndim)), keepdim=True).sqrt()
        return (wide / size.where(size > 0, 1)).to(gradient.dtype)  # a gradient of zero stays zero


@dataclass(frozen=True, repr=False)
class normalize_gradient(Transform):  # noqa: N801  # a word of the notation
    """Give every image's gradient the same size, whatever the network makes of it; the image stays as it is.

    It matters to optimizers that do not do so themselves, such as ``sgd``.

    Formula: out = in; going back, g / sqrt(mean of g^2 over the image).
    Source: FlashTorch, DeepDream.
    """

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return torch.zeros(len(generators), 0, dtype=torch.float64)

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        evened: Tensor = _Evened.apply(images)
        return evened

    def output_size(self, size: Size) -> Size:
        return size
