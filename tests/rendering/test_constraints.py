"""Constraints in a render: applied to the image after each step, with the network's mean colour as zero."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import pytest
import torch
from torch import Tensor

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, ExpressionError
from lucidtorch.constraints.constraint import Constraint, Moment
from lucidtorch.objectives import channel

SETTINGS: dict[str, Any] = {"param": "image([20, 24], batch=2)", "transforms": "identity()", "progress": False}


@pytest.fixture(scope="module")
def demo() -> lt.Model:
    return lt.load_model("demo")


@dataclass(frozen=True, repr=False)
class Watching(Constraint):
    """Writes down what it is given."""

    needs_gradient: ClassVar[bool] = True

    def __post_init__(self) -> None:
        object.__setattr__(self, "seen", [])

    def apply(self, images: Tensor, moment: Moment) -> Tensor:
        vars(self)["seen"].append((images.clone(), moment))
        return images


def test_it_gets_the_image_after_the_update_and_the_gradient_before(demo: lt.Model) -> None:
    watching = Watching()
    found = lt.render(demo, channel("conv2_1", [3, 4]), constraints=watching, steps=2, snapshots=(1,), **SETTINGS)
    (first, moment), (second, last) = vars(watching)["seen"]
    assert (moment.step, last.step) == (1, 2)
    assert torch.allclose(first, found.snapshots[1], atol=1e-5)
    assert torch.allclose(second, found.images, atol=1e-5)
    start = lt.param.image((20, 24), batch=2)().detach().requires_grad_(True)
    values = channel("conv2_1", [3, 4])(with_gradient(demo, start))
    (expected,) = torch.autograd.grad(values.sum(), start)
    assert moment.gradient is not None
    assert torch.allclose(moment.gradient, expected, atol=1e-7)
    mean, (low, high) = demo.convention.mean, demo.convention.value_range
    assert torch.allclose(moment.zero, (torch.tensor(mean) - low) / (high - low), atol=1e-6)


def with_gradient(model: lt.Model, images: Tensor) -> dict[str, Tensor]:
    """The activations of a network with the graph that leads to them."""
    found = {}
    handle = model.module.get_submodule("conv2_1").register_forward_hook(lambda *seen: found.update(conv2_1=seen[2]))
    model.module(model.normalize(images))
    handle.remove()
    return found


def test_the_image_is_what_they_make_of_it(demo: lt.Model) -> None:
    grey = demo.convention.mean_colour
    found = lt.render(demo, "conv2_1:3", constraints="decay(1)", steps=3, **SETTINGS)
    for one, value in enumerate(grey):
        assert torch.allclose(found.images[:, one], torch.full((2, 20, 24), value), atol=1e-3)
    plain = lt.render(demo, "conv2_1:3", steps=3, **SETTINGS)
    smooth = lt.render(demo, "conv2_1:3", constraints="blur(1, every=1)", steps=3, **SETTINGS)
    assert smooth.images.diff(dim=-1).abs().mean() < 0.5 * plain.images.diff(dim=-1).abs().mean()


def test_a_ball_is_kept_to_at_every_step(demo: lt.Model) -> None:
    start = torch.rand(3, 20, 24, generator=torch.Generator().manual_seed(1)) * 0.8 + 0.1
    ball = lt.constraints.linf_ball(0.03, centre=start)
    param = lt.param.image((20, 24), init=start, fft=False, decorrelate=False)
    found = lt.render(
        demo,
        "conv2_1:3",
        param=param,
        constraints=ball,
        transforms="identity()",
        steps=5,
        lr=0.3,
        snapshots=(1, 3),
        progress=False,
    )
    for images in (*found.snapshots.values(), found.images):
        assert (images - start).abs().max() < 0.03 + 1e-4
    assert (found.images - start).abs().max() > 0.02


def test_the_picture_knows_them(demo: lt.Model, tmp_path: Path) -> None:
    goal = channel("conv2_1", 3)
    held = lt.constraints.decay(0.1) | lt.constraints.blur(0.5, every=2)
    path = lt.render(demo, goal, constraints=held, steps=3, **SETTINGS).save(tmp_path / "x.png")
    assert lt.recipes.read_recipe(path).constraints == repr(held)
    lt.recipes.rerun(path, tmp_path / "y.png")
    assert (tmp_path / "y.png").read_bytes() == path.read_bytes()
    listed = lt.render(demo, goal, constraints=[lt.constraints.decay(0.1), held.steps[1]], steps=3, **SETTINGS)
    assert listed.png() == path.read_bytes()


def test_what_cannot_take_them_is_refused(demo: lt.Model) -> None:
    with pytest.raises(BadInputError, match="cannot take an image back"):
        lt.render(
            demo, "conv2_1:3", param="image(24, spatial=cppn())", constraints="decay(0.1)", steps=1, progress=False
        )
    with pytest.raises(ExpressionError, match="dekay"):
        lt.render(demo, "conv2_1:3", constraints="dekay(0.1)", steps=1, **SETTINGS)
    with pytest.raises(BadInputError, match=r"constraints=\) takes a constraint.* but \[5\]"):
        lt.render(demo, "conv2_1:3", constraints=[5], steps=1, **SETTINGS)  # type: ignore[list-item]


def test_held_channels_and_masks_stay(demo: lt.Model) -> None:
    start = torch.full((3, 20, 24), 0.25)
    mask = torch.zeros(20, 24)
    mask[5:15, 5:15] = 1
    param = lt.param.image((20, 24), init=start, mask=mask)
    found = lt.render(
        demo, "conv2_1:3", param=param, constraints="decay(0.5)", transforms="identity()", steps=3, progress=False
    )
    assert torch.equal(found.images[0][:, mask == 0], start[:, mask == 0])
    assert not torch.allclose(found.images[0][:, mask == 1], start[:, mask == 1], atol=0.01)
