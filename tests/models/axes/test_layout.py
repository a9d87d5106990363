from __future__ import annotations

import pickle
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from torch.utils.flop_counter import FlopCounterMode
from torchvision import models as torchvision_models
from tracing import applied, seen_in, words

from lucidtorch.models.axes.field_tracer import FieldTracer
from lucidtorch.models.axes.layout import layout_of
from lucidtorch.models.axes.pieces import image_axes


class _Rows(nn.Module):
    """Feeds the rows of an image to a network, one after the other."""

    def __init__(self, net: nn.Module, *, batch_first: bool) -> None:
        super().__init__()
        self.net = net
        self.batch_first = batch_first

    def forward(self, images: Tensor) -> Any:
        rows = images.permute(0, 2, 1, 3).flatten(2)
        return self.net(rows if self.batch_first else rows.transpose(0, 1))


@pytest.mark.parametrize("batch_first", [True, False])
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
@pytest.mark.parametrize("both_ways", [True, False])
def test_recurrent_layers_give_channels_at_rows(kind: type[nn.RNNBase], batch_first: bool, both_ways: bool) -> None:
    net = kind(18, 4, num_layers=2, batch_first=batch_first, bidirectional=both_ways)
    seen = seen_in(_Rows(net, batch_first=batch_first), (7, 6))
    raw = seen["net"][0]
    expected = raw.transpose(1, 2) if batch_first else raw.permute(1, 2, 0)
    assert torch.equal(applied(seen, "net"), expected[..., None])
    assert words(seen, "net") == ("B H C" if batch_first else "H B C")


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_one_state_and_one_step_of_a_recurrent_layer_are_channels(kind: type[nn.RNNBase]) -> None:
    images = torch.rand(2, 3, 7, 6)
    net = kind(18, 4, num_layers=2)
    with torch.no_grad(), FieldTracer(images) as tracer:
        steps, states = net(images.permute(2, 0, 1, 3).flatten(2))
        last = (states[0] if isinstance(states, tuple) else states)[1]
        layouts = [tracer.layout(steps[5]), tracer.layout(last)]
    assert [str(one) for one in layouts] == ["B C", "B C"]


def test_a_transformer_with_the_batch_behind_the_tokens() -> None:
    layer = nn.TransformerEncoderLayer(18, 3, 20)
    seen = seen_in(_Rows(nn.TransformerEncoder(layer, 2, enable_nested_tensor=False), batch_first=False), (7, 6))
    for name in ("net.layers.1.linear1", "net.layers.1.self_attn", "net"):
        assert torch.equal(applied(seen, name), seen[name][0].permute(1, 2, 0)[..., None])


def test_clips_keep_their_time() -> None:
    net = nn.Sequential(nn.Conv3d(3, 4, 3, padding=1), nn.AvgPool3d((2, 1, 1)), nn.AdaptiveAvgPool3d((3, 1, 1)))
    seen = seen_in(net, (6, 8, 10))
    assert [words(seen, name) for name in ("0", "1", "2")] == ["B C T H W"] * 3
    assert seen["1"][1] is not None
    assert seen["1"][1].grid == (3, 8, 10)


def test_frames_in_the_batch_become_clips_again() -> None:
    images = torch.rand(2, 3, 5, 8, 6)
    with torch.no_grad(), FieldTracer(images) as tracer:
        frames = images.transpose(1, 2).flatten(0, 1)
        layout = tracer.layout(frames)
        row = tracer.layout(images.mean((3, 4)))
    assert str(layout) == "(B T) C H W"
    assert layout is not None
    assert torch.equal(layout.apply(frames), images)
    assert row is not None
    assert row.apply(images.mean((3, 4))).shape == (2, 3, 5, 1, 1)


class _Attended(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(3, 1, batch_first=True)

    def forward(self, images: Tensor) -> Tensor:
        tokens = images.flatten(2).transpose(1, 2)
        return self.attention(tokens, tokens, tokens)[0]


def test_attention_weights_are_no_activations() -> None:
    images = torch.rand(2, 3, 4, 5)
    net = _Attended().eval()
    with torch.no_grad(), FieldTracer(images) as tracer:
        tokens = images.flatten(2).transpose(1, 2)
        values, weights = net.attention(tokens, tokens, tokens)
        assert str(tracer.layout(values)) == "B (H W) C"
        assert weights.shape == (2, 20, 20)
        assert tracer.layout(weights) is None


def test_a_layout_is_a_value_that_works_for_any_batch() -> None:
    images = torch.rand(2, 3, 4, 6)
    with torch.no_grad(), FieldTracer(images) as tracer:
        split = images.view(2, 3, 2, 2, 2, 3).permute(0, 2, 4, 3, 5, 1).reshape(8, 6, 3)
        layout, again = tracer.layout(split), tracer.layout(split * 1)
    assert layout == again
    assert hash(layout) == hash(again)
    assert pickle.loads(pickle.dumps(layout)) == layout
    more = torch.rand(5, 3, 4, 6, requires_grad=True)
    split = more.view(5, 3, 2, 2, 2, 3).permute(0, 2, 4, 3, 5, 1).reshape(20, 6, 3)
    assert layout is not None
    assert torch.equal(layout.apply(split), more)
    (gradient,) = torch.autograd.grad(layout.apply(split)[1].sum(), more)
    assert gradient.sum(dim=(1, 2, 3)).tolist() == [0, 72, 0, 0, 0]
    assert layout.tokens(split).shape == (5, 3, 24)


def test_a_layout_without_merged_axes_holds_at_any_size() -> None:
    images = torch.rand(2, 3, 4, 6)
    with torch.no_grad(), FieldTracer(images) as tracer:
        layout = tracer.layout(images.permute(0, 2, 3, 1))
    larger = torch.rand(4, 9, 7, 3)
    assert layout is not None
    assert not layout.sized
    assert torch.equal(layout.apply(larger), larger.permute(0, 3, 1, 2))
    plain = layout_of(image_axes((2, 3, 4, 6)))
    assert plain is not None
    assert plain.apply(larger) is larger


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
