"""Photos far larger than they are needed: the memory they take, and how near the result is to the exact one."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from lucidtorch.base.images import photo_bytes
from lucidtorch.datasets import folder
from lucidtorch.scanning.source import Item, Source

SIDE = 6000  # 36 million pixels, just above what is read as it is
NEEDED = 64
PEAK = """
    import resource, sys
    from lucidtorch.datasets import folder
    from lucidtorch.scanning.source import Item, Source
    source = Source(folder(sys.argv[1]), 3, (224, 224))
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert isinstance(source.read(0), Item)
    print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) / 1024)
"""


def smooth(side: int) -> Image.Image:
    """Something with edges and slopes at every scale that matters."""
    rng = np.random.default_rng(0)
    coarse = Image.fromarray(rng.integers(0, 255, (24, 24, 3), dtype=np.uint8))
    return coarse.resize((side, side), Image.Resampling.BICUBIC)


@pytest.fixture(scope="module")
def photos(tmp_path_factory: pytest.TempPathFactory) -> Path:
    place = tmp_path_factory.mktemp("photos")
    picture = smooth(SIDE)
    picture.save(place / "a.jpg", quality=95)
    picture.convert("RGBA").save(place / "b.png", compress_level=1)
    picture.convert("L").save(place / "c.png", compress_level=1)
    picture.rotate(90, expand=True).save(place / "d.jpg", quality=95, exif=_turned())
    return place


def _turned() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6  # to be turned by 270 degrees
    return exif


@pytest.mark.parametrize("name", ["a.jpg", "b.png", "c.png", "d.jpg"])
def test_a_reduced_photo_is_nearly_the_exact_one(photos: Path, name: str) -> None:
    with Image.open(photos / name) as file:
        whole = ImageOps.exif_transpose(file).convert("RGB")
    exact = np.asarray(ImageOps.fit(whole, (NEEDED, NEEDED), Image.Resampling.LANCZOS)).transpose(2, 0, 1)
    found = photo_bytes(photos / name, (NEEDED, NEEDED), colours=True).astype(int)
    assert np.abs(found - exact).max() <= 4
    assert np.abs(found - exact).mean() <= 0.5
    number = sorted(path.name for path in photos.iterdir()).index(name)
    item = Source(folder(photos), 3, (NEEDED, NEEDED)).read(number)
    assert isinstance(item, Item)
    assert np.abs(item.pixels.numpy() * 255 - exact).max() <= 4


@pytest.mark.parametrize("name", ["photo.jpg", "photo.png"])
def test_an_ordinary_photo_is_what_it_was(tmp_path: Path, name: str) -> None:
    smooth(3000).save(tmp_path / name)
    with Image.open(tmp_path / name) as file:
        exact = np.asarray(ImageOps.fit(file.convert("RGB"), (NEEDED, NEEDED), Image.Resampling.LANCZOS))
    assert np.array_equal(photo_bytes(tmp_path / name, (NEEDED, NEEDED)), exact.transpose(2, 0, 1))


@pytest.mark.slow
@pytest.mark.skipif(sys.platform == "win32", reason="there is no getrusage")
@pytest.mark.parametrize(("name", "most"), [("a.jpg", 200), ("a.png", 900)])
def test_the_memory_that_a_photo_of_144_million_pixels_takes(tmp_path: Path, name: str, most: int) -> None:
    """In MB; Pillow holds 4 bytes a pixel of a PNG, which are 549 MB here, and one channel more."""
    smooth(12_000).save(tmp_path / name, **({"compress_level": 1} if name.endswith("png") else {}))
    words = [sys.executable, "-c", textwrap.dedent(PEAK), str(tmp_path)]
    done = subprocess.run(words, capture_output=True, text=True, timeout=600, check=True)
    assert float(done.stdout) < most
