"""A batch normalization is folded only where nobody can tell, and then nobody can."""

from __future__ import annotations

import copy
from collections.abc import Callable

import pytest
import torch
from normalized_networks import NORMALIZATIONS, Pair, blocks, seeded, with_statistics
from small_networks import as_model
from torch import Tensor, nn
from unfoldable_networks import LEFT

from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.models.running.private import Fold, find_folds, fold, private_copy, rearranged

EXACT = 1e-12  # of the largest value, in float64
ROUNDED = 1e-4  # in float32, through fifty layers


def noise(*shape: int) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(5), dtype=torch.float64)


def folds_of(module: nn.Module, images: Tensor) -> tuple[Fold, ...]:
    return find_folds(module, images, module)


def folded(module: nn.Module, folds: tuple[Fold, ...], *read: str) -> nn.Module:
    made = private_copy(module)
    assert made is not None
    return rearranged(made, folds, read, channels_last=False)


def off_by(first: Tensor, second: Tensor) -> float:
    """The largest difference, measured by the largest value."""
    first, second = first.detach(), second.detach()
    return float((first - second).abs().max() / first.abs().max())


def of_kind(dims: int, **more: object) -> Callable[[], nn.Module]:
    convolution = (nn.Conv1d, nn.Conv2d, nn.Conv3d)[dims - 1]
    normalization = NORMALIZATIONS[dims - 1]
    return lambda: nn.Sequential(convolution(4, 8, 3, **more), normalization(8), nn.ReLU())  # type: ignore[arg-type]


KINDS: dict[str, tuple[Callable[[], nn.Module], tuple[int, ...]]] = {
    "1d": (of_kind(1), (2, 4, 9)),
    "2d": (of_kind(2), (2, 4, 9, 7)),
    "3d": (of_kind(3), (2, 4, 5, 6, 7)),
    "no bias": (of_kind(2, bias=False), (2, 4, 9, 9)),
    "groups": (of_kind(2, groups=4), (2, 4, 9, 9)),
    "stride, dilation and padding": (of_kind(2, stride=2, dilation=2, padding=3), (2, 4, 9, 9)),
    "reflected borders": (of_kind(2, padding=2, padding_mode="reflect"), (2, 4, 9, 9)),
    "a large epsilon, no affine": (
        lambda: nn.Sequential(nn.Conv2d(4, 8, 3), nn.BatchNorm2d(8, eps=0.5, affine=False)),
        (2, 4, 9, 9),
    ),
}


@pytest.mark.parametrize("kind", KINDS)
def test_what_is_folded_gives_the_same(kind: str) -> None:
    make, shape = KINDS[kind]
    module = seeded(make).double()
    images = noise(*shape)
    (found,) = folds_of(module, images)
    assert (found.convolution, found.normalization) == ("0", "1")
    made = folded(module, (found,))
    assert off_by(module(images), made(images)) < EXACT
    assert torch.equal(made[1](images[:, :1].expand(2, 8, *shape[2:])), images[:, :1].expand(2, 8, *shape[2:]))


def test_several_are_folded_and_the_network_is_left_as_it_was(fingerprint: Callable[..., dict[str, object]]) -> None:
    module = seeded(blocks).double().train()
    before = fingerprint(module)
    folds = folds_of(module, noise(1, 3, 8, 8))
    assert [(one.convolution, one.normalization) for one in folds] == [("0", "1"), ("3", "4"), ("6", "7")]
    made = folded(module, folds)
    assert fingerprint(module) == before
    images = noise(2, 3, 8, 8)
    assert off_by(module.eval()(images), made(images)) < EXACT


@pytest.mark.parametrize("case", LEFT)
def test_what_cannot_be_folded_is_left(case: str) -> None:
    module = seeded(LEFT[case]).double()
    assert folds_of(module, noise(1, 3, 8, 8)) == ()


@pytest.mark.parametrize("case", LEFT)
def test_it_renders_as_before(case: str) -> None:
    model = as_model(seeded(LEFT[case]))
    images = torch.rand(2, 3, 16, 16, generator=torch.Generator().manual_seed(0))
    for layer in (layer for layer, record in model.layers.items() if record.refused is None):
        plain = model.activations(images, layer)[layer]
        made = model.private([model.layers.resolve(layer)], winograd=False)
        assert made is not model
        assert off_by(plain, made.activations(images, layer)[layer]) < ROUNDED


class Giving(nn.Module):
    """A part that gives what it got from a convolution, in a tuple."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 6, 3)
        self.after = nn.Identity()

    def forward(self, images: Tensor) -> tuple[Tensor]:
        return (self.after(self.conv(images)),)


class Container(nn.Module):
    """Parts around the place between a convolution and its normalization; all that lies there is given back too."""

    def __init__(self) -> None:
        super().__init__()
        self.giving = Giving()
        self.taking = nn.Sequential(nn.BatchNorm2d(6), nn.ReLU())

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        (found,) = self.giving(images)
        return {"before": found, "out": self.taking(found)}


@pytest.mark.parametrize("read", ["giving.conv", "giving.after", "giving", ""])
def test_it_is_left_where_what_lies_between_is_read(read: str) -> None:
    module = seeded(Container).double()
    images = noise(2, 3, 8, 8)
    folds = folds_of(module, images)
    assert len(folds) == 1
    expected = module(images)
    kept, made = folded(module, folds, read)(images), folded(module, folds, "taking.1")(images)
    assert torch.equal(kept["before"], expected["before"])
    assert torch.equal(kept["out"], expected["out"])
    assert off_by(expected["out"], made["out"]) < EXACT
    assert off_by(expected["before"], made["before"]) > 0.1  # so that the first half says something


@pytest.mark.parametrize("place", ["giving.conv", "giving.after", "giving", "taking", "taking.0"])
@pytest.mark.parametrize("kind", ["forward", "forward_pre", "full_backward", "full_backward_pre"])
def test_it_is_left_where_the_owner_listens_also_from_later_on(place: str, kind: str) -> None:
    module = seeded(Container).double()
    images = noise(2, 3, 8, 8)
    folds = folds_of(module, images)
    handle = getattr(module.get_submodule(place), f"register_{kind}_hook")(lambda *_: None)
    assert torch.equal(folded(module, folds)(images)["out"], module(images)["out"])
    handle.remove()
    assert not torch.equal(folded(module, folds)(images)["before"], module(images)["before"])


def test_a_part_that_became_another_since_is_left() -> None:
    module = seeded(Pair).double()
    images = noise(2, 3, 8, 8)
    folds = folds_of(module, images)
    module.norm = nn.GroupNorm(2, 6).double()  # type: ignore[assignment]
    assert torch.equal(folded(module, folds)(images), module(images))
    del module.norm
    module.between = module.conv.__call__  # type: ignore[method-assign]
    assert torch.equal(folded(module, folds)(images), module(images))


def test_new_statistics_are_folded_anew() -> None:
    module = seeded(Pair).double()
    images = noise(2, 3, 8, 8)
    folds = folds_of(module, images)
    before = folded(module, folds)(images)
    with_statistics(module, seed=9).double()
    after = folded(module, folds)(images)
    assert off_by(module(images), after) < EXACT
    assert off_by(before, after) > 0.01


class TwoNames(nn.Module):
    """The normalization stands under two names and in a list; the second is called, and its numbers are asked for."""

    def __init__(self) -> None:
        super().__init__()
        self.conv, self.norm = nn.Conv2d(3, 6, 3), nn.BatchNorm2d(6)
        self.steps = nn.Sequential(self.conv, self.norm)
        self.listed = [self.steps]

    def forward(self, images: Tensor) -> Tensor:
        found: Tensor = self.listed[0](images)
        return found * self.norm.weight[:, None, None] + self.norm.num_features


def test_a_normalization_of_two_names_is_folded_under_both() -> None:
    module = seeded(TwoNames).double()
    images = noise(2, 3, 8, 8)
    folds = folds_of(module, images)
    assert len(folds) == 1
    assert off_by(module(images), folded(module, folds)(images)) < EXACT


def test_questions_about_the_shape_are_no_use() -> None:
    class Asking(Pair):
        def between(self, images: Tensor) -> Tensor:
            found = self.conv(images)
            if found.shape[1] != 6 or found.size(0) == 0 or found.dim() != 4 or found.ndim != 4 or found.requires_grad:
                raise ValueError
            return self.norm(found).to(found.dtype).to(found.device)

    module = seeded(Asking).double()
    assert len(folds_of(module, noise(1, 3, 8, 8))) == 1


def test_a_network_that_raises_has_none() -> None:
    class Raising(Pair):
        def between(self, images: Tensor) -> Tensor:
            raise ValueError(self.norm(self.conv(images)).shape)

    assert folds_of(seeded(Raising).double(), noise(1, 3, 8, 8)) == ()


def test_the_type_of_the_weights_stays() -> None:
    module = seeded(Pair).half()
    made = copy.deepcopy(module)
    fold(made, folds_of(seeded(Pair), noise(1, 3, 8, 8).float()))
    assert {one.dtype for one in made.parameters()} == {torch.float16}


def normalized_networks() -> list[str]:
    """The classifiers of torchvision that have batch normalizations, without the largest of each family."""
    models = pytest.importorskip("torchvision.models")
    families = ("resnet", "resnext50", "vgg11_bn", "densenet121", "googlenet", "inception", "mobilenet", "mnasnet")
    more = ("shufflenet", "efficientnet_b0", "efficientnet_v2_s", "regnet_y_400mf", "regnet_x_400mf")
    return [name for name in models.list_models(module=models) if name.startswith(families + more)]


UNFOLDED = {"densenet121": 59 / 121}  # it normalizes before it convolves; the share that is folded nevertheless


@pytest.mark.slow
@pytest.mark.parametrize("name", normalized_networks())
def test_classifiers_of_torchvision(name: str) -> None:
    model = load_model(name, weights="random", device="cpu")
    with_statistics(model.module)
    size = 299 if name == "inception_v3" else 96
    images = torch.rand(2, 3, size, size, generator=torch.Generator().manual_seed(0))
    plain = model.activations(images, "logits")["logits"]
    made = model.private([model.layers.resolve("logits")], winograd=False)
    assert made is not model
    assert off_by(plain, made.activations(images, "logits")["logits"]) < ROUNDED
    count = sum(isinstance(part, NORMALIZATIONS) for part in model.module.modules())
    assert len(model.folds) == round(UNFOLDED.get(name, 1) * count)


def test_a_small_classifier_of_torchvision(resnet18: Model) -> None:
    model = Model(with_statistics(copy.deepcopy(resnet18.module)), resnet18.convention, name="resnet18")
    images = torch.rand(2, 3, 64, 64, generator=torch.Generator().manual_seed(0))
    for layer in ("layer1.0.bn1", "logits"):
        made = model.private([model.layers.resolve(layer)], winograd=False)
        assert off_by(model.activations(images, layer)[layer], made.activations(images, layer)[layer]) < ROUNDED
    assert len(model.folds) == 20
