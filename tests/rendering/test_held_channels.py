"""A network that takes a mask beside the colours: the mask is held, and the colours are made."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import ImageError
from lucidtorch.models.model import Model
from lucidtorch.recipes import rerun

SIDE = 32


class Masked(nn.Module):
    """A convolution of the colours, seen only where the fourth channel is 1; keeps the inputs it got."""

    def __init__(self) -> None:
        super().__init__()
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(2)
            self.conv = nn.Conv2d(3, 4, 3, padding=1)
        self.out = nn.Identity()
        self.inputs: list[Tensor] = []

    def forward(self, images: Tensor) -> Tensor:
        self.inputs.append(images.detach().clone())
        return self.out(self.conv(images[:, :3]) * images[:, 3:])


def mask() -> Tensor:
    """1 in the left half, 0 in the right one."""
    return (torch.arange(SIDE) < SIDE // 2).float().expand(SIDE, SIDE)


def as_model(module: nn.Module) -> Model:
    return lt.load_model(module, mean=0.0, std=1.0, size=SIDE, channels=4)


def rendered(hold: Any, module: nn.Module | None = None, **more: Any) -> lt.Rendering:
    param = lt.param.image(SIDE, batch=2, channels=4, hold=hold)
    settings: dict[str, Any] = {"steps": 8, "progress": False} | more
    return lt.render(as_model(module or Masked()), "out:[0, 1]", param=param, **settings)


def test_the_mask_comes_out_as_it_went_in_and_steers_the_picture() -> None:
    param = lt.param.image(SIDE, channels=4, fft=False, hold={3: mask()})
    start = param().detach()
    found = lt.render(as_model(Masked()), "out:0", param=param, transforms="identity()", steps=16, progress=False)
    assert torch.equal(found.images[:, 3], mask()[None])
    change = (found.images[0, :3] - start[0, :3]).abs()
    assert change[..., : SIDE // 2].mean() > 0.05
    assert (change[..., SIDE // 2 + 1 :] == 0).all()  # where no 3 x 3 window is seen


def test_a_picture_without_a_mask_differs() -> None:
    masked, whole = rendered({3: mask()}), rendered({3: 1.0})
    assert not torch.equal(masked.images[:, :3], whole.images[:, :3])
    assert (whole.images[:, 3] == 1).all()


def test_the_mask_moves_with_the_colours() -> None:
    """Held and free channels that hold the same picture are still the same after every transform."""
    module, photo = Masked(), np.random.default_rng(5).uniform(0.2, 0.8, size=(SIDE, SIDE))
    start = torch.tensor(np.stack([photo] * 3), dtype=torch.float32)
    param = lt.param.image(SIDE, channels=4, hold={3: photo}, init=start)
    lt.render(as_model(module), "out:0", param=param, lr=1e-9, steps=4, progress=False)
    canvases = [one for one in module.inputs if one.shape[-1] == SIDE + 24 and one.std() > 0.01]
    assert len(canvases) >= 4
    for canvas in canvases:
        assert torch.allclose(canvas[:, 0], canvas[:, 3], atol=1e-3)
    assert not torch.allclose(canvases[0], canvases[1], atol=1e-2)


def test_only_what_was_free_is_shown(tmp_path: Path) -> None:
    found = rendered({3: mask()}, snapshots=(2, 8))
    assert found.held == (3,)
    assert torch.equal(found.picture(1), found.images[1, :3])
    with Image.open(found.save(tmp_path / "x.png")) as picture:
        shown = np.asarray(picture)
    expected = (found.images[0, :3].double() * 255).round().permute(1, 2, 0).numpy()
    assert np.array_equal(shown[:, :SIDE], expected)
    assert found.save(tmp_path / "x.gif").stat().st_size > 0


def test_it_is_made_again_from_its_file_and_the_mask_beside_it(tmp_path: Path) -> None:
    model = as_model(Masked())
    param = lt.param.image(SIDE, channels=4, hold={3: mask()})
    found = lt.render(model, "out:2", param=param, steps=3, progress=False)
    path = found.save(tmp_path / "x.png")
    assert len(list(tmp_path.glob("*.npy"))) == 1
    again = rerun(path, model=model)
    assert torch.equal(again.images, found.images)
    assert again.held == (3,)


def test_a_text_says_it_too() -> None:
    model = as_model(Masked())
    found = lt.render(model, "out:1", param="image(16, channels=4, hold={3:1.0})", steps=1, progress=False)
    assert (found.images[:, 3] == 1).all()


def test_one_mask_per_image_goes_with_its_image() -> None:
    masks = torch.stack([mask(), 1 - mask()])
    both = rendered({3: masks}, seed=[4, 9], steps=3)
    param = lt.param.image(SIDE, channels=4, hold={3: masks[1]})
    alone = lt.render(as_model(Masked()), "out:1", param=param, seed=9, steps=3, progress=False)
    assert torch.allclose(both.images[1], alone.images[0], atol=1e-4)


def test_the_number_of_channels_is_the_networks() -> None:
    with pytest.raises(ImageError, match="channels=4"):
        lt.render(as_model(Masked()), "out:0", param=lt.param.image(SIDE, channels=5, hold={4: 1.0}), progress=False)
