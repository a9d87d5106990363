"""Telling networks apart by a checksum of all that decides what they compute."""

from __future__ import annotations

import hashlib

import torch

from lucidtorch.models.model import Model


def network_key(model: Model) -> str | None:
    """Sum up everything about a network that decides what it makes of images.

    Args:
        model: The network; one that only a Python program has counts with all its weights.

    Returns:
        A checksum; None where its input or output is a function, which has no value to compare.
    """
    if not model.is_data:
        return None
    source = None if model.source is None else model.source.to_dict()
    digest = hashlib.sha256(f"{source} {model.convention} {model.device.type} {model.dtype} {model.output}".encode())
    if source is None:
        for name, value in (*model.module.state_dict().items(), *model.feed.tensors.items()):
            digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
            digest.update(value.detach().cpu().flatten().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
