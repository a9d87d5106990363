from __future__ import annotations

import pickle

import torch
import torch.nn.functional as F
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models as torchvision_models

from lucidtorch.models.layouts.field_tracer import FieldTracer
from lucidtorch.models.layouts.layout import BATCH, CHANNEL, COLUMNS, PLACES, ROWS, Layout, Piece

WINDOWS = Layout(
    (
        (Piece(BATCH, 2), Piece(ROWS, 2, 2), Piece(COLUMNS, 2, 3)),
        (Piece(ROWS, 2), Piece(COLUMNS, 3)),
        (Piece(CHANNEL, 3),),
    )
)


def test_a_layout_is_a_value_that_works_for_any_batch() -> None:
    assert pickle.loads(pickle.dumps(WINDOWS)) == WINDOWS
    assert str(WINDOWS) == "(B windows) (H W) C"
    more = torch.rand(5, 3, 4, 6, requires_grad=True)
    split = more.view(5, 3, 2, 2, 2, 3).permute(0, 2, 4, 3, 5, 1).reshape(20, 6, 3)
    assert torch.equal(WINDOWS.apply(split), more)
    (gradient,) = torch.autograd.grad(WINDOWS.apply(split)[1].sum(), more)
    assert gradient.sum(dim=(1, 2, 3)).tolist() == [0, 72, 0, 0, 0]
    assert WINDOWS.tokens(split).shape == (5, 3, 24)


def test_a_layout_without_merged_axes_holds_at_any_size() -> None:
    kinds = (BATCH, ROWS, COLUMNS, CHANNEL)
    layout = Layout(tuple((Piece(kind, size),) for kind, size in zip(kinds, (2, 4, 6, 3), strict=True)))
    larger = torch.rand(4, 9, 7, 3)
    assert not layout.sized
    assert torch.equal(layout.apply(larger), larger.permute(0, 3, 1, 2))
    plain = Layout(((Piece(BATCH, 2),), (Piece(CHANNEL, 3),), (Piece(ROWS, 4),), (Piece(COLUMNS, 6),)))
    assert plain.apply(larger) is larger


def test_places_of_no_known_order_keep_the_order_of_the_layer() -> None:
    layout = Layout(((Piece(BATCH, 2),), (Piece(PLACES, 7),), (Piece(CHANNEL, 3),)))
    raw = torch.rand(4, 7, 3)
    assert not layout.is_ordered
    assert str(layout) == "B N C"
    assert torch.equal(layout.apply(raw), raw.transpose(1, 2))
    assert torch.equal(layout.tokens(raw), raw.transpose(1, 2))


def test_floating_point_operations_are_those_of_the_library() -> None:
    images = torch.rand(2, 3, 64, 64)
    net = torchvision_models.resnet18().eval()
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        net(images)
    with torch.no_grad(), FieldTracer(images) as tracer:
        net(images)
    assert tracer.flops == counter.get_total_flops()
    with torch.no_grad(), FieldTracer(images) as tracer:
        F.scaled_dot_product_attention(*[images.flatten(2)] * 3)
    assert tracer.flops == 2 * 2 * (2 * 3 * 3 * 4096)
