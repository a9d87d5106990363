"""The ResNet-20 for CIFAR-10 whose real weights are among the test data: 32 pixels, and batch norms as trained."""

from __future__ import annotations

from pathlib import Path

import safetensors.torch
import torch.nn.functional as F
from torch import Tensor, nn

FILE = "resnet20_cifar10.safetensors"
MEAN, STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)  # what it was trained with


class Block(nn.Module):
    """Two convolutions beside a shortcut that drops every other pixel and fills new channels with zeros."""

    def __init__(self, before: int, after: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(before, after, 3, stride, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(after)
        self.conv2 = nn.Conv2d(after, after, 3, 1, 1, bias=False)
        self.bn2 = nn.BatchNorm2d(after)
        self.stride, self.new = stride, (after - before) // 2

    def forward(self, values: Tensor) -> Tensor:
        kept = F.pad(values[:, :, :: self.stride, :: self.stride], (0, 0, 0, 0, self.new, self.new))
        return F.relu(self.bn2(self.conv2(F.relu(self.bn1(self.conv1(values))))) + kept)


class CifarResNet20(nn.Module):
    """From `[B, 3, 32, 32]` to ten logits."""

    def __init__(self) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(3, 16, 3, 1, 1, bias=False)
        self.bn1 = nn.BatchNorm2d(16)
        self.layer1 = nn.Sequential(*(Block(16, 16, 1) for _ in range(3)))
        self.layer2 = nn.Sequential(Block(16, 32, 2), Block(32, 32, 1), Block(32, 32, 1))
        self.layer3 = nn.Sequential(Block(32, 64, 2), Block(64, 64, 1), Block(64, 64, 1))
        self.linear = nn.Linear(64, 10)

    def forward(self, images: Tensor) -> Tensor:
        values = self.layer3(self.layer2(self.layer1(F.relu(self.bn1(self.conv1(images))))))
        return self.linear(values.mean((2, 3)))


def pretrained(folder: Path) -> CifarResNet20:
    """The network with its real weights, from the folder of test data."""
    net = CifarResNet20().eval()
    net.load_state_dict(safetensors.torch.load_file(folder / "weights" / FILE))
    return net
