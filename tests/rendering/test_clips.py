"""Clips and volumes, [B, C, T, H, W], are rendered, shown, saved and made again like images."""

from __future__ import annotations

import subprocess
from pathlib import Path
from typing import Any

import kornia.augmentation as kornia
import numpy as np
import pytest
import torch
from imageio_ffmpeg import get_ffmpeg_exe
from PIL import Image, ImageSequence
from torch import nn

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, ImageError, LucidtorchWarning, OutputError, SizeError
from lucidtorch.models.model import Model
from lucidtorch.recipes import rerun
from lucidtorch.rendering.result import check_destination

SIZE = (6, 20, 16)


def moving(channels: int = 3, *, head: bool = False) -> nn.Sequential:
    """Two convolutions over time, rows and columns; with a head, one that takes clips of 6 x 20 x 16 only."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(4)
        body = [
            nn.Conv3d(channels, 6, 3, padding=1),
            nn.BatchNorm3d(6),
            nn.ReLU(inplace=True),
            nn.Conv3d(6, 4, 3, padding=1),
        ]
        return nn.Sequential(*body, *([nn.Flatten(), nn.Linear(4 * 6 * 20 * 16, 5)] if head else []))


def as_model(module: nn.Module, channels: int = 3) -> Model:
    return lt.load_model(module, mean=0.0, std=1.0, size=SIZE, channels=channels)


def rendered(goal: str = "3:[0, 1]", **more: Any) -> lt.Rendering:
    settings: dict[str, Any] = {"steps": 3, "progress": False} | more
    return lt.render(as_model(moving()), goal, **settings)


@pytest.mark.parametrize("size", [SIZE, (1, 9, 9), (5, 17, 31), (13, 8, 9)])
@pytest.mark.parametrize("channels", [1, 2, 3, 7])
@pytest.mark.parametrize("transforms", [None, "identity()"])
def test_any_size_and_number_of_channels(size: tuple[int, int, int], channels: int, transforms: str | None) -> None:
    model = as_model(moving(channels), channels)
    param = lt.param.image(size, batch=2, channels=channels)
    found = lt.render(model, "3:[0, 1]", param=param, transforms=transforms, steps=2, progress=False)
    assert found.images.shape == (2, channels, *size)
    assert 0 <= found.images.min() <= found.images.max() <= 1
    border = 0 if transforms else 24
    assert found.recipe["canvas"] == [size[0], size[1] + border, size[2] + border]
    assert not any(found.dead)


def test_the_default_is_the_networks_own_size() -> None:
    found = rendered("3:0")
    assert found.images.shape == (1, 3, *SIZE)
    assert repr(found) == "<Rendering of channel('3', 0): 1 x 3 x 6 x 20 x 16, 3 steps>"
    assert lt.param.parse(found.recipe["param"]).size == SIZE


def test_an_objective_rises_and_frames_differ() -> None:
    found = rendered("3:1", steps=64)
    history = found.history["objective"][0]
    assert history[-1] > 1.04 * history[0]
    assert found.images.std() > 0.1
    assert (found.images[:, :, 1:] - found.images[:, :, :-1]).abs().mean() > 0.005


def test_a_fixed_head_gets_its_canvas() -> None:
    model = as_model(moving(head=True))
    found = lt.render(model, "logits:3", steps=2, progress=False)
    assert found.recipe["canvas"] == list(SIZE)
    with pytest.raises(SizeError, match=r"6 x 9 x 9 pixels .* 6 x 20 x 16"):
        lt.render(model, "logits:3", param=lt.param.image((6, 9, 9)), transforms="identity()", steps=1, progress=False)


def test_images_are_refused_where_clips_are_wanted() -> None:
    with pytest.raises(ImageError, match="clips"):
        rendered("3:0", param=lt.param.image(32))


def test_snapshots_are_clips() -> None:
    found = rendered(snapshots=(1, 3))
    assert {number: tuple(images.shape) for number, images in found.snapshots.items()} == {
        1: (2, 3, *SIZE),
        3: (2, 3, *SIZE),
    }
    assert torch.equal(found.snapshots[3], found.images)


def test_a_picture_of_a_clip_is_its_frames_side_by_side(tmp_path: Path) -> None:
    found = rendered()
    across = 6 * 16 + 5 * 2
    assert found.picture(1).shape == (3, 20, across)
    for frame in range(6):
        assert torch.equal(found.picture(1)[:, :, 18 * frame : 18 * frame + 16], found.images[1, :, frame])
    assert found.sheet().shape == (3, 2 * 20 + 2, across)
    with Image.open(found.save(tmp_path / "x.png")) as picture:
        assert picture.size == (across, 42)
    assert found._repr_png_() == (tmp_path / "x.png").read_bytes()
    assert "data:image/png" in found._repr_html_()


def test_a_long_clip_is_shown_by_eight_of_its_frames() -> None:
    found = rendered("3:0", param=lt.param.image((22, 8, 9)))
    assert found.picture(0).shape == (3, 8, 8 * 9 + 7 * 2)
    assert torch.equal(found.picture(0)[:, :, -9:], found.images[0, :, -1])


def test_a_single_clip_is_laid_out_in_about_a_square(tmp_path: Path) -> None:
    found = rendered("3:0", param=lt.param.image((6, 20, 16)))
    with Image.open(found.save(tmp_path / "x.png")) as picture:
        assert picture.size == (3 * 16 + 2 * 2, 2 * 20 + 2)
    assert torch.equal(found.sheet()[:, 22:, :16], found.images[0, :, 3])
    assert found.png([0])[:8] == b"\x89PNG\r\n\x1a\n"


def frames_of(path: Path, *shape: int) -> np.ndarray:
    """The frames of a movie, `[N, H, W, 3]`."""
    if path.suffix == ".gif":
        with Image.open(path) as movie:
            return np.stack([np.asarray(frame.convert("RGB")) for frame in ImageSequence.Iterator(movie)])
    decode = [get_ffmpeg_exe(), "-v", "error", "-i", str(path), "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
    pixels = subprocess.run(decode, capture_output=True, check=True).stdout
    return np.frombuffer(pixels, np.uint8).reshape(-1, *shape, 3)


@pytest.mark.parametrize("suffix", [".gif", ".mp4"])
def test_a_movie_of_a_clip_plays_it(suffix: str, tmp_path: Path) -> None:
    found = rendered(steps=20, lr=0.5)
    frames = frames_of(found.save(tmp_path / f"x{suffix}"), 20, 34)
    assert frames.shape == (6, 20, 34, 3)
    for frame in range(6):
        shown = frames[frame].astype(float)[:, :16] / 255
        distances = [np.abs(shown - found.images[0, :, one].permute(1, 2, 0).numpy()).mean() for one in range(6)]
        assert int(np.argmin(distances)) == frame


def test_a_movie_of_snapshots_plays_each_in_turn(tmp_path: Path) -> None:
    found = rendered("3:0", snapshots=(1, 20), steps=20, lr=0.5)
    frames = frames_of(found.save(tmp_path / "x.mp4"), 20, 16).astype(float)
    assert len(frames) == 12
    assert frames[:6].std() < frames[6:].std() / 2  # it starts as a faint grey


def test_a_movie_of_images_still_wants_snapshots(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="snapshots"):
        check_destination(tmp_path / "x.gif", ())
    check_destination(tmp_path / "x.gif", (), plays=True)
    with pytest.raises(OutputError, match=r"\.png"):
        check_destination(tmp_path / "x.jpg", (), plays=True)


def test_dead_clips_are_marked(tmp_path: Path) -> None:
    net = moving()
    with torch.no_grad():
        net[1].bias[2] = -100.0
    with pytest.warns(LucidtorchWarning, match="Dead"):
        found = lt.render(as_model(net), "2:[2, 0]", steps=17, progress=False)
    assert found.dead == (True, False)
    assert found.picture(0)[:, :, :16].unique().tolist() == pytest.approx([0.35, 0.5])
    assert torch.equal(found.picture(1)[:, :, :16], found.images[1, :, 0])
    shown = frames_of(found.save(tmp_path / "x.gif"))[:, :, :16].astype(float)
    assert abs(shown - shown.mean(-1, keepdims=True)).max() <= 2  # the cross is grey


def test_it_is_made_again_from_its_file(tmp_path: Path) -> None:
    model = as_model(moving())
    mask = torch.rand(6, 20, 16)
    param = lt.param.image(SIZE, batch=2, hold={1: mask})
    found = lt.render(model, "3:[0, 1]", param=param, steps=3, seed=5, progress=False)
    path = found.save(tmp_path / "x.png")
    again = rerun(path, tmp_path / "again" / "y.png", model=model)
    assert torch.equal(again.images, found.images)
    assert (tmp_path / "again" / "y.png").read_bytes() == path.read_bytes()
    rerun(path, tmp_path / "z.gif", model=model)
    assert (tmp_path / "z.gif").stat().st_size > 0


def test_a_foreign_transform_gets_frames() -> None:
    pipeline = lt.transforms.pad(4) | kornia.RandomAffine(15.0, p=1.0, same_on_batch=True) | lt.transforms.jitter(2)
    first, second = (rendered(transforms=pipeline) for _ in range(2))
    assert torch.equal(first.images, second.images)
    with pytest.raises(BadInputError, match="must return images"):
        rendered(transforms=lambda frames: frames.flatten(2))


def test_every_step_gives_clips() -> None:
    def shapes() -> list[tuple[int, ...]]:
        steps = lt.optimize(as_model(moving()), "3:0", param=lt.param.image((2, 8, 8)), steps=2)
        return [tuple(step.images.shape) for step in steps]

    assert shapes() == [(1, 3, 2, 8, 8)] * 2


def test_a_picture_in_a_batch_is_the_picture_alone() -> None:
    model = as_model(moving())
    both = lt.render(model, "3:1", param=lt.param.image(SIZE, batch=2), steps=3, seed=[7, 3], progress=False)
    one = lt.render(model, "3:1", param=lt.param.image(SIZE), steps=3, seed=3, progress=False)
    assert torch.allclose(both.images[1], one.images[0], atol=1e-4)
