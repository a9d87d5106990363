"""A network that was saved together with its code: by `torch.export` (`.pt2`), or as TorchScript (`.pt`)."""

from __future__ import annotations

import logging
import pickle
import warnings
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from lucidtorch.base.errors import LucidtorchWarning, UnknownModelError, WeightsError
from lucidtorch.base.files import user_path
from lucidtorch.base.trust import check_program, check_read
from lucidtorch.models.inputs.convention import COLOURS, USUAL_CLIP, USUAL_SIDE, guess
from lucidtorch.models.sources.model_source import FoundNetwork

CONVOLUTION_DIMENSIONS = (4, 5)  # of a weight: [out, in, h, w] and [out, in, t, h, w]
CLOSED = (
    "TorchScript keeps its inner layers to itself: load the Python class with its state dict, or export the "
    "network with torch.export."
)
EXPORTED, SCRIPTED = ".pt2", ".pt"
SUFFIXES = (EXPORTED, SCRIPTED, ".pth", ".safetensors")
SCRIPTS_OWN = "/constants.pkl"  # what a TorchScript archive holds and a state dict's does not
IMAGE_DIMENSIONS = (4, 5)  # [B, C, H, W] and [B, C, T, H, W]
UNREADABLE = (
    RuntimeError,
    ValueError,
    OSError,
    LookupError,
    AttributeError,
    TypeError,
    AssertionError,
    zipfile.BadZipFile,
    pickle.UnpicklingError,
)


def scripted_network(program: nn.Module, name: str, file: Path | None) -> FoundNetwork:
    """Take a TorchScript program as a network."""
    first = next((one.shape for one in program.parameters() if one.dim() in CONVOLUTION_DIMENSIONS), None)
    size = USUAL_CLIP if first is not None and len(first) == max(CONVOLUTION_DIMENSIONS) else (USUAL_SIDE, USUAL_SIDE)
    expected = guess(COLOURS if first is None else first[1], size)
    return FoundNetwork(name, ScriptedNetwork(program), expected, None, file, size_known=False, note=CLOSED)


class ScriptedNetwork(nn.Module):
    """A TorchScript program, whose parts take no hooks and are therefore not among its modules.

    Args:
        program: What `torch.jit.load` gave.
    """

    def __init__(self, program: nn.Module) -> None:
        super().__init__()
        self.program = program

    def forward(self, images: Tensor) -> Any:
        """Run the program."""
        return self.program(images)

    def named_modules(
        self, memo: set[nn.Module] | None = None, prefix: str = "", remove_duplicate: bool = True
    ) -> Iterator[tuple[str, nn.Module]]:
        """List only the network itself."""
        yield prefix, self

    def named_parameters(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, nn.Parameter]]:
        """List the weights of the program."""
        return self.program.named_parameters(prefix, recurse, remove_duplicate)

    def named_buffers(
        self, prefix: str = "", recurse: bool = True, remove_duplicate: bool = True
    ) -> Iterator[tuple[str, Tensor]]:
        """List the buffers of the program."""
        return self.program.named_buffers(prefix, recurse, remove_duplicate)


def find_in_program(spec: str, weights: str | Path) -> FoundNetwork:
    """Load a network that was saved together with its code.

    The modules of an exported program can be captured as those of the network that it was exported from; of a
    TorchScript program only its own output can.
    """
    path = user_path(spec)
    check_read(path)
    if not path.is_file():
        raise UnknownModelError(f"There is no file {path}.")
    if (path.suffix == SCRIPTED and not _is_script(path)) or path.suffix not in (EXPORTED, SCRIPTED):
        raise UnknownModelError(f"{path} holds no network but weights; name the network too: NETWORK, weights={path}.")
    if weights != "default":
        raise WeightsError(f"{path} holds a network together with its weights; leave weights={str(weights)!r} out.")
    check_program(path)
    return _exported(path.name, path) if path.suffix == EXPORTED else _scripted(path.name, path)


def _is_script(path: Path) -> bool:
    if not zipfile.is_zipfile(path):
        return False
    with zipfile.ZipFile(path) as archive:
        return any(name.endswith(SCRIPTS_OWN) for name in archive.namelist())


def _scripted(name: str, path: Path) -> FoundNetwork:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", FutureWarning)  # torch's, that TorchScript is on its way out
            program: nn.Module = torch.jit.load(path, map_location="cpu")  # type: ignore[no-untyped-call]
    except (RuntimeError, ValueError, OSError) as error:
        raise _broken(path, error) from error
    return scripted_network(program.eval(), name, path)


def _exported(name: str, path: Path) -> FoundNetwork:
    program = _loaded(path)
    shape, is_fixed = _input_of(program)
    if len(shape) not in IMAGE_DIMENSIONS:
        raise UnknownModelError(f"{path} takes {shape}, where [B, C, H, W] or [B, C, T, H, W] is needed.")
    if any(is_fixed[2:]):
        warnings.warn(
            f"{path} was exported for {'x'.join(map(str, shape[2:]))} pixels and refuses what differs; export it with "
            "dynamic_shapes to have other sizes.",
            LucidtorchWarning,
            stacklevel=6,  # whoever calls load_model
        )
    network = torch.export.unflatten(program)
    return FoundNetwork(name, network, guess(shape[1], tuple(shape[2:])), None, path, size_known=True)


def _loaded(path: Path) -> Any:
    """Read an exported program; torch's own report of why it cannot is left to our message."""
    logger = logging.getLogger("torch.export")
    level = logger.level
    logger.setLevel(logging.CRITICAL)
    try:
        return torch.export.load(path)
    except UNREADABLE as error:
        raise _broken(path, error) from error
    finally:
        logger.setLevel(level)


def _input_of(program: Any) -> tuple[list[int], list[bool]]:
    """Read the shape of the first input, and which of its sides are fixed."""
    wanted = program.graph_signature.user_inputs[0]
    symbol = next(node.meta["val"] for node in program.graph.nodes if node.name == wanted)
    is_fixed = [isinstance(side, int) for side in symbol.shape]
    example = next(iter(program.example_inputs[0]), symbol) if program.example_inputs else symbol
    sides = [int(side) if isinstance(side, int) else USUAL_SIDE for side in getattr(example, "shape", symbol.shape)]
    return sides, is_fixed


def _broken(path: Path, error: Exception) -> UnknownModelError:
    reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
    return UnknownModelError(f"{path} is broken or no such program ({reason[:120]}); save it again.")
