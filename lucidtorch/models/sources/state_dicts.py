"""State dicts as training scripts keep them: what they are wrapped in, and what stands before their names."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from typing import TypeAlias

from torch import Tensor

State: TypeAlias = Mapping[str, Tensor]

# Under which scripts keep the weights, and averages of them, which count where there is nothing else.
AVERAGES = ("state_dict_ema", "model_ema", "ema", "ema_state_dict", "params_ema")
WRAPPERS = ("state_dict", "model_state_dict", "model", "module", "net", "network", "params", "weights", *AVERAGES)
PARALLEL_PREFIX = "module."  # what DataParallel puts before every name
COMPILED_PART = "_orig_mod."  # what torch.compile puts before the names of what it compiled
AVERAGE_COUNTER = "n_averaged"  # what torch's AveragedModel keeps beside the weights
OPTIONAL_SUFFIX = "num_batches_tracked"  # files older than torch 0.4.1 lack this counter, which eval mode never reads
NAMES_SHOWN = 3
DEEPEST = 16  # wrappers in wrappers; a file may hold a mapping that holds itself


def unwrapped(held: object) -> dict[str, Tensor] | None:
    """Find the state dict in what a file holds: under a usual name, or as the only thing that looks like one."""
    for _ in range(DEEPEST):
        if not isinstance(held, Mapping):
            return None
        if _is_state(held):
            return _bare(held)
        usual = [held[key] for key in WRAPPERS if isinstance(held.get(key), Mapping)]
        others = [value for value in held.values() if _is_state(value)]
        held = usual[0] if usual else others[0] if len(others) == 1 else None
    return None


def renamed(own: State, state: State) -> State:
    """Take the beginning off that all names share, or put that of the network on, where all of them fit then."""
    shorter = ({key[cut:]: value for key, value in state.items()} for cut in _cuts(state))
    longer = ({next(iter(own))[:cut] + key: value for key, value in state.items()} for cut in _cuts(own))
    for candidate in (state, *shorter, *longer):
        if not _missing(own, candidate) and not _missing(candidate, own):
            return candidate
    return state


def differences(own: State, state: State) -> list[str]:
    """Say how a state dict differs from a network's."""
    reshaped = [
        f"{key} ({list(state[key].shape)} in the file, {list(own[key].shape)} in the network)"
        for key in own
        if key in state and state[key].shape != own[key].shape
    ]
    said = (
        ("missing in the file", _missing(own, state)),
        ("unknown to the network", _missing(state, own)),
        ("of other shape", reshaped),
    )
    return [f"{what}: {listed(keys)}" for what, keys in said if keys]


def listed(keys: Iterable[str]) -> str:
    """Write the first of many names."""
    names = list(keys)
    rest = len(names) - NAMES_SHOWN
    return ", ".join(names[:NAMES_SHOWN]) + (f" and {rest} more" if rest > 0 else "")


def _is_state(held: object) -> bool:
    return (
        isinstance(held, Mapping)
        and len(held) > 0
        and all(isinstance(name, str) and isinstance(value, Tensor) for name, value in held.items())
    )


def _bare(state: State) -> dict[str, Tensor]:
    bare = {name.replace(COMPILED_PART, ""): value for name, value in state.items()}
    weights = {name: value for name, value in bare.items() if name != AVERAGE_COUNTER}
    if weights and all(name.startswith(PARALLEL_PREFIX) for name in weights):
        return _bare({name.removeprefix(PARALLEL_PREFIX): value for name, value in weights.items()})
    return bare


def _missing(wanted: State, given: State) -> list[str]:
    return [key for key in wanted if key not in given and not key.endswith(OPTIONAL_SUFFIX)]


def _cuts(names: Iterable[str]) -> Iterator[int]:
    """Say after how many letters all names have a dot in common."""
    shared = os.path.commonprefix(list(names))  # noqa: RUF071  # of letters, which is what is wanted here
    return (place + 1 for place, letter in enumerate(shared) if letter == ".")
