"""Which source a network comes from: its name says so, or it is a module already."""

from __future__ import annotations

from pathlib import Path

from torch import nn

from lucidtorch.base.errors import UnknownModelError, suggestion
from lucidtorch.base.seeds import derive_seed
from lucidtorch.models.found_network import FoundNetwork
from lucidtorch.models.module_source import find_in_module
from lucidtorch.models.package_source import find_in_package, package_names

TORCHVISION = "torchvision/"


def find(spec: str | nn.Module, weights: str | Path) -> FoundNetwork:
    """Find a network, and what is known of its input, by its name or as a module.

    Args:
        spec: A module, or the name of a network as `load_model` takes it.
        weights: `default`, `random`, or a file.

    Returns:
        The network with its weights in it.

    Raises:
        UnknownModelError: There is no network of that name.
        WeightsError: The weights cannot be used.
    """
    if isinstance(spec, nn.Module):
        return find_in_module(spec, weights)
    if not isinstance(spec, str):
        raise UnknownModelError(f"A network is a name or a torch.nn.Module, but {type(spec).__name__} was given.")
    seed = derive_seed("weights", spec.removeprefix(TORCHVISION))
    if spec in package_names():
        return find_in_package(spec, weights, seed)
    # Here and not at the top: torchvision takes long to import, and the package's own networks do without.
    from lucidtorch.models.torchvision_source import find_in_torchvision, torchvision_names

    name = spec.removeprefix(TORCHVISION)
    if name not in torchvision_names():
        known = [*package_names(), *torchvision_names()]
        raise UnknownModelError(
            f"There is no network {spec!r}. {suggestion(name, known)} It can be a torchvision classifier, "
            f"{', '.join(package_names())}, or, in Python, any torch.nn.Module."
        )
    return find_in_torchvision(name, weights, seed)
