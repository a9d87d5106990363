"""Movies: pictures one after another, as GIF or MP4; the same pictures give the same bytes."""

from __future__ import annotations

import importlib.util
import io
import shutil
from collections.abc import Iterable, Sequence

import numpy as np
from PIL import Image
from torch import Tensor

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.files import temporary_folder
from lucidtorch.base.images import to_bytes, visible

FRAMES_PER_SECOND = 10
MOVIES = (".gif", ".mp4")
COLOURS = 256  # what one frame of a GIF holds
CLOCK = 1000  # milliseconds in a second
QUALITY = 8  # of 10: noise in early frames stays noise
REFINED = 4  # rounds that move the colours of a GIF to where the pixels are
CONVERSION = "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int+full_chroma_inp+bitexact"
ENCODER = (
    *("-threads", "1", "-x264-params", "threads=1:lookahead_threads=1"),  # more would make other bytes
    *("-fflags", "+bitexact", "-flags:v", "+bitexact", "-map_metadata", "-1"),  # no versions, no clock
    *("-vf", CONVERSION, "-colorspace", "bt709", "-color_primaries", "bt709", "-color_trc", "bt709"),
    *("-movflags", "+faststart"),  # a browser plays it while it loads
)


def check_encoder(suffix: str) -> None:
    """Make sure, before any work, that a movie can be encoded."""
    if suffix == ".mp4" and importlib.util.find_spec("imageio_ffmpeg") is None:
        raise BadInputError(
            "An MP4 needs imageio-ffmpeg, which is not installed: pip install 'lucidtorch[film]', or write a GIF."
        )


def encode_movie(frames: Iterable[Tensor], suffix: str, *, rate: float = FRAMES_PER_SECOND, hold: float = 0.0) -> bytes:
    """Encode pictures as a movie.

    A GIF plays for ever, and each of its frames has the 256 colours that suit it. An MP4 has even sides: where they are
    odd, the last row or column is there twice.
    """
    check_encoder(suffix)
    shown = [_pixels(frame) for frame in frames]
    if len({frame.shape for frame in shown}) != 1:
        sizes = ", ".join(sorted({f"{frame.shape[0]}x{frame.shape[1]}" for frame in shown})) or "no frame"
        raise BadInputError(f"A movie needs frames of one size, but {sizes} was given.")
    return _gif(shown, rate, hold) if suffix == ".gif" else _mp4(shown, rate, hold)


def _gif(frames: Sequence[np.ndarray], rate: float, hold: float) -> bytes:
    first, *others = [_with_palette(frame) for frame in frames]
    times = [round(CLOCK / rate)] * len(frames)
    times[-1] += round(CLOCK * hold)
    stream = io.BytesIO()
    first.save(
        stream, format="GIF", save_all=True, append_images=others, duration=times, loop=0, disposal=1, optimize=False
    )
    return stream.getvalue()


def _with_palette(frame: np.ndarray) -> Image.Image:
    """Choose the colours of one frame, and spread what is lost over neighbouring pixels."""
    picture = Image.fromarray(frame)
    palette = picture.quantize(COLOURS, method=Image.Quantize.MEDIANCUT, kmeans=REFINED)
    return picture.quantize(palette=palette, dither=Image.Dither.FLOYDSTEINBERG)


def _mp4(frames: Sequence[np.ndarray], rate: float, hold: float) -> bytes:
    import imageio.v3 as imageio  # loaded only for movies

    height, width = frames[0].shape[:2]
    film = np.stack([*frames, *[frames[-1]] * round(hold * rate)])
    even = np.pad(film, ((0, 0), (0, height % 2), (0, width % 2), (0, 0)), mode="edge")
    folder = temporary_folder("movie")  # the encoder needs a real file
    try:
        path = folder / "movie.mp4"
        imageio.imwrite(
            path,
            even,
            plugin="FFMPEG",
            fps=rate,
            codec="libx264",
            quality=QUALITY,
            macro_block_size=2,
            output_params=list(ENCODER),
        )
        return path.read_bytes()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _pixels(frame: Tensor) -> np.ndarray:
    shown = to_bytes(visible(frame))
    colour = np.repeat(shown, 3, axis=0) if len(shown) == 1 else shown
    return np.ascontiguousarray(colour.transpose(1, 2, 0))
