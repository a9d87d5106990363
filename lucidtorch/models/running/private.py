"""A copy of a network that a render may rearrange for speed: the user's own is never touched."""

from __future__ import annotations

import contextlib
import copy
from collections import deque
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import partial

import torch
from torch import Tensor, nn

from lucidtorch.base.surroundings import one_at_a_time
from lucidtorch.models.running.address import Address
from lucidtorch.models.running.capture import capture
from lucidtorch.models.running.convolutions import rearrange
from lucidtorch.models.running.folding import HOOKS, Fold, fold
from lucidtorch.models.running.frozen import Attempt, probing
from lucidtorch.models.running.winograd import with_winograd

OWN = frozenset(vars(nn.Module()))  # what every module has in itself
PLAIN = (bool, int, float, str, type(None))
PLANAR = (nn.Conv2d, nn.ConvTranspose2d)


def private_copy(module: nn.Module) -> nn.Module | None:
    """Copy a network in eval mode that shares its weights: they stand in memory once, and ask for no gradient there.

    What is not finite among the weights is zero in the copy: on the way back it would reach every unit of its layer.
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
