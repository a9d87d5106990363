"""A module of the user's that a param runs and otherwise leaves alone."""

from __future__ import annotations

import copy
import math
from typing import Any

import torch
from torch import Tensor, nn

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import PLANE
from lucidtorch.models.running.frozen import frozen, probing
from lucidtorch.models.running.precision import widened

MOST_NUMBERS = 1 << 24  # of one latent
TRIED = 2  # latents at once: what one gives must not depend on the other
SAME = 1e-4  # of the largest value: rounding


class Borrowed:
    """A module that is shared by all copies of what holds it, and is no part of it: neither parameters nor state.

    Args:
        module: The module; it stays where and as it is.
    """

    def __init__(self, module: nn.Module) -> None:
        self.module = module
        self._copy: nn.Module | None = None

    def __call__(self, latents: Tensor) -> Tensor:
        """Run the module in eval mode, without gradients for its weights; it is given back as it was.

        Where the latents are on another device, or are float64, a copy of the module runs there.
        """
        module = self._beside(latents)
        with frozen(module):
            made: Tensor = module(latents.to(_kind(module, latents)))
        return widened(made)

    def try_out(self, latent: tuple[int, ...]) -> Tensor:
        """Run the module twice on two latents, of which one is the same both times."""
        if math.prod(latent) > MOST_NUMBERS:
            raise BadInputError(
                f"A latent has at most {MOST_NUMBERS} numbers, but the shape {shown(latent)} was given."
            )
        dice = torch.Generator().manual_seed(0)
        drawn = torch.randn((TRIED + 1, *latent), generator=dice)
        found = _whereabouts(self.module)
        if found is not None:
            drawn = drawn.to(*found)
        name = type(self.module).__name__
        with probing(self.module) as attempt:
            first, second = self.module(drawn[:TRIED]), self.module(drawn[::TRIED])
        if attempt.reason is not None:
            raise BadInputError(
                f"{name} cannot make images of latents {[TRIED, *latent]}: {attempt.reason}. Give the shape of the "
                "latents of one image, without the batch."
            )
        _check_images(first, name)
        first, second = widened(first), widened(second)
        if not torch.allclose(first[0], second[0], rtol=0, atol=SAME * float(first.abs().max())):
            raise BadInputError(
                f"{name} does not make the same image of the same latents: it draws random numbers, or looks at the "
                "rest of the batch. Wrap it in a module that holds its noise still."
            )
        return first.cpu()

    def _beside(self, latents: Tensor) -> nn.Module:
        """The module itself where it fits, else a copy that does."""
        wanted = (latents.device, _kind(self.module, latents))
        if _whereabouts(self.module) in (None, wanted):
            return self.module
        if self._copy is None or _whereabouts(self._copy) != wanted:
            self._copy = copy.deepcopy(self.module).to(*wanted)
        return self._copy

    def __reduce__(self) -> tuple[type[Borrowed], tuple[nn.Module]]:
        return Borrowed, (self.module,)

    def __deepcopy__(self, memo: dict[int, Any]) -> Borrowed:
        return Borrowed(self.module)


def _whereabouts(module: nn.Module) -> tuple[torch.device, torch.dtype] | None:
    """The device and the kind of number of a module; None where it has no numbers."""
    numbers = (one for one in (*module.parameters(), *module.buffers()) if one.is_floating_point())
    return next(((one.device, one.dtype) for one in numbers), None)


def _kind(module: nn.Module, latents: Tensor) -> torch.dtype:
    """What a module computes in: its own kind of number, but never less than float64 where that is asked for."""
    found = _whereabouts(module)
    return latents.dtype if found is None or latents.dtype == torch.float64 else found[1]


def _check_images(made: object, name: str) -> None:
    if not isinstance(made, Tensor):
        raise BadInputError(
            f"{name} gives a {type(made).__name__}, not a tensor of images; wrap it in a module that returns the "
            "images alone, such as output.sample or output[0]."
        )
    if made.ndim != PLANE + 2 or len(made) != TRIED or not made.is_floating_point():
        raise BadInputError(
            f"{name} must give images [B, C, H, W] of {TRIED} latents, but it gives {list(made.shape)} of {made.dtype}."
        )
    if not bool(made.isfinite().all()):
        raise BadInputError(f"{name} gives inf or nan; see whether its weights are loaded.")
