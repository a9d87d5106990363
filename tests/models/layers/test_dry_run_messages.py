"""What is said where the dry run of a network fails, or a name stands inside what was put around it."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from lucidtorch.base.errors import UnknownLayerError, WeightsError
from lucidtorch.models.loading import load_model
from lucidtorch.models.preflight import findings


class FramesFirst(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, clips: Tensor) -> Tensor:
        batch, frames = clips.shape[:2]
        return self.conv(clips.flatten(0, 1)).mean((2, 3)).view(batch, frames, -1).mean(1)


class TwoInputs(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, images: Tensor, words: Tensor | None = None) -> Tensor:
        return self.conv(images).mean((2, 3))[:, : words.shape[0]]  # type: ignore[union-attr]


def test_an_output_that_was_not_reached_is_not_suggested() -> None:
    model = load_model(FramesFirst(), mean=0.5, std=0.5, size=(4, 16, 16))
    with pytest.raises(UnknownLayerError, match=r"gave no output in the dry run\. \(The table is empty") as caught:
        model.layers.resolve("output")
    assert "Did you mean" not in str(caught.value)


@pytest.mark.parametrize(
    ("net", "size", "said"),
    [
        (FramesFirst(), (4, 16, 16), "it may take the frames first: wrap it in a module that swaps axes 1 and 2"),
        (TwoInputs(), (16, 16), "it may take more than images: give that with inputs="),
    ],
)
def test_a_table_that_ends_early_says_what_to_do(net: nn.Module, size: tuple[int, ...], said: str) -> None:
    model = load_model(net, mean=0.5, std=0.5, size=size)
    assert said in model.layers.as_text()
    assert any(said in one and "if the size is wrong" not in one for one in findings(model))


@pytest.mark.filterwarnings("ignore:.*was exported for 16x16 pixels")
def test_a_program_for_another_batch_is_not_blamed_on_the_size(tmp_path: Path) -> None:
    net = nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()).eval()
    torch.export.save(torch.export.export(net, (torch.rand(4, 3, 16, 16),)), tmp_path / "net.pt2")
    model = load_model(str(tmp_path / "net.pt2"), trust=True, size=16, mean=0.5, std=0.5)
    (found,) = [one for one in findings(model) if one.startswith("The table is empty")]
    assert "exported for 4 images at a time: export it with dynamic_shapes" in found
    assert "if the size is wrong" not in found


def test_lazy_layers_are_refused_with_what_to_do() -> None:
    with pytest.raises(WeightsError, match=r"lazy layers.*run it once before it is loaded"):
        load_model(nn.Sequential(nn.LazyConv2d(4, 3), nn.ReLU()), size=16, mean=0.5, std=0.5)


def test_a_name_inside_what_was_put_around_a_network_is_found() -> None:
    inner = nn.Sequential(*(nn.Conv2d(3, 3, 1) for _ in range(5)))
    net = nn.Sequential()
    net.add_module("base_model", nn.Sequential())
    net.base_model.add_module("model", nn.Sequential())
    net.base_model.model.add_module("blocks", inner)
    with pytest.raises(
        UnknownLayerError, match=r"no layer 'blocks\.3'\. Did you mean 'base_model\.model\.blocks\.3'\?"
    ):
        load_model(net, size=16, mean=0.5, std=0.5).layers.resolve("blocks.3")
