"""Params and photographs: the inverse of each, and training towards one."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image as Picture
from torch import Tensor

from lucidtorch.param import fft, image, pixels, pyramid, shared
from lucidtorch.param.bases import Part

SIDE = 112
MAINS = [fft(), pixels(), pyramid()]
STEPS, RATE = 1000, 0.05


def photograph(folder: Path, name: str, *size: int) -> Tensor:
    with Picture.open(folder / "photos" / name) as opened:
        small = opened.convert("RGB").resize(size[::-1], Picture.Resampling.LANCZOS)
    return torch.tensor(np.asarray(small), dtype=torch.float32).permute(2, 0, 1) / 255


@pytest.mark.parametrize("name", ["cat_chelsea.jpg", "burrito.jpg", "eagle.jpg"])
@pytest.mark.parametrize("size", [(64, 96), (65, 65)])
@pytest.mark.parametrize("main", MAINS, ids=repr)
def test_every_inverse_gives_photographs_back(test_data: Path, name: str, size: tuple[int, int], main: Part) -> None:
    photo = photograph(test_data, name, *size)
    for bounds in ("sigmoid", "clip"):
        for decorrelate in (True, False):
            alone = image(size, batch=2, init=photo, spatial=main, bounds=bounds, decorrelate=decorrelate)
            for param in (alone, alone + shared([1, 3, 16, 16]), alone + pyramid(sd=0.1)):
                assert (param() - photo).abs().max() < 1e-3


@pytest.mark.parametrize("channels", [1, 7])
def test_other_numbers_of_channels_have_an_inverse_too(test_data: Path, channels: int) -> None:
    photo = photograph(test_data, "car.jpg", 48, 33)
    many = torch.cat([photo, photo.flip(-1), photo.mean(0, keepdim=True)])[:channels]
    root = np.random.default_rng(1).normal(size=(channels, channels))
    for main in MAINS:
        for colour in (None, root):
            found = image((48, 33), channels=channels, init=many, spatial=main, colour=colour)()
            assert (found - many).abs().max() < 1e-3


@pytest.mark.slow
@pytest.mark.parametrize("bounds", ["sigmoid", "clip"])
@pytest.mark.parametrize("words", [*((one,) for one in MAINS), (fft(), pyramid()), (pixels(), fft()), tuple(MAINS)])
def test_every_basis_can_be_trained_to_a_photograph(test_data: Path, words: tuple[Part, ...], bounds: str) -> None:
    photo = photograph(test_data, "cat_chelsea.jpg", SIDE, SIDE)
    param = image(SIDE, spatial=words[0], bounds=bounds)
    for word in words[1:]:
        param = param + word
    param.fill([0])
    optimizer = torch.optim.Adam(param.parameters(), RATE)
    for _ in range(STEPS):
        error = (param() - photo).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
        if (param().detach() - photo).abs().mean() < 0.01:
            break
    assert (param() - photo).abs().mean() < 0.01
