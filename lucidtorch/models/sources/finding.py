"""Which source a network comes from: its name says so, or it is a module already."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from torch import nn

from lucidtorch.base.errors import BadInputError, UnknownModelError, suggestion
from lucidtorch.base.seeds import derive_seed
from lucidtorch.models.sources.file_source import SUFFIX, find_in_file
from lucidtorch.models.sources.found_network import FoundNetwork
from lucidtorch.models.sources.model_source import HF
from lucidtorch.models.sources.module_source import find_in_module
from lucidtorch.models.sources.package_source import find_in_package, package_names
from lucidtorch.models.sources.program_source import SUFFIXES, find_in_program

TORCHVISION, TIMM = "torchvision/", "timm/"


def find(spec: str | nn.Module, weights: str | Path) -> FoundNetwork:
    """Find a network, and what is known of its input, by its name or as a module."""
    if isinstance(spec, nn.Module):
        return find_in_module(spec, weights)
    if not isinstance(spec, str):
        raise UnknownModelError(f"A network is a name or a torch.nn.Module, but {type(spec).__name__} was given.")
    seed = derive_seed("weights", spec.rpartition("/")[2])
    if spec in package_names():
        return find_in_package(spec, weights, seed)
    if spec.startswith((TIMM, HF)):
        return _find_in_extra(spec, weights, seed)
    if spec.endswith(SUFFIX) or spec.rpartition(":")[0].endswith(SUFFIX):
        return find_in_file(spec, weights, seed)
    if spec.endswith(SUFFIXES):
        return find_in_program(spec, weights)
    return _find_in_torchvision(spec, weights, seed)


def _find_in_extra(spec: str, weights: str | Path, seed: int) -> FoundNetwork:
    """Let an optional library build the network; each is loaded only when a network of it is asked for."""
    if spec.startswith(TIMM):
        _require("timm", "timm", spec)
        from lucidtorch.models.sources.timm_source import find_in_timm

        return find_in_timm(spec.removeprefix(TIMM), weights, seed)
    _require("transformers", "hf", spec)
    from lucidtorch.models.sources.hf_source import find_in_hf

    return find_in_hf(spec.removeprefix(HF), weights, seed)


def _require(package: str, extra: str, spec: str) -> None:
    if importlib.util.find_spec(package) is None:
        raise BadInputError(f"{spec} needs {package}, which is not installed: pip install 'lucidtorch[{extra}]'")


def _find_in_torchvision(spec: str, weights: str | Path, seed: int) -> FoundNetwork:
    # Here and not at the top: torchvision takes long to import, and the package's own networks do without.
    from lucidtorch.models.sources.torchvision_source import find_in_torchvision, torchvision_names, why_refused

    name = spec.removeprefix(TORCHVISION)
    known = torchvision_names()
    if name in known:
        return find_in_torchvision(name, weights, seed)
    reason = why_refused(name)
    if reason is not None:
        raise UnknownModelError(reason)
    raise UnknownModelError(
        f"There is no network {spec!r}. {suggestion(name, [*package_names(), *known])} It can be a name of "
        f"torchvision's, {', '.join(package_names())}, timm/NAME, hf/NAME, FILE.py:FUNCTION, FILE.pt2, or, in Python, "
        "any torch.nn.Module."
    )
