"""Constraints as text: reading what `repr` prints."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from lucidtorch.base.checks import checked
from lucidtorch.base.errors import BadInputError, ExpressionError
from lucidtorch.base.parsing import Vocabulary, parse_text
from lucidtorch.base.registry import Registry
from lucidtorch.constraints.constraint import Constraints
from lucidtorch.constraints.published import blur, clip_contribution, clip_norm, decay, l2_ball, linf_ball, yosinski

WORDS = (blur, clip_contribution, clip_norm, decay, l2_ball, linf_ball, yosinski)
REGISTRY: Registry[Callable[..., Any]] = Registry.of("constraint", WORDS, "lucidtorch.constraints")
VOCABULARY = Vocabulary("constraints", REGISTRY, frozenset({"|", "/"}), REGISTRY)
register = REGISTRY.register


@checked
def parse(text: str, folder: Path | None = None) -> Constraints:
    """Read constraints from their text, without running any Python.

    Args:
        text: Constraints joined by `|`, for example ``decay(0.01) | blur(0.5)``; the empty text for none.
        folder: Where the array files that the text names stand; the current folder where None.

    Returns:
        The constraints; ``parse(repr(c))`` equals ``c``.

    Raises:
        ExpressionError: It does not parse; the message ends with the text and a caret under the column.
    """
    if not text.strip():
        return Constraints()
    found = parse_text(text, VOCABULARY, folder)
    try:
        return Constraints.of(found)
    except BadInputError as error:
        raise ExpressionError(f"{error}\n  {text.strip()}") from error
