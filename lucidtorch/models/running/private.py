"""A copy of a network that a render rearranges for speed: the user's own is never touched.

A batch normalization in eval mode is one more factor and summand of the convolution before it, and is folded into it.
"""

from __future__ import annotations

import contextlib
import copy
from collections import Counter, deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_weights
from torch.overrides import TorchFunctionMode

from lucidtorch.base.surroundings import one_at_a_time
from lucidtorch.models.running.address import Address, tensors
from lucidtorch.models.running.capture import capture
from lucidtorch.models.running.convolutions import rearrange, with_winograd
from lucidtorch.models.running.frozen import Attempt, probing

CONVOLUTIONS = (nn.Conv1d, nn.Conv2d, nn.Conv3d)
NORMALIZATIONS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)
HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
# What a network may ask of a tensor without taking its numbers.
QUESTIONS = {
    Tensor.dim,
    Tensor.size,
    *(vars(torch._C.TensorBase)[name].__get__ for name in ("shape", "ndim", "dtype", "device", "requires_grad")),
}
OWN = frozenset(vars(nn.Module()))  # what every module has in itself
PLAIN = (bool, int, float, str, type(None))
PLANAR = (nn.Conv2d, nn.ConvTranspose2d)


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


def private_copy(module: nn.Module) -> nn.Module | None:
    """Copy a network in eval mode that shares its weights: they stand in memory once, and ask for no gradient there.

    What is not finite among the weights is zero in the copy: its gradient would reach every unit of its layer.
    Hooks, and lists and mappings that a module keeps beside its parts, are shared too: who listens to the network hears
    the copy. Only hooks that are methods of the network's own parts become those of the copy's.
    """
    if any(isinstance(one, torch.jit.ScriptModule) for one in module.modules()):
        return None
    memo: dict[int, object] = {}
    for one in module.parameters():
        if type(one) is nn.Parameter:
            own = _finite(one.detach())
            shared = own.clone() if own.is_inference() else own  # of those no gradient goes through
            memo[id(one)] = nn.Parameter(shared, requires_grad=False)
    memo |= {id(one): one for one in _shared(module)}
    made: nn.Module | None = None
    with Attempt():
        made = copy.deepcopy(module, memo)
    if made is None or _overlap(module, made):
        return None
    for part in made.modules():
        part.training = False
    for weight in made.parameters():
        weight.requires_grad_(False)
    return made


def agree(
    networks: Iterable[tuple[nn.Module, Callable[[Tensor], object]]], read: Iterable[Address], images: Tensor
) -> bool:
    """Say whether networks give the same up to rounding."""
    addresses = {str(number): address for number, address in enumerate(read)}
    found: list[dict[str, Tensor]] = []
    for module, feed in networks:
        with probing(module) as attempt, capture(module, addresses, feed) as run:
            found.append(run(images.clone()))
        if attempt.reason is not None:
            return False
    return all(_is_close(values, other[name]) for other in found[1:] for name, values in found[0].items())


def _is_close(values: Tensor, other: Tensor) -> bool:
    if values.shape != other.shape:
        return False
    sound = values.isfinite()  # where the network gives no number there is nothing to compare
    one, two = values.where(sound, 0), other.where(sound, 0)
    off = torch.finfo(values.dtype).eps ** 0.5 * float(one.abs().max())
    return torch.allclose(one, two, rtol=0, atol=off)


def _finite(weight: Tensor) -> Tensor:
    """A weight itself, or a copy with zeros in place of values that are not finite."""
    if not weight.is_floating_point() or bool(weight.sum().isfinite()):
        return weight
    return torch.nan_to_num(weight, nan=0, posinf=0, neginf=0)


def rearranged(
    module: nn.Module,
    folds: Iterable[Fold],
    read: Collection[str],
    *,
    channels_last: bool,
    winograd: Iterable[str] = (),
    only: Collection[str] | None = None,
) -> nn.Module:
    """Fold the batch normalizations of a network and lay its convolutions' weights out, in place."""
    wanted = frozenset(read)
    runs = [one for one in folds if only is None or one.convolution in only]
    fold(module, [one for one in runs if not one.givers & wanted and one.stands(module)])
    for name, layer in module.named_modules() if channels_last else ():
        if only is not None and name not in only:
            continue
        if isinstance(layer, PLANAR) and isinstance(layer._parameters.get("weight"), Tensor):
            weight = layer.weight.detach().contiguous(memory_format=torch.channels_last)
            layer.weight = nn.Parameter(weight, requires_grad=False)
            rearrange(module, [name])
    with_winograd(module, winograd)
    return module


@contextlib.contextmanager
def notes_kept(module: nn.Module, other: nn.Module) -> Iterator[None]:
    """Let what a copy counts in plain attributes while the block runs be counted in the network too."""
    before = {name: _notes(part) for name, part in other.named_modules()}
    try:
        yield
    finally:
        with one_at_a_time():
            owners = dict(module.named_modules())
            for name, part in other.named_modules():
                known = before.get(name, {})
                for key, value in _notes(part).items():
                    if name in owners and (key not in known or known[key] is not value):
                        setattr(owners[name], key, value)


def _notes(part: nn.Module) -> dict[str, object]:
    """The plain values that a module keeps in attributes."""
    return {key: value for key, value in vars(part).items() if key not in OWN and type(value) in PLAIN}


def _overlap(module: nn.Module, made: nn.Module) -> bool:
    """Whether a copy has parts of the network itself, as where a class says how it is copied."""
    own = {id(one) for one in (*module.modules(), *module.parameters())}
    return any(id(one) in own for one in (*made.modules(), *made.parameters()))


def _shared(module: nn.Module) -> Iterator[object]:
    """What a copy has in common with the network beside its weights."""
    parts = {id(part) for part in module.modules()}
    for part in module.modules():
        for name in HOOKS:
            yield from (hook for hook in getattr(part, name).values() if not _belongs(hook, parts))
        for name, value in vars(part).items():
            if name not in OWN and isinstance(value, list | dict | set | deque) and not _holds_parts(value):
                yield value


def _belongs(hook: object, parts: Collection[int]) -> bool:
    """Whether a hook is a method of one of the parts, which are given by their ids."""
    while isinstance(hook, partial):
        hook = hook.func
    return id(getattr(hook, "__self__", None)) in parts


def _holds_parts(value: object) -> bool:
    """Whether modules, or functions that may be bound to one, are in a collection, however deep."""
    if isinstance(value, Mapping):
        return any(map(_holds_parts, value.values()))
    if isinstance(value, list | tuple | set | deque):
        return any(map(_holds_parts, value))
    return isinstance(value, nn.Module) or callable(value)
