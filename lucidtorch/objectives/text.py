"""Objectives as text: reading what `repr` prints, and the short form `layer:unit`."""

from __future__ import annotations

import operator
from collections.abc import Callable
from pathlib import Path
from typing import Any

from lucidtorch.base.checks import checked
from lucidtorch.base.errors import BadInputError, ExpressionError
from lucidtorch.base.parsing import Vocabulary, parse_text
from lucidtorch.base.shown import cut_lines, shown
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.images import each, grid, interpolate, negative
from lucidtorch.objectives.joins import after, before, maximum, mean, minimum, of, ramp, total
from lucidtorch.objectives.term import DEFINITIONS

DEEPEST = 100  # levels of nesting; what is deeper could not be printed or hashed


@checked
def parse(text: str, folder: Path | None = None) -> Objective:
    """Read an objective from its text, without running any Python.

    Args:
        text: An expression such as ``channel('conv4_1', 12) - 100 * diversity('conv4_1')``; ``conv4_1:12`` is short
            for the channel.
        folder: Where the array files that the text names stand; the current folder where None.

    Returns:
        The objective; ``parse(repr(o))`` equals ``o``.

    Raises:
        ExpressionError: It does not parse; the message ends with the text and a caret under the column.

    Example:
        >>> parse("conv4_1:12 - 100 * diversity('conv4_1')")
        channel('conv4_1', 12) - 100 * diversity('conv4_1')
    """
    found = parse_text(text, vocabulary(), folder)
    if not isinstance(found, Objective):
        raise ExpressionError(
            f"An objective is needed, but {shown(text.strip())} gives {shown(found)}; write for example conv4_1:12."
        )
    if _depth(found) > DEEPEST:
        shortened = cut_lines(text.strip())
        raise ExpressionError(f"This is nested more than {DEEPEST} levels deep; use sums or each.\n  {shortened}")
    try:
        found.images  # noqa: B018  # contradictions about the number of images are found here
    except BadInputError as error:
        raise ExpressionError(f"{error}\n  {cut_lines(text.strip())}") from error
    return found


def _depth(found: Objective) -> int:
    """Count the levels of an expression without descending by recursion."""
    level: list[Objective] = [found]
    depth = 0
    while level and depth <= DEEPEST:
        level = [child for node in level for child in node.objectives]
        depth += 1
    return depth


def vocabulary() -> Vocabulary:
    """Say which words the text of an objective may use."""
    names: dict[str, Callable[..., Any]] = {name: known.factory for name, known in DEFINITIONS.items()}
    joining = (after, before, each, grid, interpolate, maximum, mean, minimum, negative, of, ramp)
    names |= {word.__name__: word for word in joining} | {"sum": total}
    return Vocabulary(
        what="an objective",
        names=names,
        operators=frozenset({"+", "-", "*", "/", "**"}),
        registry=DEFINITIONS,
        called=operator.attrgetter("factory"),
        methods=frozenset({"on"}),
        shorthand="channel",
    )
