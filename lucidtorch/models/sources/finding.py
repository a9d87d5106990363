"""Which source a network comes from: its name says so, or it is a module already."""

from __future__ import annotations

import importlib.util
from pathlib import Path

from torch import nn

from lucidtorch.base.errors import BadInputError, UnknownModelError, WeightsError, suggestion
from lucidtorch.base.plugins import SUFFIX
from lucidtorch.base.seeds import OwnRandomState, derive_seed
from lucidtorch.models.inputs.convention import InputConvention
from lucidtorch.models.networks.inceptionv1 import InceptionV1, own_names
from lucidtorch.models.networks.shipped import card, names
from lucidtorch.models.sources.model_source import HF, FoundNetwork
from lucidtorch.models.sources.module_source import find_in_file, find_in_module
from lucidtorch.models.sources.program_source import SUFFIXES, find_in_program
from lucidtorch.models.sources.weights import load_weights, read_weights

INCEPTIONV1 = "inceptionv1"
INCEPTIONV1_CONVENTION = InputConvention(3, (224, 224), (-117.0, 138.0), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))
TORCHVISION, TIMM = "torchvision/", "timm/"


def package_names() -> list[str]:
    """List the networks whose code is lucidtorch's own."""
    return [*names(), INCEPTIONV1]


def _find_in_package(name: str, weights: str | Path, seed: int) -> FoundNetwork:
    shipped = None if name == INCEPTIONV1 else card(name)
    if shipped is None and weights == "default":
        raise WeightsError(
            "No weights of inceptionv1 ship with lucidtorch; give a file with weights=FILE (`--weights FILE`), "
            "or take weights='random'."
        )
    file = weights if isinstance(weights, Path) else None
    if shipped is not None and weights == "default":
        file = shipped.weights
    state = read_weights(file) if file else None
    with OwnRandomState(seed)():
        module = InceptionV1() if shipped is None else shipped.build()
    if state is not None:
        load_weights(module, own_names(state) if shipped is None else state, name=name, origin=str(file))
    if shipped is None:
        return FoundNetwork(name, module, INCEPTIONV1_CONVENTION, None, file)
    convention = InputConvention(shipped.channels, (shipped.size,) * 2, (0.0, 1.0), shipped.mean, shipped.std)
    return FoundNetwork(name, module, convention, shipped.labels, file, heads=shipped.heads)


def find(spec: str | nn.Module, weights: str | Path) -> FoundNetwork:
    """Find a network, and what is known of its input, by its name or as a module."""
    if isinstance(spec, nn.Module):
        return find_in_module(spec, weights)
    seed = derive_seed("weights", spec.rpartition("/")[2])
    if spec in package_names():
        return _find_in_package(spec, weights, seed)
    if spec.startswith((TIMM, HF)):
        return _find_in_extra(spec, weights, seed)
    if spec.endswith(SUFFIX) or spec.rpartition(":")[0].endswith(SUFFIX):
        return find_in_file(spec, weights, seed)
    if spec.endswith(SUFFIXES):
        return find_in_program(spec, weights)
    return _find_in_torchvision(spec, weights, seed)


def _find_in_extra(spec: str, weights: str | Path, seed: int) -> FoundNetwork:
    """Let an optional library build the network; each is imported only here."""
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
