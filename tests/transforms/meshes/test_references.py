"""Pictures that an objective compares with, where the image is worn by a mesh: they are seen plain."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import ImageError
from lucidtorch.objectives import activation_difference, input_difference, style
from lucidtorch.transforms import jitter, pad
from lucidtorch.transforms.meshes import textured

SIDE = 12


class Passes(nn.Module):
    """A network whose layer `copy` is what it is given."""

    def __init__(self) -> None:
        super().__init__()
        self.copy = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        copied: Tensor = self.copy(images)
        return copied.mean((2, 3))


def model() -> lt.Model:
    return lt.load_model(Passes(), mean=(0, 0, 0), std=(1, 1, 1), size=SIDE)


def noise(*shape: int, seed: int = 0) -> Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(seed))


def value(goal: lt.objectives.Objective, start: Tensor, transforms: object) -> float:
    """The objective at the first step, where the image is `start` as it was given."""
    param = lt.param.image(start.shape[-2:], init=start, fft=False, decorrelate=False, bounds="clip")
    found = lt.render(model(), goal, param=param, transforms=transforms, steps=1, lr=1e-9, progress=False)  # type: ignore[arg-type]
    return float(found.history["objective"][0, 0])


def gram(image: Tensor) -> Tensor:
    flat = image.flatten(1)
    return flat @ flat.T / flat.shape[1]


ONE_SIDE = {"azimuth": (30, 30), "elevation": (20, 20), "distance": (11, 11)}


def front(texture: Tensor) -> Tensor:
    """The only view that `ONE_SIDE` allows."""
    return textured("cube", SIDE, samples=1, **ONE_SIDE).show(texture, [(30, 20)])[0]  # type: ignore[arg-type]


def test_a_style_is_that_of_the_plain_picture() -> None:
    texture, manner = noise(3, SIDE, SIDE), noise(3, SIDE, SIDE, seed=1)
    view = textured("cube", SIDE, samples=1, **ONE_SIDE)  # type: ignore[arg-type]
    expected = float((gram(front(texture)) - gram(manner)).abs().mean())
    assert value(style("copy", manner), texture, view) == pytest.approx(expected, abs=1e-4)
    drawn = float((gram(front(texture)) - gram(front(manner))).abs().mean())
    assert abs(drawn - expected) > 0.01  # the two differ here
    worn = textured("cube", SIDE, samples=1, references="worn", **ONE_SIDE)  # type: ignore[arg-type]
    assert value(style("copy", manner), texture, worn) == pytest.approx(drawn, abs=1e-4)


def test_a_content_is_compared_place_by_place_with_the_plain_picture() -> None:
    texture, content = noise(3, SIDE, SIDE), noise(3, SIDE, SIDE, seed=1)
    view = textured("cube", SIDE, samples=1, **ONE_SIDE)  # type: ignore[arg-type]
    expected = float((front(texture) - content).abs().mean())
    assert value(activation_difference("copy", content), texture, view) == pytest.approx(expected, abs=1e-4)


def test_a_picture_of_any_size_is_brought_to_that_of_the_view() -> None:
    grey = torch.stack([torch.full((30, 8), tone) for tone in (0.2, 0.5, 0.7)])
    view = textured("cube", SIDE, views=3)
    param = lt.param.image((16, 20))
    found = lt.render(model(), -style("copy", grey), param=param, transforms=view, steps=1, progress=False)
    assert bool(found.values.isfinite().all())
    assert value(activation_difference("copy", grey), noise(3, 16, 20), textured("cube", SIDE)) > 0
    with pytest.raises(ImageError, match="compares with a picture"):
        value(activation_difference("copy", grey), noise(3, 16, 20), "identity()")
    with pytest.raises(lt.LucidtorchError, match="compares places one by one"):
        value(input_difference(grey), noise(3, 16, 20), textured("cube", SIDE))


@pytest.mark.filterwarnings("ignore:No gradient")  # it is at its best
def test_other_transforms_move_the_picture_as_they_move_the_image() -> None:
    texture = noise(3, SIDE, SIDE)
    assert value(activation_difference("copy", texture), texture, pad(2) | jitter(4)) == pytest.approx(0, abs=1e-5)
    steps = textured("cube", SIDE) | jitter(4)
    assert [type(step).__name__ for step in steps.for_references().steps] == ["Scaled", "jitter"]
    assert (pad(2) | jitter(4)).for_references() == pad(2) | jitter(4)
