"""A network and how to look inside it: loading it, its input convention, its table of layers, its activations."""

from __future__ import annotations

from lucidtorch.models.inputs.convention import InputConvention
from lucidtorch.models.layers.table import LayerRecord, LayerTable
from lucidtorch.models.layouts.receptive_field import ReceptiveField
from lucidtorch.models.loading import load_model, load_source
from lucidtorch.models.model import Model
from lucidtorch.models.preflight import expectation, findings
from lucidtorch.models.running.address import Address
from lucidtorch.models.sources.model_source import ModelSource

__all__ = [
    "Address",
    "InputConvention",
    "LayerRecord",
    "LayerTable",
    "Model",
    "ModelSource",
    "ReceptiveField",
    "expectation",
    "findings",
    "load_model",
    "load_source",
]
