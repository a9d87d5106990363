"""Pipelines that have a name of their own."""

from __future__ import annotations

from lucidtorch.transforms.geometry import jitter, pad, rotate, scale
from lucidtorch.transforms.transform import Pipeline


def identity() -> Pipeline:
    """Show the network the image as it is.

    Returns:
        An empty pipeline.
    """
    return Pipeline()


def standard() -> Pipeline:
    """Lucid's standard robustness pipeline, as one warp per image on a canvas 24 pixels larger than the image.

    The canvas is never cropped back and never enlarged: that is what the network sees.

    Returns:
        ``pad(12) | jitter(8) | scale(0.9, 1.1) | rotate(-10, 10) | jitter(4)``.
    """
    return Pipeline((pad(12), jitter(8), scale(0.9, 1.1), rotate(-10, 10), jitter(4)))
