"""Folding: a batch normalization in eval mode is one more factor and summand of the convolution before it."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torch.overrides import TorchFunctionMode

from lucidtorch.models.running.address import tensors
from lucidtorch.models.running.frozen import probing

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMALIZATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
# What a network may ask of a tensor without taking its numbers.
QUESTIONS = {
    Tensor.dim,
    Tensor.size,
    *(vars(torch._C.TensorBase)[name].__get__ for name in ("shape", "ndim", "dtype", "device", "requires_grad")),
}


@dataclass(frozen=True)
class Fold:
    """A convolution whose output goes into a batch normalization and nowhere else.

    Args:
        convolution: The convolution's name in `named_modules()`.
        normalization: The batch normalization's.
        givers: The modules that give the convolution's output as their own, itself among them.
        takers: The modules that take it, the normalization among them.
    """

    convolution: str
    normalization: str
    givers: frozenset[str]
    takers: frozenset[str]

    def stands(self, module: nn.Module) -> bool:
        """Say whether it can still be folded: a network may have been hooked into or changed since it was found."""
        parts = dict(module.named_modules())
        both = {self.convolution: CONVOLUTIONS, self.normalization: NORMALIZATIONS}
        if not all(name in parts and _is_plain(parts[name], kinds) for name, kinds in both.items()):
            return False
        return not any(_is_heard(parts[name]) for name in (self.givers | self.takers) & parts.keys())


def find_folds(module: nn.Module, images: Tensor, feed: Callable[[Tensor], object]) -> tuple[Fold, ...]:
    """Find what can be folded, by one forward pass that leaves no mark.

    Only plain convolutions and batch normalizations with their own statistics count, which fire once, are not hooked
    into or parametrized, and whose weights nobody else reads; a class made of one of them may do more.
    """
    convolutions = {name: one for name, one in module.named_modules() if _is_plain(one, CONVOLUTIONS)}
    normalizations = {name: one for name, one in module.named_modules() if _is_plain(one, NORMALIZATIONS)}
    if not convolutions or not normalizations:
        return ()
    watch = _Watch(convolutions, normalizations)
    with watch.on(module), probing(module) as attempt, watch:
        feed(images)
    return watch.folds() if attempt.reason is None else ()


def fold(module: nn.Module, folds: Sequence[Fold]) -> None:
    """Fold batch normalizations of a network, in place: each passes on what it gets from then on."""
    for one in folds:
        convolution: Any = module.get_submodule(one.convolution)
        normalization: Any = module.get_submodule(one.normalization)
        weight, bias = _folded(convolution, normalization)
        convolution.weight = nn.Parameter(weight, requires_grad=False)
        convolution.bias = nn.Parameter(bias, requires_grad=False)
        normalization.forward = _passed_on  # it may stand under several names, and be asked for its numbers


def _passed_on(values: Tensor) -> Tensor:
    """What a folded normalization does."""
    return values


def _folded(convolution: Any, normalization: Any) -> tuple[Tensor, Tensor]:
    """The weight and bias of both together, computed in float64."""
    weight, bias = fuse_conv_bn_weights(
        _exact(convolution.weight),
        _exact(convolution.bias),
        _exact(normalization.running_mean),
        _exact(normalization.running_var),
        normalization.eps,
        _exact(normalization.weight),
        _exact(normalization.bias),
    )
    own = convolution.weight
    return weight.detach().to(own.device, own.dtype), bias.detach().to(own.device, own.dtype)


def _exact(values: Any) -> Any:
    """The same numbers in float64, which not every device has."""
    return None if values is None else values.detach().to("cpu", torch.float64)


def _is_plain(module: nn.Module, kinds: Sequence[type[nn.Module]]) -> bool:
    if type(module) not in kinds or _is_heard(module) or "forward" in vars(module):
        return False
    return not isinstance(module, NORMALIZATIONS) or isinstance(module.running_mean, Tensor)


def _is_heard(module: nn.Module) -> bool:
    return any(getattr(module, hooks) for hooks in HOOKS)


class _Watch(TorchFunctionMode):
    """Sees where the outputs of convolutions go in one forward pass."""

    def __init__(self, convolutions: Mapping[str, nn.Module], normalizations: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.convolutions = convolutions
        self.normalizations = normalizations
        self.outputs: dict[int, tuple[str, Tensor]] = {}  # the tensors are kept, so that no two have one id
        self.watched = {id(one) for layer in convolutions.values() for one in layer.parameters()}
        self.uses: Counter[int] = Counter()
        self.takers: dict[int, set[str]] = {}
        self.givers: dict[int, set[str]] = {}
        self.calls: Counter[str] = Counter()
        self.within: list[str] = []

    @contextlib.contextmanager
    def on(self, module: nn.Module) -> Iterator[None]:
        """Listen to every module while the block runs."""
        with contextlib.ExitStack() as hooks:
            for name, child in module.named_modules():
                hooks.callback(child.register_forward_hook(self._after(name)).remove)
                hooks.callback(child.register_forward_pre_hook(self._before(name)).remove)
            yield

    def folds(self) -> tuple[Fold, ...]:
        """What was found when the pass is over."""
        found = []
        for key, (name, _) in self.outputs.items():
            normalizations = self.takers.get(key, set()) & self.normalizations.keys()
            weights = self.convolutions[name].parameters(recurse=False)
            if all(self.uses[id(one)] == 1 for one in weights) and self.uses[key] == self.calls[name] == 1:
                found += [
                    Fold(name, one, frozenset(self.givers[key]), frozenset(self.takers[key])) for one in normalizations
                ]
        return tuple(one for one in found if self.calls[one.normalization] == 1)

    def _before(self, name: str) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        def note(_: nn.Module, inputs: tuple[Any, ...]) -> None:
            for one in dict(tensors(inputs)).values():
                if id(one) in self.outputs:
                    self.takers.setdefault(id(one), set()).add(name)

        return note

    def _after(self, name: str) -> Callable[[nn.Module, object, object], None]:
        def note(_: nn.Module, __: object, output: object) -> None:
            self.calls[name] += 1
            if name in self.convolutions and isinstance(output, Tensor):
                self.outputs[id(output)] = (name, output)
                self.watched.add(id(output))
            for one in dict(tensors(output)).values():
                self.givers.setdefault(id(one), set()).add(name)

        return note

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        words = kwargs or {}
        if func not in QUESTIONS:
            self.uses.update(id(one) for _, one in tensors((args, words)) if id(one) in self.watched)
        return func(*args, **words)
