"""The address of one output of a network: a module, which of its calls, which part of it, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from lucidtorch.models.layers.outputs import Parts

if TYPE_CHECKING:
    from lucidtorch.models.axes.layout import Layout


@dataclass(frozen=True, slots=True)
class Address:
    """One output of a network, as `LayerTable.resolve` reads it from text.

    Args:
        module: The module's name in `named_modules()`; the empty text is the whole network.
        call: Which of the module's calls in one forward pass, from 0.
        softmax: Whether the softmax over the channels of this output is meant, as in `prob`.
        parts: The way to the tensor in an output that holds several.
        view: What is read of it: the activations where empty, otherwise a word such as `tokens`.
        layout: How the tensor becomes `[B, C, H, W]` or `[B, C]`; None where it is so already.
        index: Which token, head or step of the view; all of them where None.
    """

    module: str
    call: int = 0
    softmax: bool = False
    parts: Parts = ()
    view: str = ""
    layout: Layout | None = None
    index: int | None = None
