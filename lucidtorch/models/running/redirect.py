"""Dead starts: a rectifier that blocks an image's whole gradient lets the part through that would wake it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.overrides import TorchFunctionMode

from lucidtorch.models.running.rectifiers import HandWritten, rectifying, smoothly_rectified

STEPS = 16  # Lucid: only in the first updates ReLUs are redirected
FLAT = 0.1  # a smooth rectifier is flat where less than this share of the gradient gets through
FEW = 0.125  # of the places: where no more have a gradient, it is that of single units and not of a layer inside
STRIDE = 7  # of the places that are looked at first: an image that is awake shows it in nearly every row


class redirected_relu(TorchFunctionMode):  # noqa: N801  # used as `with redirected_relu():`
    """While the block runs, every rectifier, module or function, has the redirected gradient.

    An image whose gradient is blocked everywhere gets the gradient of the identity instead, without the part that
    would push further into the flat sides: Lucid's `redirected_relu_grad` and `redirected_relu6_grad`. Smooth
    rectifiers (GELU, SiLU, Mish, Softplus, ELU, CELU, SELU, Hardswish, and `HandWritten` ones) block where less than a
    tenth of the gradient gets through, or where they turn it around. All other images have the gradient that they would
    have without it.

    The network itself is not touched. The signs are those of a loss that is minimized.

    Args:
        relus: Whether ReLU and ReLU6 are among them.
    """

    judges_values = False  # whether what a smooth rectifier gave says that it is open, too

    def __init__(self, *, relus: bool = True) -> None:
        super().__init__()
        self.relus = relus
        self.smooth = 0  # how many smooth rectifiers were met so far
        self._hand_written = HandWritten()

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        words = kwargs or {}
        call = rectifying(func, args, words)
        values = smoothly_rectified(func, args, words) if call is None else call.values
        if values is None:
            values = self._hand_written.rectified(func, args)
        self.smooth += call is None and values is not None
        left_alone = call is not None and not self.relus
        if values is None or left_alone or not values.requires_grad or not torch.is_grad_enabled():
            found = func(*args, **words)
            self._hand_written.note(func, args, found)
            return found
        gate = _Gate(self, smooth=call is None)
        # before the call, which may overwrite the values: the hook stays with what they were
        values.register_hook(gate.leave)  # type: ignore[no-untyped-call]
        result: Tensor = func(*args, **words)
        self._hand_written.note(func, args, result)
        result.register_hook(gate.enter)  # type: ignore[no-untyped-call]
        if self.judges_values or (call is not None and call.ceiling is not None):
            gate.given = result.detach()
        return result

    def instead(self, passed: Tensor, grad: Tensor, outward: Tensor) -> Tensor:
        """Say what images get whose gradient is blocked."""
        return torch.where(outward, passed, grad)


class silenced_relu(redirected_relu):  # noqa: N801  # used as `with silenced_relu():`
    """While the block runs, an image whose gradient a rectifier blocks gets none of what would wake it.

    No gradient is left where all ways to a unit lead through flat parts of rectifiers. A smooth one that gives more
    than zero on the whole is not flat, however few places that comes from.
    """

    judges_values = True

    def instead(self, passed: Tensor, grad: Tensor, outward: Tensor) -> Tensor:
        """Say what images get whose gradient is blocked."""
        return passed * outward


class _Gate:
    """One call of a rectifier, on the way back."""

    def __init__(self, rule: redirected_relu, *, smooth: bool) -> None:
        self.rule = rule
        self.smooth = smooth
        self.given: Tensor | None = None  # what the rectifier gave, where that matters
        self.grad: Tensor | None = None  # to that

    def enter(self, grad: Tensor) -> None:
        self.grad = grad

    def leave(self, passed: Tensor) -> Tensor | None:
        grad, self.grad = self.grad, None
        if grad is None or passed.ndim == 0:
            return None
        if passed.is_cuda:  # to ask which images are blocked costs more than to compute for all
            awake = self._is_open(passed, grad, ...).reshape(-1, *[1] * (passed.ndim - 1))
            return torch.where(awake, passed, self._redirected(passed, grad, ...))
        images = self._blocked(passed, grad)
        if not len(images):
            return None
        found = passed.clone()  # in the same order in memory
        found[images] = self._redirected(passed[images], grad[images], images)
        return found

    def _redirected(self, passed: Tensor, grad: Tensor, images: Any) -> Tensor:
        """What blocked images get: with nothing open, all that is not above is below."""
        outward = grad > 0
        if self.given is not None and not self.smooth:
            outward = torch.where(self.given[images] > 0, grad < 0, outward)
        return self.rule.instead(passed, grad, outward)

    def _blocked(self, passed: Tensor, grad: Tensor) -> Tensor:
        """The places of the images that have a gradient which does not get through."""
        some: Any = (..., *[slice(None, None, STRIDE)] * (passed.ndim - 2))
        closed = torch.nonzero(~self._is_open(passed[some], grad[some], some, surely=True)).flatten()
        if len(closed):
            closed = closed[_is_any(grad)[closed]]  # of branches that the objective does not read nothing comes back
        return closed[~self._is_open(passed[closed], grad[closed], closed)] if len(closed) else closed

    def _is_open(self, passed: Tensor, grad: Tensor, part: Any, *, surely: bool = False) -> Tensor:
        """Which images the gradient gets through for, `[B]`: any of it through a ReLU, enough where it is smooth.

        Of single units a part of the places does not say it surely.
        """
        passed, grad = passed.reshape(len(passed), -1), grad.reshape(len(grad), -1)
        if not self.smooth:
            return (passed != 0).any(1)
        onward, whole = (passed * grad.sign()).sum(1), grad.abs().sum(1)
        few = (grad != 0).sum(1) <= FEW * grad.shape[1]
        enough = onward > torch.where(few, FLAT * whole, 0)
        if self.given is not None:
            enough |= (self.given[part].reshape(grad.shape) * grad).sum(1) < 0
        if surely:
            enough &= ~few
        return enough & (passed / grad > FLAT).any(1)


def _is_any(grad: Tensor) -> Tensor:
    """Which images have a gradient at all, `[B]`."""
    axes = tuple(range(1, grad.ndim))
    return (grad.amax(axes) != 0) | (grad.amin(axes) != 0) if axes else grad != 0
