"""How many processes a command spreads its work over."""

from __future__ import annotations

from lucidtorch.base.machine import cores
from lucidtorch.models.model import Model


def default_workers(network: Model, threads: int = 1) -> int:
    """Choose how many processes work side by side."""
    alone = network.source is None or network.device.type != "cpu"
    return 1 if alone else max(1, cores() // threads)
