"""A network and how to look inside it: loading it, its input convention, its table of layers, its activations."""

from __future__ import annotations

from lucidtorch.models.axes.receptive_field import ReceptiveField
from lucidtorch.models.inputs.convention import InputConvention
from lucidtorch.models.inputs.expected_input import expectation
from lucidtorch.models.layers.address import Address
from lucidtorch.models.layers.layer_record import LayerRecord
from lucidtorch.models.layers.preflight import findings
from lucidtorch.models.layers.table import LayerTable
from lucidtorch.models.model import Model
from lucidtorch.models.sources.loading import load_model, load_source
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
