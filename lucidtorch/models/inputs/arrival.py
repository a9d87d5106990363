"""What comes to the first batch norm of a network, compared with what it was trained on."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lucidtorch.models.inputs.convention import InputConvention
from lucidtorch.models.inputs.natural import natural_images
from lucidtorch.models.inputs.normalization import Normalization
from lucidtorch.models.running.probe import probing

SETTLED = 100  # passes after which running statistics have forgotten what they started from
MOST_BEFORE = 2  # convolutions before the batch norm, beyond which pictures without shapes in them are no measure
MOST_IMAGES, FEWEST_IMAGES = 8, 2
PIXELS = 4 * 224 * 224  # of all images together, as far as there are enough images
MOST_PIXELS = 600 * 600  # of one image; larger ones, and volumes above all, are tried smaller
STEP = 16  # pixels, of the sides of those
IDENTITY = 0.01  # statistics closer than this to mean 0 and variance 1 are those of a folded or untrained layer


@dataclass(frozen=True, slots=True)
class Arrival:
    """Natural pictures at a batch norm, compared with its running statistics; medians over its channels.

    Args:
        layer: The name of the batch norm.
        spread: Their standard deviation, divided by that of training.
        shift: How far their mean is from that of training, in standard deviations of training.
    """

    layer: str
    spread: float
    shift: float

    @property
    def factor(self) -> float:
        """How many times wider or narrower they are, from 1."""
        return max(self.spread, 1 / self.spread)


def first_arrival(module: nn.Module, feed: Callable[[Tensor], object], convention: InputConvention) -> Arrival | None:
    """Run natural pictures up to the first batch norm of a network, and compare."""
    weight = next((one for one in module.parameters() if one.is_floating_point()), None)
    scripted = any(isinstance(part, torch.jit.ScriptModule) for part in module.modules())
    if weight is None or weight.is_meta or scripted or not any(_is_settled(part) for part in module.modules()):
        return None
    sides = _affordable(convention.size)
    count = max(FEWEST_IMAGES, min(MOST_IMAGES, PIXELS // math.prod(sides)))
    images = natural_images(convention.channels, sides, count).to(weight.device, weight.dtype)
    run = _Pass()
    with probing(module), run.at(module), contextlib.suppress(_Arrived):
        feed(Normalization(convention, "")(images))
    return run.found


def _affordable(sides: tuple[int, ...]) -> tuple[int, ...]:
    shrink = (MOST_PIXELS / math.prod(sides)) ** (1 / len(sides))
    if shrink >= 1:
        return sides
    return tuple(min(side, max(STEP, int(side * shrink) // STEP * STEP)) for side in sides)


class _Arrived(BaseException):
    """Ends a forward pass at the first batch norm; no network's own `except Exception` can swallow it."""


class _Pass:
    """The hooks that stop a pass at its first batch norm, and what came to it."""

    def __init__(self) -> None:
        self.found: Arrival | None = None
        self._before: list[nn.Module] = []

    @contextlib.contextmanager
    def at(self, module: nn.Module) -> Iterator[None]:
        with contextlib.ExitStack() as hooks:
            for name, part in module.named_modules():
                if _is_batch_norm(part) or any(one is not None for one in part._parameters.values()):
                    hooks.callback(part.register_forward_pre_hook(self._hook_of(name)).remove)
            yield

    def _hook_of(self, name: str) -> Callable[[nn.Module, tuple[object, ...]], None]:
        def hook(part: nn.Module, inputs: tuple[object, ...]) -> None:
            if not _is_batch_norm(part):
                self._before.append(part)
                return
            near = len(self._before) <= MOST_BEFORE and all(map(_is_convolution, self._before))
            if near and _is_settled(part) and inputs and isinstance(inputs[0], Tensor):
                self.found = _compared(name, part, inputs[0])
            raise _Arrived

        return hook


def _is_convolution(part: nn.Module) -> bool:
    return isinstance(part, nn.Conv2d | nn.Conv3d)


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


def _compared(name: str, part: nn.Module, values: Tensor) -> Arrival | None:
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
    return Arrival(name, float(spread), float(shift))
