"""Telling networks apart by a checksum of all that decides what they compute."""

from __future__ import annotations

import hashlib
from typing import Any

import torch

from lucidtorch.models.model import Model
from lucidtorch.models.sources.model_source import ModelSource


def network_key(model: Model) -> str | None:
    """Sum up everything about a network that decides what it makes of images."""
    if not model.is_data:
        return None
    source = None if model.source is None else _facts(model.source)
    digest = hashlib.sha256(f"{source} {model.convention} {model.device.type} {model.dtype} {model.output}".encode())
    if source is None:
        for name, value in (*model.module.state_dict().items(), *model.feed.tensors.items()):
            digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
            digest.update(value.detach().cpu().flatten().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _facts(source: ModelSource) -> dict[str, Any]:
    """What decides the values of a network that can be loaded again: files by what they hold and not by their paths."""
    facts = source.to_dict()
    told = {"sha256": "weights", "mean_sha256": "mean"}
    left_out = {"labels", "labels_sha256", *(path for checksum, path in told.items() if checksum in facts)}
    return {name: value for name, value in facts.items() if name not in left_out}
