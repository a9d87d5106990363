"""A network and how to look inside it: loading it, its input convention, its table of layers, its activations."""

from __future__ import annotations

from lucidtorch.models.address import Address
from lucidtorch.models.convention import InputConvention
from lucidtorch.models.layer_record import LayerRecord
from lucidtorch.models.layers import LayerTable
from lucidtorch.models.model import Model
from lucidtorch.models.model_source import ModelSource
from lucidtorch.models.receptive_field import ReceptiveField
from lucidtorch.models.sources import load_model, load_source

__all__ = [
    "Address",
    "InputConvention",
    "LayerRecord",
    "LayerTable",
    "Model",
    "ModelSource",
    "ReceptiveField",
    "load_model",
    "load_source",
]
