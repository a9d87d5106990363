"""Pipelines as text: reading what `repr` prints."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lucidtorch.base.checks import checked
from lucidtorch.base.errors import BadInputError, ExpressionError
from lucidtorch.base.parsing import Vocabulary, parse_text
from lucidtorch.base.registry import Registry
from lucidtorch.transforms.distortions import perspective, random_crop, rotate, scale, shear
from lucidtorch.transforms.geometry import crop, crop_or_pad_to, flip, jitter, pad
from lucidtorch.transforms.meshes.view import textured
from lucidtorch.transforms.noises import background, colour_noise, noise, uniform_noise
from lucidtorch.transforms.pipeline import atlas, crops, identity, standard, strong
from lucidtorch.transforms.ranges import powers, span
from lucidtorch.transforms.tints import blur, colour_jitter, normalize_gradient
from lucidtorch.transforms.transform import Pipeline

TRANSFORMS = (
    *(background, blur, random_crop, scale, rotate, shear, perspective, jitter, flip, crop, crop_or_pad_to),
    *(normalize_gradient, noise, uniform_noise, colour_noise, pad, colour_jitter, textured),
)
PIPELINES = (identity, standard, strong, atlas, crops)
REGISTRY: Registry[Callable[..., Any]] = Registry.of(
    "transform", (*TRANSFORMS, *PIPELINES, span, powers), "lucidtorch.transforms"
)
VOCABULARY = Vocabulary("transforms", REGISTRY, frozenset({"|"}), REGISTRY)
register = REGISTRY.register


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
