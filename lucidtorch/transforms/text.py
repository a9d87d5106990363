"""Pipelines as text: reading what `repr` prints."""

from __future__ import annotations

from lucidtorch.base.errors import BadInputError, ExpressionError
from lucidtorch.base.parsing import Vocabulary, parse_text
from lucidtorch.transforms.geometry import crop_or_pad_to, jitter, pad, rotate, scale
from lucidtorch.transforms.pipeline import identity, standard
from lucidtorch.transforms.transform import Pipeline

VOCABULARY = Vocabulary(
    what="transforms",
    names={word.__name__: word for word in (crop_or_pad_to, identity, jitter, pad, rotate, scale, standard)},
    operators=frozenset({"|"}),
)


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
