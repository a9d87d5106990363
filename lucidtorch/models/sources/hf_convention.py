"""What a Hugging Face image processor does to an image, as an input convention."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import transformers

from lucidtorch.base.errors import UnknownModelError
from lucidtorch.base.trust import may_download
from lucidtorch.models.inputs.convention import ChannelOrder, InputConvention

COLOURS = 3
USUAL_SIDE = 224
WHITE = 255  # processors count a pixel's brightness from 0 to this


def convention_of(name: str, config: Any, *, fetch: bool = True) -> InputConvention:
    """Read what a network expects of its input."""
    channels = getattr(config, "num_channels", COLOURS)
    try:
        if not name:
            raise OSError("a network that a program built comes from nowhere")
        processor: Any = transformers.AutoImageProcessor.from_pretrained(
            name, trust_remote_code=False, local_files_only=not (fetch and may_download())
        )
    except (OSError, ValueError, KeyError, ImportError, AttributeError):
        size = _size(config, None)
        return InputConvention(channels, size, (0.0, 1.0), (0.0,) * channels, (1.0,) * channels, stated=False)
    try:
        mean, std = _mean_and_std(processor, channels)
    except (TypeError, ValueError) as error:
        raise UnknownModelError(f"hf/{name} states no mean and deviation that can be read: {error}.") from error
    order: ChannelOrder = "bgr" if getattr(processor, "do_flip_channel_order", False) else "rgb"
    return InputConvention(channels, _size(config, processor), _range(processor), mean, std, channel_order=order)


def _size(config: Any, processor: Any) -> tuple[int, int]:
    """Take the size from the configuration, else from what the processor makes: the crop, or the resized image."""
    stated = getattr(config, "image_size", None)
    if isinstance(stated, int):
        return stated, stated
    if isinstance(stated, Sequence):
        return int(stated[0]), int(stated[-1])
    cropped = getattr(processor, "do_center_crop", False)
    sides = dict(getattr(processor, "crop_size" if cropped else "size", None) or {})
    side = sides.get("shortest_edge") or USUAL_SIDE
    return int(sides.get("height") or side), int(sides.get("width") or side)


def _range(processor: Any) -> tuple[float, float]:
    if not getattr(processor, "do_rescale", False):
        return 0.0, float(WHITE)
    factor = processor.rescale_factor
    shift = 1.0 if getattr(processor, "rescale_offset", False) else 0.0
    return 0.0 - shift, round(WHITE * factor, 6) - shift


def _mean_and_std(processor: Any, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    mean, std = (0.0,) * channels, (1.0,) * channels
    if getattr(processor, "do_normalize", False):
        mean, std = _per_channel(processor.image_mean, channels), _per_channel(processor.image_std, channels)
    if getattr(processor, "include_top", False):  # EfficientNet's processor divides by the deviation once more
        std = tuple(a * b for a, b in zip(std, _per_channel(processor.image_std, channels), strict=True))
    return mean, std


def _per_channel(values: float | Sequence[float], channels: int) -> tuple[float, ...]:
    numbers = (values,) if isinstance(values, int | float) else tuple(values)
    return tuple(map(float, numbers * channels if len(numbers) == 1 else numbers))
