from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import cifar_network
import pytest
import safetensors.torch
import torch
from torch import Tensor, nn
from torchvision.ops import FrozenBatchNorm2d

from lucidtorch.models.inputs.convention import InputConvention
from lucidtorch.models.inputs.norm_stats import NormStatsCheck, check_norm_stats, contradiction

RIGHT = InputConvention(3, (32, 32), mean=cifar_network.MEAN, std=cifar_network.STD)
BYTES = (0.0, 255.0)


def doubt_about(net: nn.Module, convention: InputConvention) -> str | None:
    return contradiction(net, net, convention, "net")


def seen_by(net: nn.Module, convention: InputConvention) -> NormStatsCheck:
    found = check_norm_stats(net, net, convention)
    assert found is not None
    return found


def trained(*before: nn.Module, norm: nn.Module | None = None, std: float = 1.0) -> nn.Sequential:
    """Layers and a batch norm that was trained on what comes out of them for inputs of mean 0 and a given std."""
    torch.manual_seed(0)
    net = nn.Sequential(*before, nn.BatchNorm2d(8, momentum=None) if norm is None else norm).train()
    with torch.no_grad():
        net(torch.randn(64, 3, 16, 16) * std)
    net[-1].num_batches_tracked.fill_(10_000)
    return net.eval()


@pytest.mark.parametrize(
    "words",
    [
        {},
        {"mean": (0.4914, 0.4822, 0.4465), "std": (0.2470, 0.2435, 0.2616)},
        {"channel_order": "bgr"},
        {"mean": (0.0,) * 3, "std": (1.0,) * 3},
        {"mean": (0.5,) * 3, "std": (0.5,) * 3},
        {"value_range": (-1.0, 1.0), "mean": (0.0,) * 3, "std": (1.0,) * 3},
        {"size": (96, 64)},
    ],
)
def test_a_real_network_raises_no_doubt_about_what_is_right_or_nearly(test_data: Path, words: dict) -> None:
    assert doubt_about(cifar_network.pretrained(test_data), replace(RIGHT, **words)) is None


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            {"mean": (0.485, 0.456, 406.0)},
            "but 406 lies outside of (0.0, 1.0); check both, and write value_range=(0, 255)",
        ),
        ({"std": (0.229, 0.224, 406.0)}, "but 406 is more than all of (0.0, 1.0); check both"),
        ({"std": (0.229, 224.0, 0.225)}, "but 224 is more than all of (0.0, 1.0); check both"),
        (
            {"value_range": BYTES},
            "times wider than what it was trained on; it seems to expect something like mean=(0.485",
        ),
        (
            {"value_range": BYTES, "mean": (0.0,) * 3, "std": (1.0,) * 3},
            "batch norm of net, spread 56 times wider than",
        ),
        ({"std": (0.00229, 0.00224, 0.00225)}, "times wider than what it was trained on"),
        ({"value_range": BYTES, "mean": (104.0, 117.0, 123.0), "std": (1.0,) * 3}, "times wider than"),
    ],
)
def test_a_real_network_contradicts_what_is_grossly_wrong(test_data: Path, words: dict, message: str) -> None:
    doubt = doubt_about(cifar_network.pretrained(test_data), replace(RIGHT, **words))
    assert doubt is not None
    assert message in doubt


def test_the_measures_of_a_real_network_are_those_that_the_threshold_was_chosen_by(test_data: Path) -> None:
    net = cifar_network.pretrained(test_data)
    seen = seen_by(net, RIGHT)
    assert (seen.layer, seen.spread, seen.shift) == (
        "bn1",
        pytest.approx(0.96, abs=0.02),
        pytest.approx(0.05, abs=0.02),
    )
    plain = replace(RIGHT, mean=(0.0,) * 3, std=(1.0,) * 3)
    assert seen_by(net, plain).factor == pytest.approx(4.5, abs=0.1)
    assert seen_by(net, replace(plain, value_range=BYTES)).factor == pytest.approx(56, abs=2)
    assert seen_by(net, replace(RIGHT, mean=(0.485, 0.456, 406.0))).shift == pytest.approx(261, abs=10)


def test_the_median_over_channels_is_the_formula() -> None:
    net = trained(nn.Conv2d(3, 8, 3))
    convention = InputConvention(3, (20, 24), mean=(0.3, 0.4, 0.5), std=(0.2, 0.3, 0.1))
    seen = seen_by(net, convention)
    kept: list[Tensor] = []
    hook = net[1].register_forward_pre_hook(lambda part, inputs: kept.append(inputs[0]))
    assert seen_by(net, convention) == seen
    hook.remove()
    norm, values = net[1], kept[0].double()
    spreads = [(values[:, one].var() + norm.eps).sqrt() / (norm.running_var[one] + norm.eps).sqrt() for one in range(8)]
    shifts = [
        (values[:, one].mean() - norm.running_mean[one]).abs() / (norm.running_var[one] + norm.eps).sqrt()
        for one in range(8)
    ]
    assert seen.spread == pytest.approx(float(torch.stack(spreads).median()), rel=1e-5)
    assert seen.shift == pytest.approx(float(torch.stack(shifts).median()), rel=1e-5)


@pytest.mark.parametrize("std", [1 / 250, 250.0])
def test_a_network_of_another_range_says_which_way(std: float) -> None:
    doubt = doubt_about(trained(nn.Conv2d(3, 8, 3), std=std), RIGHT)
    assert doubt is not None
    assert f"times {'wider' if std < 1 else 'narrower'} than what it was trained on" in doubt
    assert doubt.endswith(("check them against its training script.", "check its training script."))


def folded() -> nn.Module:
    return nn.Sequential(nn.Conv2d(3, 8, 3), nn.BatchNorm2d(8)).eval()


def hardly_trained() -> nn.Module:
    net = trained(nn.Conv2d(3, 8, 3), std=1 / 250)
    net[-1].num_batches_tracked.fill_(5)
    return net


def deep() -> nn.Module:
    return trained(*(layer for at in (3, 4, 4) for layer in (nn.Conv2d(at, 4, 1), nn.ReLU())), norm=nn.BatchNorm2d(4))


class Raising(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.norm = trained(nn.Conv2d(3, 8, 3))[-1]

    def forward(self, images: Tensor) -> Tensor:
        raise RuntimeError("no such size")


class NotOfImages(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed, self.norm = nn.Embedding(4, 8), nn.BatchNorm1d(8)
        self.norm.running_mean.fill_(3)

    def forward(self, words: Tensor) -> Tensor:
        return self.norm(self.embed(words.long()[:, 0, 0, 0] % 4))


def flattened() -> nn.Module:
    norm = nn.BatchNorm1d(8)
    norm.running_mean.fill_(1000)
    return nn.Sequential(nn.Flatten(), nn.Linear(3 * 32 * 32, 8), norm).eval()


@pytest.mark.parametrize("make", [folded, hardly_trained, deep, Raising, NotOfImages, flattened, nn.Identity, nn.ReLU])
def test_where_nothing_can_be_compared_there_is_no_doubt(make: Callable[[], nn.Module]) -> None:
    net = make()
    for value_range in ((0.0, 1.0), BYTES):
        assert doubt_about(net, replace(RIGHT, value_range=value_range)) is None


def test_a_real_network_with_folded_batch_norms_raises_no_doubt(test_data: Path) -> None:
    state = safetensors.torch.load_file(test_data / "weights" / "mobilenet_v2_imagenet.safetensors")
    first = nn.Sequential(nn.Conv2d(3, 32, 3, 2, 1, bias=False), nn.BatchNorm2d(32)).eval()
    for part, name in ((first[0], "features.0.0."), (first[1], "features.0.1.")):
        own = {key.removeprefix(name): value.float() for key, value in state.items() if key.startswith(name)}
        part.load_state_dict(own, strict=False)
    assert doubt_about(first, replace(RIGHT, value_range=BYTES)) is None


def test_frozen_batch_norms_of_detectors_count_too() -> None:
    own = trained(nn.Conv2d(3, 8, 3), std=1 / 250)
    frozen = FrozenBatchNorm2d(8)
    frozen.load_state_dict(own[1].state_dict())
    net = nn.Sequential(own[0], frozen)
    assert seen_by(net, RIGHT) == seen_by(own, RIGHT)
    assert doubt_about(net, RIGHT) is not None


@pytest.mark.parametrize("channels", [1, 7])
def test_any_number_of_channels_and_clips(channels: int) -> None:
    torch.manual_seed(0)
    net = nn.Sequential(nn.Conv3d(channels, 8, 3), nn.BatchNorm3d(8, momentum=None)).train()
    with torch.no_grad():
        net(torch.rand(16, channels, 6, 12, 12))
    net[1].num_batches_tracked.zero_()  # as in old files
    zeros, ones = (0.0,) * channels, (1.0,) * channels
    convention = InputConvention(channels, (4, 16, 16), mean=zeros, std=ones)
    assert doubt_about(net.eval(), convention) is None
    doubt = doubt_about(net, replace(convention, value_range=BYTES))
    assert doubt is not None
    assert "seems to expect something like" in doubt
    assert "value_range=(0.0, 1.0)" in doubt


@pytest.mark.parametrize(
    ("size", "shown"),
    [
        ((520, 520), (520, 520)),
        ((2048, 1024), (848, 416)),
        ((200, 200, 200), (64, 64, 64)),
        ((8, 512, 512), (8, 272, 272)),
    ],
)
def test_large_images_are_tried_smaller(size: tuple[int, ...], shown: tuple[int, ...]) -> None:
    sizes: list[tuple[int, ...]] = []
    conv, norm = (nn.Conv2d, nn.BatchNorm2d) if len(size) == 2 else (nn.Conv3d, nn.BatchNorm3d)
    net = nn.Sequential(conv(1, 1, 1, stride=8), norm(1)).eval()
    net[1].running_mean.fill_(1)
    net.register_forward_pre_hook(lambda part, inputs: sizes.append(tuple(inputs[0].shape[2:])))
    check_norm_stats(net, net, InputConvention(1, size, mean=(0.0,), std=(1.0,)))
    assert sizes == [shown]


def test_only_the_layers_up_to_the_batch_norm_run_and_all_is_as_before(
    fingerprint: Callable[[nn.Module], dict[str, object]],
) -> None:
    net = nn.Sequential(trained(nn.Conv2d(3, 8, 3), std=1 / 250), nn.Conv2d(8, 8, 3), nn.Dropout()).train()
    ran: list[str] = []
    hooks = [net[at].register_forward_pre_hook(lambda part, _: ran.append(type(part).__name__)) for at in (1, 2)]
    before = fingerprint(net)
    assert doubt_about(net, RIGHT) is not None
    assert fingerprint(net) == before
    assert ran == []
    for hook in hooks:
        hook.remove()


@pytest.mark.parametrize(
    "words",
    [
        {"value_range": BYTES, "mean": (123.7, 116.3, 103.5), "std": (58.4, 57.1, 57.4)},
        {"value_range": BYTES, "std": (255.0,) * 3},
        {"value_range": (-1.0, 1.0), "mean": (0.0,) * 3, "std": (1.0,) * 3},
        {"value_range": (0.5, 0.75), "mean": (0.0,) * 3, "std": (1.0,) * 3},
        {"value_range": (-117.0, 138.0), "mean": (0.0,) * 3, "std": (1.0,) * 3},
    ],
)
def test_numbers_that_can_be_right_raise_no_doubt(words: dict) -> None:
    assert doubt_about(nn.Conv2d(3, 4, 3), replace(RIGHT, **words)) is None


@pytest.mark.parametrize(
    "words",
    [
        {"mean": (123.7, 116.3, 103.5)},
        {"std": (58.4, 57.1, 57.4)},
        {"value_range": (-1.0, 1.0), "std": (2.5, 0.5, 0.5)},
        {"value_range": (0.5, 1.0), "mean": (0.25,) * 3},
    ],
)
def test_numbers_that_cannot_be_raise_a_doubt_whatever_the_network(words: dict) -> None:
    doubt = doubt_about(nn.Conv2d(3, 4, 3), replace(RIGHT, **words))
    assert doubt is not None
    assert "in units of value_range" in doubt
