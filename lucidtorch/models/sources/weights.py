"""Weights files: reading them safely, and loading them whole or not at all."""

from __future__ import annotations

import hashlib
import pickle
import re
import warnings
from collections.abc import Mapping
from pathlib import Path

import safetensors
import safetensors.torch
import torch
from torch import Tensor, nn

from lucidtorch.base.errors import WeightsError
from lucidtorch.models.sources.state_dicts import differences, renamed, unwrapped

SUFFIXES = (".safetensors", ".pth", ".pt")
BLOCK = 1 << 20
REFUSED_NAME = re.compile(r"(?:GLOBAL|global|function|class) ([\w.]+\.[\w.]+)")


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
