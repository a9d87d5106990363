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

from lucidtorch.models.running.probe import probing

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMALIZATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
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
    """

    convolution: str
    normalization: str
    givers: frozenset[str]


def find_folds(module: nn.Module, images: Tensor, feed: Callable[[Tensor], object]) -> tuple[Fold, ...]:
    """Find what can be folded, by one forward pass that leaves no mark.

    Only plain convolutions and batch normalizations with their own statistics count, which fire once and are not hooked
    into or parametrized; a class made of one of them may do more.

    Args:
        module: The network.
        images: Its normalized input.
        feed: What runs it.

    Returns:
        The pairs; none where the network raises.
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
    """Fold batch normalizations of a network, in place: each passes on what it gets from then on.

    Args:
        module: A network that is nobody else's.
        folds: What to fold.
    """
    for one in folds:
        convolution: Any = module.get_submodule(one.convolution)
        normalization: Any = module.get_submodule(one.normalization)
        weight, bias = _folded(convolution, normalization)
        convolution.weight = nn.Parameter(weight, requires_grad=False)
        convolution.bias = nn.Parameter(bias, requires_grad=False)
        above, _, last = one.normalization.rpartition(".")
        setattr(module.get_submodule(above), last, nn.Identity())


def _folded(convolution: Any, normalization: Any) -> tuple[Tensor, Tensor]:
    """The weight and bias of both together, computed in float64."""
    exact = [None if one is None else one.detach().double() for one in (convolution.bias, normalization.weight)]
    weight, bias = fuse_conv_bn_weights(
        convolution.weight.detach().double(),
        exact[0],
        normalization.running_mean.double(),
        normalization.running_var.double(),
        normalization.eps,
        exact[1],
        None if normalization.bias is None else normalization.bias.detach().double(),
    )
    kind = convolution.weight.dtype
    return weight.detach().to(kind), bias.detach().to(kind)


def _is_plain(module: nn.Module, kinds: Sequence[type[nn.Module]]) -> bool:
    if type(module) not in kinds or module._forward_hooks or module._forward_pre_hooks:
        return False
    return not isinstance(module, NORMALIZATIONS) or isinstance(module.running_mean, Tensor)


class _Watch(TorchFunctionMode):
    """Sees where the outputs of convolutions go in one forward pass."""

    def __init__(self, convolutions: Mapping[str, nn.Module], normalizations: Mapping[str, nn.Module]) -> None:
        super().__init__()
        self.convolutions = convolutions
        self.normalizations = normalizations
        self.outputs: dict[int, tuple[str, Tensor]] = {}  # the tensors are kept, so that no two have one id
        self.uses: Counter[int] = Counter()
        self.takers: dict[int, str] = {}
        self.givers: dict[int, set[str]] = {}
        self.calls: Counter[str] = Counter()
        self.within: list[str] = []

    @contextlib.contextmanager
    def on(self, module: nn.Module) -> Iterator[None]:
        """Listen to every module while the block runs."""
        with contextlib.ExitStack() as hooks:
            for name, child in module.named_modules():
                hooks.callback(child.register_forward_hook(self._after(name)).remove)
                if name in self.normalizations:
                    hooks.callback(child.register_forward_pre_hook(self._before(name)).remove)
            yield

    def folds(self) -> tuple[Fold, ...]:
        """What was found when the pass is over."""
        found = [
            Fold(name, self.takers[key], frozenset(self.givers[key]))
            for key, (name, _) in self.outputs.items()
            if key in self.takers and self.uses[key] == 1 and self.calls[name] == 1
        ]
        return tuple(one for one in found if self.calls[one.normalization] == 1)

    def _before(self, name: str) -> Callable[[nn.Module, tuple[Any, ...]], None]:
        def note(_: nn.Module, inputs: tuple[Any, ...]) -> None:
            if inputs and id(inputs[0]) in self.outputs:
                self.takers[id(inputs[0])] = name

        return note

    def _after(self, name: str) -> Callable[[nn.Module, object, object], None]:
        def note(_: nn.Module, __: object, output: object) -> None:
            self.calls[name] += 1
            if name in self.convolutions and isinstance(output, Tensor):
                self.outputs[id(output)] = (name, output)
            for one in _tensors(output):
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
            self.uses.update(id(one) for one in _tensors([args, words]) if id(one) in self.outputs)
        return func(*args, **words)


def _tensors(value: object) -> Iterator[Tensor]:
    """Every tensor in a value, however deep in lists, tuples and mappings."""
    if isinstance(value, Tensor):
        yield value
    elif isinstance(value, Mapping):
        for one in value.values():
            yield from _tensors(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _tensors(one)
