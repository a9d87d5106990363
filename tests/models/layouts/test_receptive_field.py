from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torchvision import models as torchvision_models

import lucidtorch as lt
import lucidtorch.models as models
from lucidtorch.models.layouts.field_tracer import FieldTracer
from lucidtorch.models.layouts.receptive_field import WHOLE, Axis, Field, ReceptiveField, as_receptive_field


def table_on_meta(build: Callable[..., nn.Module], **options: object) -> models.LayerTable:
    with torch.device("meta"):
        net = build(**options)
    return models.load_model(net, mean=0.0, size=224).layers


def sizes(table: models.LayerTable, addresses: list[str]) -> list[object]:
    return [field.size if (field := table[address].receptive_field) else None for address in addresses]


def test_alexnet_has_the_known_sizes() -> None:
    table = table_on_meta(torchvision_models.alexnet)
    assert sizes(table, [f"conv{place}" for place in range(1, 6)]) == [11, 51, 99, 131, 163]
    assert table["conv1"].receptive_field == ReceptiveField(size=11, stride=4, start=-2)
    assert sizes(table, ["fc6", "fc8", "logits"]) == [None, None, None]


def test_vgg19_has_the_known_sizes() -> None:
    table = table_on_meta(torchvision_models.vgg19)
    names = [f"conv{group}_{place}" for group, last in enumerate((2, 2, 4, 4, 4), 1) for place in range(1, last + 1)]
    expected = [3, 5, 10, 14, 24, 32, 40, 48, 68, 84, 100, 116, 156, 188, 220, 252]
    assert sizes(table, names) == expected


def test_resnet50_has_the_known_sizes() -> None:
    table = table_on_meta(torchvision_models.resnet50)
    assert sizes(table, ["maxpool", "layer1", "layer2", "layer3", "layer4"]) == [11, 35, 91, 267, 427]
    assert sizes(table, ["avgpool", "fc"]) == [None, None]


def test_inceptionv1_has_the_known_sizes() -> None:
    table = models.load_model("inceptionv1", weights="random").layers
    names = [f"mixed{name}" for name in ("3a", "3b", "4a", "4b", "4c", "4d", "4e", "5a", "5b")]
    assert sizes(table, names) == [59, 91, 171, 235, 299, 363, 427, 587, 715]


def test_convnext_keeps_its_fields_through_its_channels_last_layers() -> None:
    table = table_on_meta(torchvision_models.convnext_tiny)
    block = "features.1.0.block"
    assert sizes(table, ["features.0.0", f"{block}.0", f"{block}.2", f"{block}.5", "features.1.0"]) == [
        4,
        28,
        28,
        28,
        28,
    ]
    assert table[f"{block}.4"].receptive_field == ReceptiveField(size=28, stride=4, start=-12)


def test_patch_embeddings_see_their_patch() -> None:
    table = table_on_meta(torchvision_models.vit_b_16)
    assert table["conv_proj"].receptive_field == ReceptiveField(size=16, stride=16, start=0)
    assert sizes(table, ["encoder.layers.encoder_layer_0.mlp.0"]) == [None]
    table = table_on_meta(torchvision_models.swin_t)
    assert table["features.1.0.norm1"].receptive_field == ReceptiveField(size=4, stride=4, start=0)


def test_squeeze_and_excitation_sees_the_whole_image() -> None:
    table = table_on_meta(torchvision_models.mobilenet_v3_small)
    assert sizes(table, ["features.0"]) == [3]
    assert sizes(table, ["features.1", "features.12"]) == [None, None]


def seen_by(layer: nn.Module, side: tuple[int, int], row: int, column: int) -> list[list[int]]:
    """The rows and columns of the image on which one unit depends, by its gradient."""
    image = torch.rand(1, 1, *side, dtype=torch.float64, requires_grad=True)
    (gradient,) = torch.autograd.grad(layer(image)[0, :, row, column].sum(), image)
    return [gradient[0, 0].abs().sum(dim=axis).nonzero().flatten().tolist() for axis in (1, 0)]


def pair(value: int | tuple[int, int]) -> tuple[int, int]:
    return (value, value) if isinstance(value, int) else value


def check_by_gradient(layer: nn.Module, side: tuple[int, int]) -> None:
    """No unit depends on a pixel outside its window; a unit away from the borders depends on the window's ends."""
    field = models.load_model(nn.Sequential(layer), mean=0.0, size=side, channels=1).layers["0"].receptive_field
    assert field is not None
    rows, columns = layer(torch.zeros(1, 1, *side, dtype=torch.float64)).shape[-2:]
    for row, column in ((0, 0), (rows - 1, columns - 1), (rows // 2, columns // 2)):
        seen = seen_by(layer, side, row, column)
        windows = []
        for axis, place in enumerate((row, column)):
            start = pair(field.start)[axis] + place * pair(field.stride)[axis]
            windows.append((start, start + pair(field.size)[axis] - 1))
            assert all(start <= pixel <= windows[axis][1] for pixel in seen[axis])
        margins = [2 * stride for stride in pair(field.stride)]
        inside = [low >= 0 and high < side[axis] - margins[axis] for axis, (low, high) in enumerate(windows)]
        if all(inside):
            assert [(min(pixels), max(pixels)) for pixels in seen] == windows


STEPS = st.tuples(
    st.sampled_from(["conv", "average", "pad"]),
    st.tuples(st.integers(1, 4), st.integers(1, 4)),
    st.tuples(st.integers(1, 2), st.integers(1, 2)),
    st.tuples(st.integers(0, 2), st.integers(0, 2)),
    st.integers(1, 2),
)


def step(kind: str, kernel: tuple[int, int], stride: tuple[int, int], padding: tuple[int, int], gap: int) -> nn.Module:
    if kind == "pad":
        return nn.ZeroPad2d((*padding, *reversed(padding)))
    fitting = tuple(min(pad, taps // 2) for pad, taps in zip(padding, kernel, strict=True))
    if kind == "average":
        return nn.AvgPool2d(kernel, stride, fitting)
    layer = nn.Conv2d(1, 1, kernel, stride, padding, dilation=gap, dtype=torch.float64)
    nn.init.uniform_(layer.weight, 0.5, 1.0)
    return layer


@settings(max_examples=30, deadline=None)
@given(st.lists(STEPS, min_size=1, max_size=4))
def test_fields_are_where_the_gradient_is(steps: list[tuple]) -> None:
    torch.manual_seed(0)
    check_by_gradient(nn.Sequential(*(step(*one) for one in steps)).double(), (97, 90))


class Fork(nn.Module):
    def forward(self, images: Tensor) -> Tensor:
        wide = F.avg_pool2d(images, 5, stride=2, padding=2)
        late = F.avg_pool2d(images[:, :, 1:, 2:], 1, stride=2)
        late = F.pad(late, (0, 1, 0, 0))
        both = torch.cat([wide, late], dim=1)
        both = F.local_response_norm(both + 1, size=3)
        return F.gelu(both)[:, :, ::2]


def test_branches_slices_pads_and_response_norm_are_followed() -> None:
    check_by_gradient(Fork(), (34, 34))


def trace(function: Callable[[Tensor], Tensor], image: Tensor | None = None) -> Field | None:
    image = torch.rand(1, 4, 8, 8) if image is None else image
    with torch.no_grad(), FieldTracer(image) as tracer:
        return tracer.field(function(image))


IMAGE: Field = (Axis(1, 1, 0), Axis(1, 1, 0))
TWICE: Field = (Axis(1, 2, 0), Axis(1, 2, 0))
TWO: Field = (Axis(2, 2, 0), Axis(2, 2, 0))


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (lambda x: x.relu_().mul_(2) / x.amax(1, keepdim=True), IMAGE),
        (lambda x: x.view(1, 2, 2, 8, 8).transpose(1, 2).reshape(1, 4, 8, 8), IMAGE),
        (lambda x: torch.cat(x.chunk(2, dim=1), dim=0), IMAGE),
        (lambda x: F.softmax(x, dim=1), IMAGE),
        (lambda x: F.adaptive_avg_pool2d(x, 8), IMAGE),
        (lambda x: F.batch_norm(x, torch.zeros(4), torch.ones(4)), IMAGE),
        (lambda x: x[:, :, ::2, ::2].contiguous(), TWICE),
        (lambda x: F.adaptive_avg_pool2d(x, 4), TWO),
        (lambda x: torch.stack([x[:, 0], x[:, 1]], dim=1), IMAGE),
        (lambda x: F.softmax(x, dim=-1), WHOLE),
        (lambda x: F.adaptive_avg_pool2d(x, 3), WHOLE),
        (lambda x: F.adaptive_max_pool2d(x, 1), WHOLE),
        (lambda x: x.mean(dim=(2, 3), keepdim=True), WHOLE),
        (lambda x: x * torch.sigmoid(x.mean(dim=(2, 3), keepdim=True)), WHOLE),
        (lambda x: F.batch_norm(x, None, None, training=True), WHOLE),
        (lambda x: F.group_norm(x, 2), WHOLE),
        (lambda x: x.transpose(2, 3), IMAGE),
        (lambda x: x.permute(0, 2, 3, 1).contiguous(), IMAGE),
        (lambda x: F.layer_norm(F.avg_pool2d(x, 2).permute(0, 2, 3, 1), (4,)), TWO),
        (lambda x: F.linear(F.avg_pool2d(x, 2).flatten(2).transpose(1, 2), torch.ones(5, 4)), TWO),
        (lambda x: F.pixel_unshuffle(x, 2), TWO),
        (lambda x: x.view(1, 4, 4, 2, 4, 2).mean((3, 5)), TWO),
        (
            lambda x: F.linear(
                x.view(1, 4, 4, 2, 4, 2).permute(0, 2, 4, 3, 5, 1).reshape(1, 16, 16), torch.ones(5, 16)
            ),
            TWO,
        ),
        (lambda x: F.unfold(x, 3, stride=2, padding=1), (Axis(3, 2, -1), Axis(3, 2, -1))),
        (lambda x: x.view(1, 4, 4, 2, 8)[:, :, :, 1], (Axis(1, 2, 1), Axis(1, 1, 0))),
        (lambda x: F.linear(x.flatten(1), torch.ones(9, 256)), WHOLE),
        (lambda x: x.flatten(2) @ torch.ones(64, 64), WHOLE),
        (lambda x: x.flatten(2).transpose(1, 2) @ x.flatten(2), WHOLE),
        (lambda x: torch.roll(x, 1, 2), WHOLE),
        (lambda x: x.mean(3), WHOLE),
        (lambda x: F.layer_norm(x, (4, 8, 8)), WHOLE),
        (lambda x: F.conv_transpose2d(x, torch.ones(4, 2, 2, 2), stride=2), WHOLE),
        (lambda x: x.flatten(1), WHOLE),
        (lambda x: F.interpolate(x, scale_factor=2), WHOLE),
        (lambda x: torch.fft.rfft2(x).real, WHOLE),
        (lambda x: x + x[:, :, :1, :1], WHOLE),
        (lambda x: torch.zeros_like(x), None),
        (lambda x: torch.ones(1, 4, 8, 8), None),
    ],
)
def test_operations_one_by_one(function: Callable[[Tensor], Tensor], expected: Field | None) -> None:
    assert trace(function) == expected


def test_what_is_written_into_a_buffer_is_seen_through_it() -> None:
    def written(image: Tensor) -> Tensor:
        buffer = torch.zeros(1, 8, 8, 8)
        buffer[:, :4] = F.avg_pool2d(image, 3, stride=1, padding=1)
        buffer[:, 4:] = image
        return buffer * 2

    assert trace(written) == (Axis(3, 1, -1), Axis(3, 1, -1))


def test_a_view_knows_what_is_done_to_its_base() -> None:
    def changed(image: Tensor) -> Tensor:
        base = image * 1
        view = base[:, :2]
        base += F.avg_pool2d(image, 3, stride=1, padding=1)
        return view

    assert trace(changed) == (Axis(3, 1, -1), Axis(3, 1, -1))


def test_clips_have_fields_of_three_sides() -> None:
    net = nn.Sequential(nn.Conv3d(1, 1, (3, 5, 7), stride=(1, 2, 2), padding=(1, 2, 3)), nn.AvgPool3d(2))
    field = trace(net, torch.rand(2, 1, 8, 32, 32))
    assert field == (Axis(4, 2, -1), Axis(7, 4, -2), Axis(9, 4, -3))
    assert str(as_receptive_field(field)) == "4x7x9 stride 2x4x4 from -1x-2x-3"


def test_fields_print_as_in_the_table() -> None:
    assert str(ReceptiveField(11, 4, -2)) == "11 stride 4 from -2"
    assert str(ReceptiveField((3, 5), 1, (-1, -2))) == "3x5 stride 1 from -1x-2"


def padded(mode: str) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(3, 4, (3, 5), (1, 2), padding=(1, 2), padding_mode=mode),
        nn.Conv2d(4, 4, 4, padding="same", padding_mode=mode),
        nn.Conv2d(4, 4, 3, 2, padding=2, dilation=2, padding_mode=mode),
    )


def pad_layers(kind: Callable[..., nn.Module]) -> nn.Sequential:
    return nn.Sequential(kind((1, 2, 3, 1)), nn.Conv2d(3, 4, 3), kind(2), nn.Conv2d(4, 4, 5, 2))


PADDED = {mode: padded(mode) for mode in ("zeros", "reflect", "replicate")}
PADDED |= {one.__name__: pad_layers(one) for one in (nn.ZeroPad2d, nn.ReflectionPad2d, nn.ReplicationPad2d)}


def sides(value: int | tuple[int, ...]) -> tuple[int, ...]:
    return (value, value) if isinstance(value, int) else value


@pytest.mark.parametrize("network", PADDED.values(), ids=PADDED)
def test_away_from_the_border_a_field_is_where_the_gradient_is_whatever_pads(network: nn.Sequential) -> None:
    table = lt.load_model(network.eval(), device="cpu", size=64, mean=0, std=1).layers
    for place in range(len(network)):
        image = torch.rand(1, 3, 64, 64, generator=torch.Generator().manual_seed(0)).requires_grad_()
        values = network[: place + 1](image)
        unit = [side // 2 for side in values.shape[2:]]
        (gradient,) = torch.autograd.grad(values[0, :, unit[0], unit[1]].abs().sum(), image)
        seen = gradient[0].abs().sum(0).nonzero()
        first, last = seen.amin(0).tolist(), seen.amax(0).tolist()
        field = table[str(place)].receptive_field
        assert field is not None
        starts = zip(sides(field.start), sides(field.stride), unit, strict=True)
        assert [start + stride * at for start, stride, at in starts] == first
        assert list(sides(field.size)) == [end - start + 1 for start, end in zip(first, last, strict=True)]


def test_no_field_is_told_where_the_image_is_continued_at_its_other_side() -> None:
    table = lt.load_model(padded("circular").eval(), device="cpu", size=64, mean=0, std=1).layers
    assert [table[str(place)].receptive_field for place in range(3)] == [None] * 3
