"""Weights files: reading them safely, and loading them whole or not at all."""

from __future__ import annotations

import hashlib
import os
import pickle
import re
import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import TypeAlias

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from lucidtorch.base.errors import WeightsError

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
SUFFIXES = (".safetensors", ".pth", ".pt")
BLOCK = 1 << 20
REFUSED_NAME = re.compile(r"(?:GLOBAL|global|function|class) ([\w.]+\.[\w.]+)")


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


def read_weights(path: Path) -> dict[str, Tensor]:
    """Read a state dict from a file, without running anything that the file holds."""
    check_weights_path(path)
    held = _read_safetensors(path) if path.suffix == ".safetensors" else _read_pickle(path)
    state = unwrapped(held)
    if state is None:
        raise WeightsError(
            f"{path} holds no state dict (names and tensors); save one with torch.save(module.state_dict(), FILE)."
        )
    return state


def check_weights_path(path: Path) -> None:
    """Refuse a path that cannot be a weights file."""
    if path.suffix not in SUFFIXES:
        raise WeightsError(
            f"weights={str(path)!r} is none of 'default', 'random' and a file that ends in {', '.join(SUFFIXES)}."
        )
    if not path.is_file():
        raise WeightsError(f"There is no weights file {path}; give the path of one, or weights='random'.")


def load_weights(module: nn.Module, state: Mapping[str, Tensor], *, name: str, origin: str) -> None:
    """Load a state dict into a network after checking all of it, so that nothing is ever loaded by half.

    Where all names begin alike, as those of Lightning's checkpoints do, and are the network's own without that
    beginning, it is taken off; likewise one that only the network has is put on.
    """
    own = module.state_dict()
    state = renamed(own, state)
    found = differences(own, state)
    if found:
        raise WeightsError(f"{origin} holds the weights of another network than {name}; {'; '.join(found)}.")
    own.update((key, state[key]) for key in list(own) if key in state)  # keeps the versions that networks note in it
    module.load_state_dict(own, strict=True)


def fits(module: nn.Module, state: Mapping[str, Tensor]) -> bool:
    """Say whether a state dict is one that `load_weights` takes."""
    own = module.state_dict()
    return not differences(own, renamed(own, state))


def file_sha256(path: Path) -> str:
    """Compute the SHA-256 of a file, so that a picture can name exactly the weights it was made with."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _read_safetensors(path: Path) -> object:
    try:
        return safetensors.torch.load_file(path)
    except (safetensors.SafetensorError, OSError, ValueError) as error:
        raise _broken(path, error) from error


def _read_pickle(path: Path) -> object:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of the pickle's protocol; what matters is refused below
            return torch.load(path, map_location="cpu", weights_only=True)
    except pickle.UnpicklingError as error:
        raise _refused_or_broken(path, error) from error
    except (RuntimeError, OSError, EOFError, ValueError, LookupError, TypeError, AttributeError) as error:
        if "TorchScript" in str(error):
            raise WeightsError(
                f"{path} is a TorchScript program, not a state dict; save torch.jit.load(FILE).state_dict() instead."
            ) from error
        raise _broken(path, error) from error


def _refused_or_broken(path: Path, error: pickle.UnpicklingError) -> WeightsError:
    found = REFUSED_NAME.search(str(error))
    if found is None:
        return _broken(path, error)
    return WeightsError(
        f"{path} holds more than tensors (it asks for {found.group(1)}), and opening it could run code, so it was "
        "not opened; save torch.save(module.state_dict(), FILE), or a .safetensors file."
    )


def _broken(path: Path, error: Exception) -> WeightsError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return WeightsError(f"{path} is broken or no weights file ({reason[:120]}); fetch or save it again.")
