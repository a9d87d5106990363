"""A copy of a network that a render may rearrange for speed: the user's own is never touched."""

from __future__ import annotations

import contextlib
import copy
from collections import deque
from collections.abc import Collection, Iterable, Iterator, Mapping

import torch
from torch import Tensor, nn

from lucidtorch.models.running.folding import Fold, fold
from lucidtorch.models.running.probe import Attempt

HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
OWN = frozenset(vars(nn.Module()))  # what every module has in itself
PLAIN = (bool, int, float, str, type(None))
PLANAR = (nn.Conv2d, nn.ConvTranspose2d)


def private_copy(module: nn.Module) -> nn.Module | None:
    """Copy a network in eval mode that shares its weights: they stand in memory once, and ask for no gradient there.

    Hooks, and lists and mappings that a module keeps beside its parts, are shared too: who listens to the network hears
    the copy.

    Args:
        module: The network.

    Returns:
        The copy; None where it cannot be copied.
    """
    if any(isinstance(one, torch.jit.ScriptModule) for one in module.modules()):
        return None
    memo: dict[int, object] = {}
    for one in module.parameters():
        if type(one) is nn.Parameter:
            memo[id(one)] = nn.Parameter(one.detach(), requires_grad=False)
    memo |= {id(one): one for one in _shared(module)}
    made: nn.Module | None = None
    with Attempt():
        made = copy.deepcopy(module, memo)
    return None if made is None else made.eval().requires_grad_(False)


def rearranged(module: nn.Module, folds: Iterable[Fold], read: Collection[str], *, channels_last: bool) -> nn.Module:
    """Fold the batch normalizations of a network and lay its convolutions' weights out, in place.

    Args:
        module: A network that is nobody else's.
        folds: What can be folded.
        read: The modules whose output is read: what is between a convolution and its normalization is not folded then.
        channels_last: Whether the channels of a place stand side by side in memory.

    Returns:
        The network.
    """
    wanted = frozenset(read)
    fold(module, [one for one in folds if not one.givers & wanted])
    for layer in module.modules() if channels_last else ():
        if isinstance(layer, PLANAR) and isinstance(layer._parameters.get("weight"), Tensor):
            weight = layer.weight.detach().contiguous(memory_format=torch.channels_last)
            layer.weight = nn.Parameter(weight, requires_grad=False)
    return module


@contextlib.contextmanager
def notes_kept(module: nn.Module, other: nn.Module) -> Iterator[None]:
    """Let what a copy counts in plain attributes while the block runs be counted in the network too.

    Args:
        module: The network.
        other: Its copy.

    Yields:
        Nothing.
    """
    try:
        yield
    finally:
        parts = dict(other.named_modules())
        for name, part in module.named_modules():
            for key, value in vars(parts[name]).items() if type(parts.get(name)) is type(part) else ():
                if key not in OWN and type(value) in PLAIN and vars(part).get(key) is not value:
                    setattr(part, key, value)


def _shared(module: nn.Module) -> Iterator[object]:
    """What a copy has in common with the network beside its weights."""
    for part in module.modules():
        for name in HOOKS:
            yield from getattr(part, name, {}).values()
        for name, value in vars(part).items():
            if name not in OWN and isinstance(value, list | dict | set | deque) and not _holds_parts(value):
                yield value


def _holds_parts(value: object) -> bool:
    """Whether modules, or functions that may be bound to one, are in a collection, however deep."""
    if isinstance(value, Mapping):
        return any(map(_holds_parts, value.values()))
    if isinstance(value, list | tuple | set | deque):
        return any(map(_holds_parts, value))
    return isinstance(value, nn.Module) or callable(value)
