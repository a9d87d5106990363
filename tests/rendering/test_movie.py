"""Movies: what plays is what was given, and the same pictures give the same bytes."""

from __future__ import annotations

import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
import torch
from imageio_ffmpeg import count_frames_and_secs, get_ffmpeg_exe
from PIL import Image, ImageSequence

from lucidtorch.base.errors import BadInputError
from lucidtorch.rendering.movie import encode_movie
from lucidtorch.rendering.result import check_destination


def frames(count: int = 4, height: int = 24, width: int = 32) -> list[torch.Tensor]:
    """Smooth coloured pictures, each another."""
    rows, columns = torch.linspace(0.2, 0.8, height)[:, None], torch.linspace(0.2, 0.8, width)[None]
    return [
        torch.stack([rows.expand(height, width), columns.expand(height, width), (rows * columns + place / count) / 2])
        for place in range(count)
    ]


def played(data: bytes, suffix: str, folder: Path, height: int, width: int) -> np.ndarray:
    """The frames of a movie, `[N, H, W, 3]`."""
    if suffix == ".gif":
        with Image.open(BytesIO(data)) as film:
            return np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(film)])
    path = folder / "film.mp4"
    path.write_bytes(data)
    decode = [get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    pixels = subprocess.run(decode, capture_output=True, check=True).stdout
    return np.frombuffer(pixels, np.uint8).reshape(-1, height, width, 3)


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_a_movie_shows_its_frames_in_order_and_in_their_colours(suffix: str, tmp_path: Path) -> None:
    given = frames()
    found = played(encode_movie(given, suffix), suffix, tmp_path, 24, 32)
    assert len(found) == 4
    for frame, picture in zip(found, given, strict=True):
        difference = frame.astype(float) - picture.permute(1, 2, 0).numpy() * 255
        assert np.abs(difference).mean() < 3
        assert np.abs(difference.mean((0, 1))).max() < 2


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_the_same_frames_give_the_same_bytes_also_side_by_side(suffix: str) -> None:
    with ThreadPoolExecutor(4) as pool:
        found = set(pool.map(lambda _: encode_movie(frames(8), suffix, hold=0.5), range(6)))
    assert len(found) == 1


def test_an_mp4_of_odd_sides_repeats_the_last_row_and_column(tmp_path: Path) -> None:
    given = frames(3, 17, 21)
    found = played(encode_movie(given, ".mp4"), ".mp4", tmp_path, 18, 22).astype(float)
    assert np.abs(found[:, :17, :21] - np.stack([one.permute(1, 2, 0).numpy() * 255 for one in given])).mean() < 3
    assert np.abs(found[:, 17] - found[:, 16]).mean() < 3
    assert np.abs(found[:, :, 21] - found[:, :, 20]).mean() < 3


@pytest.mark.parametrize("channels", [1, 5])
def test_any_number_of_channels_plays(channels: int) -> None:
    film = encode_movie([torch.rand(channels, 8, 8, generator=torch.Generator().manual_seed(3))], ".gif")
    with Image.open(BytesIO(film)) as picture:
        assert picture.size == (8, 8)


def test_a_gif_plays_for_ever_at_its_rate_and_holds_the_last_frame() -> None:
    with Image.open(BytesIO(encode_movie(frames(), ".gif", rate=20, hold=1.5))) as film:
        assert film.info["loop"] == 0
        assert [frame.info["duration"] for frame in ImageSequence.Iterator(film)] == [50, 50, 50, 1550]


def test_an_mp4_plays_at_its_rate_and_holds_the_last_frame(tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(encode_movie(frames(), ".mp4", rate=8, hold=0.5))
    count, seconds = count_frames_and_secs(str(path))
    assert (count, seconds) == (8, pytest.approx(1))


def test_an_mp4_holds_no_clock_and_was_encoded_by_one_thread() -> None:
    film = encode_movie(frames(), ".mp4")
    assert b"threads=1 lookahead_threads=1" in film
    header = film.index(b"mvhd")
    assert film[header + 8 : header + 16] == bytes(8)  # when it was made, and changed


@pytest.mark.parametrize("given", [[], [torch.zeros(3, 8, 8), torch.zeros(3, 8, 10)]])
def test_frames_of_several_sizes_and_none_at_all_are_refused(given: list[torch.Tensor]) -> None:
    with pytest.raises(BadInputError, match="one size"):
        encode_movie(given, ".gif")


def test_without_its_encoder_an_mp4_is_refused_and_a_gif_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    with pytest.raises(BadInputError, match=r"needs imageio-ffmpeg.*pip install 'lucidtorch\[film\]'"):
        encode_movie(frames(), ".mp4")
    with pytest.raises(BadInputError, match="imageio-ffmpeg"):
        check_destination(tmp_path / "x.mp4", (1, 2))
    assert encode_movie(frames(), ".gif")[:3] == b"GIF"
