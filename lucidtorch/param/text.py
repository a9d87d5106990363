"""Params as text: reading what `repr` prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lucidtorch.base.checks import checked
from lucidtorch.base.errors import ExpressionError
from lucidtorch.base.parsing import Vocabulary, parse_text
from lucidtorch.base.registry import Registry
from lucidtorch.param.bases import fft, pixels, pyramid
from lucidtorch.param.fixed_magnitude import maco
from lucidtorch.param.images import image
from lucidtorch.param.param import Param, stack
from lucidtorch.param.pattern_network import cppn
from lucidtorch.param.series import aligned, animation, shared

WORDS = (image, stack, aligned, animation, cppn, fft, maco, pixels, pyramid, shared)
REGISTRY: Registry[Callable[..., Any]] = Registry.of("param", WORDS, "lucidtorch.params")
VOCABULARY = Vocabulary("a param", REGISTRY, frozenset({"+"}), REGISTRY, mappings=True)
register = REGISTRY.register


@checked
def parse(text: str, folder: Path | None = None) -> Param:
    """Read a param from its text, without running any Python.

    Args:
        text: For example ``image(128, fft=False)`` or ``image(128, batch=6) + shared([1, 3, 16, 16])``.
        folder: Where the array files that the text names stand; the current folder where None.

    Returns:
        The param, unfilled; it prints as the text says.

    Raises:
        ExpressionError: It does not parse; the message ends with the text and a caret under the column.
    """
    found = parse_text(text, VOCABULARY, folder)
    if not isinstance(found, Param):
        raise ExpressionError(f"A param is needed, but {text.strip()!r} gives {found!r}; write for example image(128).")
    return found
