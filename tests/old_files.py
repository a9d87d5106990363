"""What version 0.1.0 made, kept in `tests/old`, and how near to it a later version must come."""

from __future__ import annotations

import json
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest
from PIL import Image, ImageSequence

from lucidtorch.cli.main import run

OLD = Path(__file__).parent / "old"
RECIPE_KEY = "lucidtorch"  # the key of the text in a PNG

# Pixels differ between processors: rounding turns the sign of gradients near zero, by which Adam's first steps go, and
# decides between values that are nearly equal. Means over a picture of the absolute difference, in levels of 255,
# measured with AVX-512, AVX2 and SSE4.1: 0.45 at most, and 1.5 where the network computes in bfloat16. Another seed or
# pipeline makes it 2 to 80.
LEVELS, COARSE_LEVELS = 1.5, 4.0
# Numbers, as shares of the largest among those that are compared: 0.4 % at most for objectives of such pictures, and
# 0.002 % for what a network makes of given images.
SHARE, FINE_SHARE = 0.02, 2e-4


def command(*words: str | Path) -> None:
    """Run the command line in this process; warnings that other versions computed here are as they should be."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        assert run([str(word) for word in words]) == 0


def record(picture: Path) -> dict[str, Any]:
    """Read the text of a PNG without the help of the package."""
    with Image.open(picture) as image:
        image.load()
        found: dict[str, Any] = json.loads(image.text[RECIPE_KEY])  # type: ignore[attr-defined]
    return found


def frames(picture: Path) -> npt.NDArray[np.float64]:
    """Read a PNG or GIF: `[frames, height, width, ...]`, from 0 to 255."""
    with Image.open(picture) as image:
        shown = [frame.convert("RGB") if picture.suffix == ".gif" else frame for frame in ImageSequence.Iterator(image)]
        return np.stack([np.asarray(frame).astype(np.float64) for frame in shown])


def check_pixels(old: Path, new: Path, levels: float = LEVELS) -> None:
    """Refuse a picture that is not nearly the old one."""
    before, now = frames(old), frames(new)
    assert before.shape == now.shape, old
    assert np.abs(before - now).mean() <= levels, old


def check_values(old: npt.ArrayLike, new: npt.ArrayLike, name: str = "", share: float = SHARE) -> None:
    """Refuse numbers that are not nearly the old ones; what is not finite must be the same."""
    before, now = np.asarray(old, dtype=np.float64), np.asarray(new, dtype=np.float64)
    assert before.shape == now.shape, name
    finite = before[np.isfinite(before)]
    largest = np.abs(finite).max() if finite.size else 0.0
    np.testing.assert_allclose(now, before, rtol=0, atol=share * largest, err_msg=name)


def files(folder: Path) -> dict[str, Path]:
    """All files of a folder, by their path in it."""
    return {path.relative_to(folder).as_posix(): path for path in sorted(folder.rglob("*")) if path.is_file()}


def writings(folder: Path) -> dict[str, tuple[int, int]]:
    """When each picture of a folder was written last, and as which file: both change where it is written again."""
    found = {name: path.stat() for name, path in files(folder).items() if name.startswith("pictures/")}
    return {name: (one.st_ino, one.st_mtime_ns) for name, one in found.items()}


def named(paths: list[Path]) -> list[Any]:
    """Parameters of a test, named by their paths."""
    return [pytest.param(path, id=path.relative_to(OLD).with_suffix("").as_posix()) for path in paths]
