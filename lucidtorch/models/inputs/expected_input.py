"""What a network expects of its input, as a line of text."""

from __future__ import annotations

from collections.abc import Sequence

from lucidtorch.base.checks import checked
from lucidtorch.base.sizes import size_text
from lucidtorch.models.model import Model


@checked
def expectation(model: Model) -> str:
    """Say in a line what a network expects of its input.

    Args:
        model: The network.

    Returns:
        Channels, size, range, mean and std as the command line takes them, and whether somebody stated them or they
        are a guess.
    """
    known = model.convention
    colours = f" ({known.channel_order.upper()})" if known.channels == 3 else ""
    plural = "s" * (known.channels != 1)
    mean = _numbers(known.mean) if known.mean_image is None else f"image of {size_text(known.mean_image.shape)}"
    origin = "stated" if known.stated else "a guess"
    return (
        f"{known.channels} channel{plural}{colours}, {size_text(known.size)} pixels, "
        f"range {_numbers(known.value_range)}, mean {mean}, std {_numbers(known.std)} ({origin})"
    )


def _numbers(values: Sequence[float]) -> str:
    """Write numbers as the command line takes them, and one where all are the same."""
    distinct = values[:1] if len(set(values)) == 1 else values
    return ",".join(f"{value:g}" for value in distinct)
