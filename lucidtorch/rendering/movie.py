"""Movies: pictures one after another, as GIF or MP4."""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
from torch import Tensor

from lucidtorch.base.images import to_bytes, visible

FRAMES_PER_SECOND = 10
MOVIES = (".gif", ".mp4")


def encode_movie(frames: Iterable[Tensor], suffix: str) -> bytes:
    """Encode pictures as a movie.

    Args:
        frames: `[C, H, W]` in [0, 1] each, in order, all of one size.
        suffix: ``.gif`` or ``.mp4``.

    Returns:
        The bytes of the file.
    """
    import imageio.v3 as imageio  # loaded only for movies

    pixels = np.stack([_pixels(frame) for frame in frames])
    options: dict[str, Any] = {"fps": FRAMES_PER_SECOND, "plugin": "FFMPEG", "macro_block_size": 2}
    if suffix == ".gif":
        options = {"loop": 0, "duration": 1000 / FRAMES_PER_SECOND}
    with tempfile.TemporaryDirectory() as folder:  # the encoder of mp4 needs a real file
        path = Path(folder) / f"movie{suffix}"
        imageio.imwrite(path, pixels, **options)
        return path.read_bytes()


def _pixels(frame: Tensor) -> np.ndarray:
    shown = to_bytes(visible(frame))
    colour = np.repeat(shown, 3, axis=0) if len(shown) == 1 else shown
    return np.ascontiguousarray(colour.transpose(1, 2, 0))
