"""A module of the caller's own as a network."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter

from lucidtorch.base.errors import WeightsError
from lucidtorch.models.sources.carried import carried
from lucidtorch.models.sources.found_network import FoundNetwork
from lucidtorch.models.sources.guesses import guess, guessed_input
from lucidtorch.models.sources.scripted_network import scripted_network
from lucidtorch.models.sources.weights import load_weights, read_weights

COMPILED_FROM = "_orig_mod"  # where torch.compile keeps the module that it was given


def find_in_module(module: nn.Module, weights: str | Path, name: str | None = None) -> FoundNetwork:
    """Take a module as it is, with what it carries of its input; without that, guess."""
    module = getattr(module, COMPILED_FROM, module)
    name = type(module).__name__ if name is None else name
    if weights == "random":
        raise WeightsError("weights='random' is for networks with a name; a module is taken with the weights it has.")
    file = weights if isinstance(weights, Path) else None
    if file is not None:
        load_weights(module, read_weights(file), name=name, origin=str(file))
    if any(
        isinstance(weight, UninitializedParameter | UninitializedBuffer)
        for weight in (*module.parameters(), *module.buffers())
    ):
        raise WeightsError(
            f"{name} has lazy layers, whose weights are made by a first pass; run it once before it is loaded, such as "
            "net(torch.zeros(1, 3, 224, 224))."
        )
    if isinstance(module, torch.jit.ScriptModule):
        return scripted_network(module, name, file)
    if (known := carried(module)) is not None:
        return FoundNetwork(name, module, known.convention, known.labels, file)
    return FoundNetwork(name, module, guess(*guessed_input(module)), None, file, size_known=False)
