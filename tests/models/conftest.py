"""Photographs, where they are at hand, and a small network made on the spot."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import lucidtorch.models as models


@pytest.fixture
def photo(test_data: Path) -> Callable[[str], Tensor]:
    def read(name: str, side: int = 224) -> Tensor:
        image = Image.open(test_data / "photos" / f"{name}.jpg").convert("RGB")
        width, height = image.size
        half = min(width, height) / 2
        box = (width / 2 - half, height / 2 - half, width / 2 + half, height / 2 + half)
        pixels = np.array(image.resize((side, side), Image.Resampling.BICUBIC, box=box))
        return torch.from_numpy(pixels).permute(2, 0, 1)[None].float() / 255

    return read


class Small(nn.Module):
    """Shared and in-place ReLUs, a branch, a residual sum, a layer that never fires: what a table has to cope with."""

    def __init__(self, classes: int = 5) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 4, 3, padding=1)
        self.norm = nn.BatchNorm2d(4)
        self.relu = nn.ReLU(inplace=True)
        self.block = nn.Sequential(nn.Conv2d(4, 4, 3, padding=1), nn.ReLU6())
        self.never = nn.Linear(2, 2)
        self.head = nn.Linear(4, classes)

    def forward(self, images: Tensor) -> Tensor:
        values = self.relu(self.norm(self.first(images)))
        deeper = self.block(values)
        deeper += values
        return self.head(self.relu(deeper).mean(dim=(2, 3)))


@pytest.fixture
def small() -> nn.Module:
    torch.manual_seed(0)
    return Small()


@pytest.fixture
def model(small: nn.Module) -> models.Model:
    return models.load_model(small, mean=[0.5, 0.4, 0.3], std=[0.1, 0.2, 0.3], size=16, labels=list("abcde"))
