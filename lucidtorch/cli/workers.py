"""How many processes a command spreads its work over."""

from __future__ import annotations

import os

from lucidtorch.models.model import Model


def default_workers(network: Model) -> int:
    """Choose how many processes work side by side.

    Args:
        network: The network.

    Returns:
        One per core where the network is on the CPU and can be loaded by name, else one.
    """
    alone = network.source is None or network.device.type != "cpu"
    return 1 if alone else len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
