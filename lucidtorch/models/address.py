"""The address of one output of a network: a module, which of its calls, and whether softmax is taken of it."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Address:
    """One output of a network, as `LayerTable.resolve` reads it from text.

    Args:
        module: The module's name in `named_modules()`; the empty text is the whole network.
        call: Which of the module's calls in one forward pass, from 0.
        softmax: Whether the softmax over the channels of this output is meant, as in `prob`.
    """

    module: str
    call: int = 0
    softmax: bool = False
