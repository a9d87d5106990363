"""Clips and volumes as pictures: their frames, or slices, side by side."""

from __future__ import annotations

from torch import Tensor

from lucidtorch.base.images import sheet

FRAMES = 8  # a longer clip is shown by so many of its frames


def shown_frames(count: int) -> tuple[int, ...]:
    """Choose the frames that stand for a clip: all of a short one, else some from the first to the last, evenly."""
    if count <= FRAMES:
        return tuple(range(count))
    return tuple(round(place * (count - 1) / (FRAMES - 1)) for place in range(FRAMES))


def strip(clip: Tensor) -> Tensor:
    """Lay the frames of a clip out in one row."""
    places = shown_frames(clip.shape[1])
    return sheet(clip.transpose(0, 1)[list(places)], columns=len(places))


def block(clip: Tensor) -> Tensor:
    """Lay the frames of a clip out in about a square, to be read row by row."""
    return sheet(clip.transpose(0, 1)[list(shown_frames(clip.shape[1]))])
