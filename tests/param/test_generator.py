"""Any module as a prior: its latents alone change, and it is left as it was."""

from __future__ import annotations

import copy
import pickle
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.functional import interpolate

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, LucidtorchWarning, SizeError
from lucidtorch.param.generator import Generated, generated


def decoder(last: nn.Module | None = None) -> nn.Sequential:
    """A small generator with batch norm and dropout, as in training: 6 numbers to 3 x 12 x 16 pixels."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(3)
        made = nn.Sequential(
            nn.Linear(6, 5 * 3 * 4),
            nn.Unflatten(1, (5, 3, 4)),
            nn.BatchNorm2d(5),
            nn.Dropout(0.3),
            nn.ReLU(inplace=True),
            nn.ConvTranspose2d(5, 4, 4, 2, 1),
            nn.ReLU(),
            nn.ConvTranspose2d(4, 3, 4, 2, 1),
            last or nn.Sigmoid(),
        )
        made[2].running_mean.normal_()
    return made.train()


class Tuple(nn.Module):
    """Gives its images beside something else."""

    def forward(self, latents: Tensor) -> tuple[Tensor, Tensor]:
        return latents, latents


class Output:
    """What a decoder of another library gives."""

    def __init__(self, sample: Tensor) -> None:
        self.sample = sample


class Function(nn.Module):
    """Any function of the latents."""

    def __init__(self, function: Callable[[Tensor], Any]) -> None:
        super().__init__()
        self.function = function

    def forward(self, latents: Tensor) -> Any:
        return self.function(latents)


def test_images_are_what_the_module_makes_in_eval_mode() -> None:
    module = decoder()
    param = generated(module, 6, batch=3)
    param.fill([5, 6, 7])
    assert (param.batch, param.channels, param.size) == (3, 3, (12, 16))
    expected = copy.deepcopy(module).eval()(param.latents)
    assert torch.allclose(param(), expected, atol=1e-6)
    assert param().std() > 0.01


def test_latents_are_the_only_numbers_and_come_from_each_seed() -> None:
    param = generated(decoder(), 6, batch=2, sd=2.0)
    assert list(param.parameters()) == []
    param.fill([5, 6])
    assert [(name, tuple(one.shape)) for name, one in param.named_parameters()] == [("latents", (2, 6))]
    assert list(param.state_dict()) == ["latents"]
    assert [type(one) for one in param.children()] == [type(param.bounds)]
    alone = generated(decoder(), 6)
    alone.fill([6])
    assert torch.equal(2 * alone.latents[0], param.latents[1])
    many = generated(decoder(), 6, batch=300, sd=2.0)
    many.fill(range(300))
    assert many.latents.std().item() == pytest.approx(2, rel=0.1)


def test_the_module_is_left_as_it_was(demo: Any, fingerprint: Callable[[Any], Any]) -> None:
    module = decoder()
    before = fingerprint(module)
    param = generated(module, 6, size=(32, 40), batch=2)
    assert fingerprint(module) == before
    found = lt.render(demo, "conv2_1:3", param=param, steps=3, progress=False)
    assert found.images.shape == (2, 3, 32, 40)
    assert fingerprint(module) == before
    copy.deepcopy(param).double()()
    assert fingerprint(module) == before


def test_a_render_climbs_and_replays(demo: Any) -> None:
    param = generated(decoder(), 6, size=32)
    settings: dict[str, Any] = {"param": param, "steps": 40, "transforms": "identity()", "progress": False}
    first = lt.render(demo, "conv1_1:3", **settings)
    assert torch.equal(lt.render(demo, "conv1_1:3", **settings).images, first.images)
    start = copy.deepcopy(param)
    start.fill([0])
    goal = lt.parse("conv1_1:3")
    values = [goal(demo.activations(images, ["conv1_1"])).item() for images in (start().detach(), first.images)]
    assert values[1] > values[0]


def test_images_do_not_look_at_each_other() -> None:
    param = generated(decoder(), 6, batch=3)
    param.fill([1, 2, 3])
    before = param().detach()
    (gradient,) = torch.autograd.grad(param()[1].sum(), param.latents)
    assert (gradient[[0, 2]] == 0).all()
    assert gradient[1].abs().sum() > 0
    with torch.no_grad():
        param.latents[1] += 1
    assert torch.equal(param()[[0, 2]], before[[0, 2]])
    assert not torch.equal(param()[1], before[1])


def test_copies_share_the_module_and_pickles_hold_it() -> None:
    param = generated(decoder(), 6)
    again = copy.deepcopy(param)
    assert again.borrowed.module is param.borrowed.module
    assert again.resized(batch=2).borrowed.module is param.borrowed.module
    assert torch.equal(pickle.loads(pickle.dumps(param))(), param())
    assert param.resized(batch=4).borrowed.module is param.borrowed.module
    assert torch.allclose(param.resized(batch=4)()[0], param()[0], atol=1e-6)


def test_in_float64_a_copy_runs_and_the_gradient_is_right() -> None:
    module = decoder(nn.Tanh())
    param = generated(module, 6, batch=2, value_range=(-1, 1)).double()
    param.fill([1, 2])
    assert param().dtype == torch.float64
    assert next(module.parameters()).dtype == torch.float32
    latents = param.latents.detach().requires_grad_(True)
    assert torch.autograd.gradcheck(lambda numbers: torch.func.functional_call(param, {"latents": numbers}), latents)


def test_a_module_in_half_precision_gives_float32() -> None:
    module = decoder().bfloat16()
    param = generated(module, 6)
    assert param().dtype == torch.float32
    assert param.latents.dtype == torch.float32


@pytest.mark.parametrize("value_range", [(-1.0, 1.0), (0, 255), (-3.5, -1)])
def test_the_range_is_brought_to_0_and_1(value_range: tuple[float, float]) -> None:
    low, high = value_range
    param = generated(
        Function(lambda latents: low + (high - low) * latents.sigmoid()), (3, 4, 5), value_range=value_range
    )
    param.fill([1])
    assert torch.allclose(param(), param.latents.sigmoid(), atol=1e-5)


def test_what_leaves_the_range_is_clipped_and_led_back() -> None:
    with pytest.warns(LucidtorchWarning, match="outside value_range=\\(0, 1\\)"):
        param = generated(nn.Identity(), (1, 2, 2), sd=4.0)
    param.latents = nn.Parameter(torch.tensor([[[[-1.0, 0.25], [2.0, 0.75]]]]))
    assert param().flatten().tolist() == [0, 0.25, 1, 0.75]
    (up,) = torch.autograd.grad(-param().sum(), param.latents)
    (down,) = torch.autograd.grad(param().sum(), param.latents)
    assert up.flatten().tolist() == [-1, -1, 0, -1]
    assert down.flatten().tolist() == [0, 1, 1, 1]


def test_another_size_is_scaled() -> None:
    native, large = generated(decoder(), 6), generated(decoder(), 6, size=(30, 20))
    expected = interpolate(native(), (30, 20), mode="bilinear", antialias=True)
    assert torch.allclose(large(), expected, atol=1e-6)
    with pytest.raises(BadInputError, match="one resolution"):
        native.at(30)
    assert torch.equal(native.at((12, 16)), native())


def test_it_prints_but_has_no_text_and_no_inverse() -> None:
    param = generated(decoder(), [6], batch=2, value_range=[-1, 1])
    assert repr(generated(decoder(), 6)) == "generated(<Sequential>, 6)"
    assert repr(param) == "generated(<Sequential>, [6], batch=2, value_range=[-1, 1])"
    assert not param.is_text
    assert param.arrays == ()
    with pytest.raises(BadInputError, match="no inverse"):
        param.assign(param())
    with pytest.raises(BadInputError):
        lt.param.parse(repr(param))


def test_building_touches_no_global_dice(fingerprint: Callable[[Any], Any]) -> None:
    module = decoder()
    before = fingerprint(module)
    generated(module, 6)()
    with pytest.raises(BadInputError):
        generated(Function(lambda latents: latents + torch.rand(3, 8, 8)), (3, 8, 8))
    assert fingerprint(module) == before


def halves(latents: Tensor) -> Tensor:
    return latents.sigmoid() - latents.mean(0, keepdim=True)


@pytest.mark.parametrize(
    ("module", "latent", "message"),
    [
        (Tuple(), (3, 4, 4), "gives a tuple"),
        (Function(Output), (3, 4, 4), "gives a Output, .*output.sample"),
        (Function(lambda latents: {"sample": latents}), (3, 4, 4), "gives a dict"),
        (decoder(), 7, "cannot make images of latents \\[2, 7\\]: RuntimeError"),
        (nn.Identity(), (4, 4), "it gives \\[2, 4, 4\\]"),
        (Function(lambda latents: latents[:1]), (3, 4, 4), "it gives \\[1, 3, 4, 4\\]"),
        (Function(lambda latents: latents.long()), (3, 4, 4), "int64"),
        (Function(lambda latents: latents / 0), (3, 4, 4), "inf or nan"),
        (Function(halves), (3, 4, 4), "rest of the batch"),
        (Function(lambda latents: torch.rand_like(latents)), (3, 4, 4), "random"),
        (torch.sigmoid, (3, 4, 4), "takes a module"),
    ],
    ids=["tuple", "output", "dict", "latent", "axes", "batch", "whole", "inf", "coupled", "random", "function"],
)
def test_modules_that_make_no_images_are_refused(module: Any, latent: Any, message: str) -> None:
    with pytest.raises(BadInputError, match=message):
        generated(module, latent)


@pytest.mark.parametrize(
    "options",
    [
        {"batch": 0},
        {"sd": 0},
        {"value_range": (1, 0)},
        {"value_range": (0, 1, 2)},
        {"value_range": 1},
        {"value_range": (0, "a")},
        {"size": (3, 4, 5)},
        {"size": 0},
    ],
)
def test_arguments_that_do_not_fit_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises((BadInputError, SizeError)):
        generated(decoder(), 6, **options)


@pytest.mark.parametrize("latent", [0, (3, 0), "6", 6.0, ()])
def test_shapes_of_latents_that_are_none_are_refused(latent: Any) -> None:
    with pytest.raises(BadInputError):
        generated(decoder(), latent)


def test_a_fitting_range_warns_of_nothing() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert isinstance(generated(decoder(nn.Tanh()), 6, value_range=(-1, 1)), Generated)
