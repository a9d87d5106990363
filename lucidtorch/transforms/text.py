"""Pipelines as text: reading what `repr` prints."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from types import FunctionType, ModuleType

from lucidtorch.base.checks import checked
from lucidtorch.base.errors import BadInputError, ExpressionError
from lucidtorch.base.parsing import Vocabulary, parse_text
from lucidtorch.transforms import (
    backgrounds,
    blurs,
    boxes,
    distortions,
    geometry,
    gradients,
    noises,
    pads,
    pipeline,
    ranges,
    tints,
)
from lucidtorch.transforms.meshes import view
from lucidtorch.transforms.ranges import Group
from lucidtorch.transforms.transform import Pipeline, Transform

# Every module with words of the notation: transforms, pipelines that have a name, and numbers for their lists.
MODULES = (backgrounds, blurs, boxes, distortions, geometry, gradients, noises, pads, pipeline, ranges, tints, view)


def words(module: ModuleType) -> Iterator[Callable[..., object]]:
    """Go through the words of the notation that a module defines: its own names in lower case."""
    for name, value in vars(module).items():
        own = getattr(value, "__module__", None) == module.__name__ and not name.startswith("_")
        if own and name.islower() and _is_word(value):
            yield value


def _is_word(value: object) -> bool:
    if isinstance(value, type):
        return issubclass(value, Transform | Group) and not inspect.isabstract(value)
    return isinstance(value, FunctionType) and value.__annotations__.get("return") == Pipeline.__name__


VOCABULARY = Vocabulary(
    what="transforms",
    names={word.__name__: word for module in MODULES for word in words(module)},
    operators=frozenset({"|"}),
)


@checked
def parse(text: str) -> Pipeline:
    """Read a pipeline from its text, without running any Python.

    Args:
        text: Transforms joined by `|`, for example ``pad(12) | jitter(8)``.

    Returns:
        The pipeline; ``parse(repr(p))`` equals ``p``.

    Raises:
        ExpressionError: It does not parse; the message ends with the text and a caret under the column.
    """
    found = parse_text(text, VOCABULARY)
    try:
        return Pipeline.of(found)
    except BadInputError as error:
        raise ExpressionError(f"{error}\n  {text.strip()}") from error
