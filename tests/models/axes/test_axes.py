from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
import torch.nn.functional as F
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lucidtorch.models.axes.field_tracer import FieldTracer
from lucidtorch.models.axes.layout import Layout

B, C, H, W = 2, 5, 8, 6
IMAGE = torch.rand(B, C, H, W, generator=torch.Generator().manual_seed(0))
TOKENS = IMAGE.flatten(2).transpose(1, 2)  # what every `tokens(x)` below has
MIXER = torch.rand(H * W, H * W, generator=torch.Generator().manual_seed(1))
CLASS = torch.rand(1, 1, C, generator=torch.Generator().manual_seed(2))


def traced(function: Callable[[Tensor], Tensor], image: Tensor = IMAGE) -> tuple[Tensor, Layout | None]:
    image = image.clone()
    with torch.no_grad(), FieldTracer(image) as tracer:
        result = function(image)
        layout = tracer.layout(result)
    return result, layout


def tokens(x: Tensor) -> Tensor:
    return x.flatten(2).transpose(1, 2)


def with_class(x: Tensor) -> Tensor:
    return torch.cat([CLASS.expand(len(x), -1, -1), tokens(x)], dim=1)


def windows(x: Tensor) -> Tensor:
    return x.view(B, C, 2, 4, 2, 3).permute(0, 2, 4, 3, 5, 1).reshape(B * 4, 12, C)


def shifted_windows(x: Tensor) -> Tensor:
    return windows(torch.roll(x, (-1, -2), (2, 3)))


def rolled_then_padded(x: Tensor) -> Tensor:
    x = F.pad(torch.roll(x, (-3, 2), (2, 3)), (0, 2, 0, 1))
    return x.view(B, C, 3, 3, 2, 4).permute(0, 2, 4, 3, 5, 1).flatten(0, 2).flatten(1, 2)


def patches(x: Tensor) -> Tensor:
    return x.view(B, C, 4, 2, 3, 2).permute(0, 2, 4, 3, 5, 1).reshape(B, 12, 4 * C)


SAME = [
    (lambda x: x, "B C H W"),
    (lambda x: x.permute(0, 2, 3, 1), "B H W C"),
    (lambda x: x.transpose(2, 3).contiguous(), "B C W H"),
    (tokens, "B (H W) C"),
    (lambda x: x.permute(2, 3, 0, 1).reshape(H * W, B, C), "(H W) B C"),
    (lambda x: x.permute(0, 2, 3, 1).reshape(-1, C), "(B H W) C"),
    (with_class, "B 1+(H W) C"),
    (lambda x: torch.cat([with_class(x), CLASS.expand(B, 2, C)], 1), "B 1+(H W)+2 C"),
    (lambda x: with_class(x)[:, 1:], "B (H W) C"),
    (lambda x: with_class(x).transpose(0, 1).reshape(-1, C), "(1+(H W) B) C"),
    (lambda x: torch.cat([with_class(x)[:, :1], CLASS.expand(B, 3, C), with_class(x)[:, 1:]], 1), "B 4+(H W) C"),
    (lambda x: F.pad(tokens(x), (0, 0, 1, 0)), "B 1+(H W) C"),
    (windows, "(B windows) (H W) C"),
    (shifted_windows, "(B windows) (H W) C"),
    (rolled_then_padded, "(B windows) (H W) C"),
    (lambda x: torch.roll(torch.roll(x, -3, 3), 3, 3), "B C H W"),
    (lambda x: x[:, :, None].squeeze(2), "B C H W"),
    (lambda x: x.unflatten(3, (2, 3)).flatten(3), "B C H W"),
    (lambda x: torch.stack(x.unbind(2), dim=2), "B C H W"),
    (lambda x: x.flip(1).flip(1), "B C H W"),
    (lambda x: torch.stack(x.flip(2).unbind(2)[::-1], dim=1), None),
    (lambda x: torch.cat([x[:, :2], x[:, 2:]], 1), "B C H W"),
    (lambda x: torch.where(x > 2, x.new_zeros(()), x), "B C H W"),
    (lambda x: torch.empty_like(x).copy_(x), "B C H W"),
    (lambda x: F.unfold(x, 2, stride=2).transpose(1, 2).view(B, 12, C, 4), "B windows C (H W)"),
]


@pytest.mark.parametrize(("function", "words"), SAME)
def test_whatever_moves_numbers_about_is_undone(function: Callable[[Tensor], Tensor], words: str | None) -> None:
    result, layout = traced(function)
    assert (None if layout is None else str(layout)) == words
    if layout is not None:
        torch.testing.assert_close(layout.apply(result), IMAGE, rtol=0, atol=0)


LINEAR = torch.rand(7, C, generator=torch.Generator().manual_seed(3))

CHANGED = [
    (lambda x: x.flatten(1), "B C", lambda x: x.flatten(1)),
    (lambda x: x.mean((2, 3)), "B C", lambda x: x.mean((2, 3))),
    (lambda x: x.mean((2, 3), keepdim=True), "B C 1 1", lambda x: x.mean((2, 3), keepdim=True)),
    (lambda x: x.amax(1), "B H W", lambda x: x.amax(1, keepdim=True)),
    (lambda x: x.mean(3).transpose(1, 2), "B H C", lambda x: x.mean(3)[..., None]),
    (lambda x: x[:, :, 2].transpose(1, 2), "B W C", lambda x: x[:, :, 2:3]),
    (lambda x: with_class(x)[:, 0], "B C", lambda x: CLASS[0].expand(B, C)),
    (lambda x: with_class(x)[:, :1], "B 1 C", lambda x: CLASS[0].expand(B, C)),
    (lambda x: F.linear(x.permute(0, 2, 3, 1), LINEAR), "B H W C", lambda x: torch.einsum("bchw,oc->bohw", x, LINEAR)),
    (lambda x: torch.einsum("bchw,oc->bwoh", x, LINEAR), "B W C H", lambda x: torch.einsum("bchw,oc->bohw", x, LINEAR)),
    (lambda x: F.linear(windows(x), LINEAR), "(B windows) (H W) C", lambda x: torch.einsum("bchw,oc->bohw", x, LINEAR)),
    (lambda x: F.linear(tokens(x), LINEAR[:1]), "B (H W) C", lambda x: torch.einsum("bchw,oc->bohw", x, LINEAR[:1])),
    (lambda x: LINEAR @ x.flatten(2), "B C (H W)", lambda x: torch.einsum("bchw,oc->bohw", x, LINEAR)),
    (lambda x: tokens(x) @ LINEAR[0], "B (H W)", lambda x: torch.einsum("bchw,c->bhw", x, LINEAR[0])[:, None]),
    (
        lambda x: tokens(torch.cat([x, x], 1)).view(B, -1, 2, C).transpose(1, 2),
        "B C (H W) C",
        lambda x: x.repeat(1, 2, 1, 1),
    ),
    (lambda x: tokens(x)[..., [0, 2]], "B (H W) C", lambda x: x[:, [0, 2]]),
    (
        lambda x: tokens(x) + tokens(x).transpose(1, 2).matmul(MIXER).transpose(1, 2),
        "B (H W) C",
        lambda x: x + (x.flatten(2) @ MIXER).view_as(x),
    ),
    (lambda x: x + torch.fft.fft2(x).real, "B C H W", lambda x: x + torch.fft.fft2(x).real),
    (
        lambda x: x * x.mean((2, 3))[:, :, None, None].expand_as(x),
        "B C H W",
        lambda x: x * x.mean((2, 3), keepdim=True),
    ),
    (lambda x: F.pad(x, (1, 2)), "B C H W", lambda x: F.pad(x, (1, 2))),
    (
        lambda x: F.interpolate(x, scale_factor=2).permute(0, 2, 3, 1),
        "B H W C",
        lambda x: F.interpolate(x, scale_factor=2),
    ),
    (lambda x: F.pixel_unshuffle(x, 2), "B C H W", lambda x: F.pixel_unshuffle(x, 2)),
    (lambda x: F.pixel_shuffle(x.repeat(1, 4, 1, 1), 2), "B C H W", lambda x: F.pixel_shuffle(x.repeat(1, 4, 1, 1), 2)),
    (
        lambda x: F.conv_transpose2d(x, LINEAR.T[..., None, None], stride=2),
        "B C H W",
        lambda x: F.conv_transpose2d(x, LINEAR.T[..., None, None], stride=2),
    ),
    (lambda x: F.avg_pool2d(x, 2).flatten(2), "B C (H W)", lambda x: F.avg_pool2d(x, 2)),
    (patches, "B (H W) C", lambda x: patches(x).transpose(1, 2).reshape(B, -1, 4, 3)),
    (
        lambda x: F.layer_norm(patches(x), (4 * C,)),
        "B (H W) C",
        lambda x: F.layer_norm(patches(x), (4 * C,)).transpose(1, 2).reshape(B, -1, 4, 3),
    ),
    (lambda x: F.unfold(x, 3, padding=1), "B C (H W)", lambda x: F.unfold(x, 3, padding=1).view(B, 9 * C, H, W)),
    (
        lambda x: F.fold(F.unfold(x, 3, padding=1), (H, W), 3, padding=1),
        "B C H W",
        lambda x: F.fold(F.unfold(x, 3, padding=1), (H, W), 3, padding=1),
    ),
    (
        lambda x: F.scaled_dot_product_attention(tokens(x), tokens(x), tokens(x)),
        "B (H W) C",
        lambda x: (torch.softmax(TOKENS @ TOKENS.mT / C**0.5, -1) @ TOKENS).mT.reshape(B, C, H, W),
    ),
    (
        lambda x: torch.softmax(tokens(x) @ x.flatten(2), -1) @ tokens(x),
        "B (H W) C",
        lambda x: (torch.softmax(TOKENS @ TOKENS.mT, -1) @ TOKENS).mT.reshape(B, C, H, W),
    ),
    (
        lambda x: x.mean(1)[:, :, :, None] * LINEAR[:, 0],
        "B H W C",
        lambda x: x.mean(1)[:, None] * LINEAR[:, 0][:, None, None],
    ),
    (
        lambda x: F.linear(x.flatten(1)[:, :C], LINEAR).view(B, 7, 1, 1),
        "B C 1 1",
        lambda x: F.linear(x.flatten(1)[:, :C], LINEAR)[..., None, None],
    ),
    (
        lambda x: F.conv2d(F.linear(x.mean((2, 3)), LINEAR[:4]).view(B, 1, 2, 2), torch.ones(3, 1, 1, 1)),
        "B C H W",
        lambda x: F.linear(x.mean((2, 3)), LINEAR[:4]).view(B, 1, 2, 2).expand(B, 3, 2, 2),
    ),
]


@pytest.mark.parametrize(("function", "words", "expected"), CHANGED)
def test_operations_by_a_hand_written_extraction(
    function: Callable[[Tensor], Tensor], words: str, expected: Callable[[Tensor], Tensor]
) -> None:
    result, layout = traced(function)
    assert str(layout) == words
    assert layout is not None
    torch.testing.assert_close(layout.apply(result), expected(IMAGE), rtol=1e-4, atol=1e-5)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: tokens(x) @ x.flatten(2),  # every place with every place
        lambda x: x.flatten(2) @ MIXER,  # each number a mixture of places
        lambda x: torch.softmax(MIXER[:9, :C] @ x.flatten(2), -1) @ tokens(x),  # nine queries of the network's own
        lambda x: x.flatten(2) @ tokens(x),  # every channel with every channel
        lambda x: x.flip(3),
        lambda x: x.flip(0),
        lambda x: torch.roll(x, 1, 0),
        lambda x: torch.roll(x.flatten(2), 1, 2),
        lambda x: x[:1],
        lambda x: torch.cat([x, x], 0),
        lambda x: torch.cat([tokens(x), tokens(x)], 1),
        lambda x: tokens(x)[:, 3:9],
        lambda x: with_class(x)[:, :4],
        lambda x: tokens(x)[:, torch.randperm(H * W)],
        lambda x: x.flatten(2).sort(dim=2).values,
        lambda x: x.repeat(1, 1, 2, 1),
        lambda x: x + x.new_zeros(3, 1, 1, 1, 1),
        lambda x: x + torch.roll(x, 1, 2),
        lambda x: x[:, :, :6] + x[:, :, :6].transpose(2, 3),
        lambda x: torch.fft.fft2(x).real,
        lambda x: torch.roll(x, 5),
        lambda x: torch.ones(B, C, H, W),
        lambda x: x.sum(),
        lambda x: x.reshape(B, 16, 15),
    ],
)
def test_what_is_no_channels_at_places_has_no_layout(function: Callable[[Tensor], Tensor]) -> None:
    assert traced(function)[1] is None


@st.composite
def programs(draw: st.DrawFn) -> Callable[[Tensor], Tensor]:
    """Roll the image, take its axes apart, put the pieces in any order, and merge neighbours that are no channels."""
    shifts = draw(st.tuples(st.integers(-7, 7), st.integers(-5, 5)))
    rows, columns = draw(st.sampled_from([1, 2, 4, 8])), draw(st.sampled_from([1, 2, 3, 6]))
    order = draw(st.permutations(range(6)))
    merges = draw(st.lists(st.booleans(), min_size=5, max_size=5))

    def run(x: Tensor) -> Tensor:
        x = torch.roll(x, shifts, (2, 3))
        x = x.view(B, C, rows, H // rows, columns, W // columns).permute(order)
        shape = [x.shape[0]]
        for place in range(1, 6):
            if merges[place - 1] and 1 not in order[place - 1 : place + 1]:
                shape[-1] *= x.shape[place]
            else:
                shape.append(x.shape[place])
        return x.reshape(shape)

    return run


@settings(max_examples=150)
@given(programs())
def test_every_shuffle_of_pieces_of_axes_is_undone(program: Callable[[Tensor], Tensor]) -> None:
    result, layout = traced(program)
    assert layout is not None
    torch.testing.assert_close(layout.apply(result), IMAGE, rtol=0, atol=0)


@settings(max_examples=60)
@given(programs())
def test_a_linear_layer_commutes_with_every_shuffle(program: Callable[[Tensor], Tensor]) -> None:
    def run(x: Tensor) -> Tensor:
        moved = program(x)
        place = moved.shape.index(C)
        return F.linear(moved.movedim(place, -1), LINEAR)

    result, layout = traced(run)
    assert layout is not None
    torch.testing.assert_close(layout.apply(result), torch.einsum("bchw,oc->bohw", IMAGE, LINEAR))
