"""What has to be known of a network that ships inside the package before it can be used."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import nn


@dataclass(frozen=True)
class NetworkCard:
    """A network that ships inside the package.

    Args:
        name: What `load_model` and the command line call it.
        build: Puts the module together, without weights and without touching torch's global random state.
        labels: Class names in the order of the logits; None where there are several heads.
        channels: Channels of its images.
        size: Side of the images it does best on, in pixels.
        mean: Per channel, subtracted from images in [0, 1].
        std: Per channel, what they are divided by afterwards.
        weights: The safetensors file; half precision in the file, to be cast to float32. The Markdown file beside it
            tells where the weights come from.
        heads: The class names of each head by the address of its layer, where there are several.
    """

    name: str
    build: Callable[[], nn.Module]
    labels: tuple[str, ...] | None
    channels: int
    size: int
    mean: tuple[float, ...]
    std: tuple[float, ...]
    weights: Path
    heads: Mapping[str, tuple[str, ...]] | None = None
