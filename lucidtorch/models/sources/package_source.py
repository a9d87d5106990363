"""The networks whose code is lucidtorch's own: the small ones that ship with their weights, and InceptionV1."""

from __future__ import annotations

from pathlib import Path

from lucidtorch.base.errors import WeightsError
from lucidtorch.base.seeds import OwnRandomState
from lucidtorch.models.inputs.convention import InputConvention
from lucidtorch.models.networks.inceptionv1 import InceptionV1, own_names
from lucidtorch.models.networks.shipped import card, names
from lucidtorch.models.sources.found_network import FoundNetwork
from lucidtorch.models.sources.weights import load_weights, read_weights

INCEPTIONV1 = "inceptionv1"
INCEPTIONV1_CONVENTION = InputConvention(3, (224, 224), (-117.0, 138.0), (0.0, 0.0, 0.0), (1.0, 1.0, 1.0))


def package_names() -> list[str]:
    """List the networks whose code is lucidtorch's own."""
    return [*names(), INCEPTIONV1]


def find_in_package(name: str, weights: str | Path, seed: int) -> FoundNetwork:
    """Build one of lucidtorch's own networks and put weights into it."""
    return _inceptionv1(weights, seed) if name == INCEPTIONV1 else _shipped(name, weights, seed)


def _shipped(name: str, weights: str | Path, seed: int) -> FoundNetwork:
    entry = card(name)
    file = entry.weights if weights == "default" else weights if isinstance(weights, Path) else None
    state = read_weights(file) if file else None
    with OwnRandomState(seed)():
        module = entry.build()
    if state is not None:
        load_weights(module, state, name=name, origin=str(file))
    convention = InputConvention(entry.channels, (entry.size, entry.size), (0.0, 1.0), entry.mean, entry.std)
    return FoundNetwork(name, module, convention, entry.labels, file, heads=entry.heads)


def _inceptionv1(weights: str | Path, seed: int) -> FoundNetwork:
    if weights == "default":
        raise WeightsError(
            "No weights of inceptionv1 ship with lucidtorch; give a file with weights=FILE (`--weights FILE`), "
            "or take weights='random'."
        )
    file = weights if isinstance(weights, Path) else None
    state = own_names(read_weights(file)) if file else None
    with OwnRandomState(seed)():
        module = InceptionV1()
    if state is not None:
        load_weights(module, state, name=INCEPTIONV1, origin=str(file))
    return FoundNetwork(INCEPTIONV1, module, INCEPTIONV1_CONVENTION, None, file)
