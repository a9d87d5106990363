"""A network held still: evaluation mode, no weight gradients, and everything given back afterwards."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

from torch import nn


@contextlib.contextmanager
def frozen(module: nn.Module) -> Iterator[None]:
    """Hold a network still while the block runs.

    Every module is in evaluation mode and no weight asks for a gradient; afterwards, after an error or an interrupt too,
    each training flag and each `requires_grad` is what it was.

    Args:
        module: The network.

    Yields:
        Nothing.
    """
    training = [one for one in module.modules() if one.training]
    learning = [weight for weight in module.parameters() if weight.requires_grad]
    try:
        for one in training:
            one.training = False
        for weight in learning:
            weight.requires_grad_(False)
        yield
    finally:
        for one in training:
            one.training = True
        for weight in learning:
            weight.requires_grad_(True)
