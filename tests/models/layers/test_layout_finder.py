"""Layouts found by construction, against extractions written by hand."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import UnitError, UnknownLayerError
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.objectives import channel, neuron, token

CHANNELS, GRID, SIDE, KEPT = 64, 8, 32, 5


class Codes(nn.Module):
    """A sparse code of the largest numbers at each place of a channels-last map, made in one of several ways."""

    def __init__(self, make: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, CHANNELS, SIDE // GRID, SIDE // GRID)
        self.code = Made(make)

    def forward(self, images: Tensor) -> Tensor:
        return self.code(self.patches(images).permute(0, 2, 3, 1)).mean((1, 2))


class Made(nn.Module):
    def __init__(self, make: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.make = make

    def forward(self, values: Tensor) -> Tensor:
        return self.make(values)


def scattered(a: Tensor) -> Tensor:
    values, places = a.topk(KEPT, -1)
    return torch.zeros_like(a).scatter(-1, places, values)


def put(a: Tensor) -> Tensor:
    flat = a.reshape(-1, CHANNELS)
    values, places = flat.topk(KEPT, -1)
    rows = torch.arange(len(flat))[:, None].expand_as(places)
    return torch.zeros_like(flat).index_put((rows, places), values).view(a.shape)


def new(a: Tensor) -> Tensor:
    values, places = a.topk(KEPT, -1)
    return a.new_zeros(a.shape).scatter_(-1, places, values)


def by_order(a: Tensor) -> Tensor:
    values, order = a.sort(-1, descending=True)
    kept = torch.where(torch.arange(CHANNELS) < KEPT, values, 0.0)
    return kept.gather(-1, order.argsort(-1))


def flattened(a: Tensor) -> Tensor:
    flat = a.flatten(1)
    values, places = flat.topk(KEPT * GRID * GRID, -1)
    return torch.zeros_like(flat).scatter(-1, places, values).view(a.shape)


WAYS = (scattered, put, new, by_order, flattened)


@pytest.fixture(autouse=True)
def _seeded() -> None:
    torch.manual_seed(0)


def of_size(net: nn.Module, size: int | tuple[int, int] = SIDE) -> Model:
    return load_model(net.eval(), mean=0.5, std=0.5, size=size)


@pytest.mark.parametrize("way", WAYS)
def test_a_sparse_code_on_a_channels_last_map_has_its_channels_last(way: Callable[[Tensor], Tensor]) -> None:
    net = Codes(way)
    model, images = of_size(net), torch.rand(2, 3, SIDE, SIDE)
    assert model.layers["code"].shape == (CHANNELS, GRID, GRID)
    assert model.layers["code"].layout == "B H W C"
    with torch.no_grad():
        expected = way(net.patches(model.normalize(images)).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    assert torch.equal(model.activations(images, "code")["code"], expected)


class Fixed(Codes):
    """The same for one size only, and as tokens behind a learned one."""

    def __init__(self, make: Callable[[Tensor], Tensor]) -> None:
        super().__init__(make)
        self.first = nn.Parameter(torch.randn(1, 1, CHANNELS))
        self.mix = nn.TransformerEncoderLayer(CHANNELS, 4, 96, batch_first=True, norm_first=True)

    def forward(self, images: Tensor) -> Tensor:
        if images.shape[2:] != (SIDE, SIDE):
            raise ValueError("only one size")
        tokens = self.patches(images).flatten(2).transpose(1, 2)
        return self.code(self.mix(torch.cat([self.first.expand(len(images), -1, -1), tokens], 1)))[:, 0]


@pytest.mark.parametrize("way", [scattered, new, by_order])
def test_tokens_of_a_network_of_one_size_are_found_by_where_stamps_arrive(way: Callable[[Tensor], Tensor]) -> None:
    net = Fixed(way)
    model, images = of_size(net), torch.rand(2, 3, SIDE, SIDE)
    record = model.layers["code"]
    assert (record.shape, record.layout, record.tokens) == ((CHANNELS, GRID, GRID), "B 1+(H W) C", 1)
    found = model.activations(images, ["mix", "code"])
    mixed = found["mix"].flatten(2).transpose(1, 2)
    assert torch.allclose(found["code"], way(mixed).transpose(1, 2).unflatten(2, (GRID, GRID)), atol=1e-6)


class Windows(nn.Module):
    """Rolled windows of a channels-last map, side by side in the batch."""

    def __init__(self, shift: int) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 12, 4, 4)
        self.inside = nn.Linear(12, 20)
        self.shift = shift

    def forward(self, images: Tensor) -> Tensor:
        values = torch.roll(self.patches(images), (self.shift, self.shift), (2, 3)).permute(0, 2, 3, 1)
        batch, rows, columns, count = values.shape
        parts = values.view(batch, rows // 4, 4, columns // 4, 4, count).transpose(2, 3)
        return self.inside(parts.reshape(-1, 16, count)).mean((1, 2))


@pytest.mark.parametrize("shift", [0, -2])
def test_windows_are_put_side_by_side_and_rolled_back(shift: int) -> None:
    net = Windows(shift)
    model, images = of_size(net, 128), torch.rand(3, 3, 128, 128)
    found = model.activations(images, "inside")["inside"]
    with torch.no_grad():
        expected = net.inside(net.patches(model.normalize(images)).permute(0, 2, 3, 1)).permute(0, 3, 1, 2)
    assert torch.allclose(found, expected, atol=1e-5)


class Queries(nn.Module):
    """Learned queries that look at the whole image, as in DETR."""

    def __init__(self, count: int = 7) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 24, 8, 8)
        self.queries = nn.Parameter(torch.randn(1, count, 24))
        self.look = nn.MultiheadAttention(24, 4, batch_first=True)
        self.norm = nn.LayerNorm(24)

    def forward(self, images: Tensor) -> Tensor:
        places = self.patches(images).flatten(2).transpose(1, 2)
        return self.norm(self.look(self.queries.expand(len(images), -1, -1), places, places)[0]).mean(1)


def test_queries_are_read_one_by_one_and_have_no_places() -> None:
    net = Queries()
    model, images = of_size(net), torch.rand(2, 3, SIDE, SIDE)
    assert model.layers["norm"].shape == (24, 7)
    assert model.layers["norm"].layout == "B N C"
    raw: list[Tensor] = []
    handle = net.norm.register_forward_hook(lambda _, __, output: raw.append(output))
    with torch.no_grad():
        net(model.normalize(images))
    handle.remove()
    for goal, value in ((token("norm", 5, 3), raw[0][:, 3, 5]), (channel("norm", 5), raw[0][:, :, 5].mean(1))):
        found = goal(model.activations(images, list(goal.layers)))
        assert torch.allclose(found, value, atol=1e-6), goal
    goal = neuron("norm", 5, x=1, y=1)
    with pytest.raises(UnitError, match=r"has no rows and columns.*use `channel`, `token`"):
        goal(model.activations(images, list(goal.layers)))
    made = lt.render(model, token("norm", 5, 3), param=lt.param.image(SIDE), steps=2, seed=0, progress=False)
    assert made.images.isfinite().all()


class Detector(nn.Module):
    """Queries that are decoded twice, with as many classes as images are shown together in a dry run."""

    def __init__(self, count: int, side: int | None) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 24, 8, 8)
        self.queries = nn.Parameter(torch.randn(1, count, 24))
        self.decoder = nn.TransformerDecoder(
            nn.TransformerDecoderLayer(24, 4, 48, batch_first=True), 2, nn.LayerNorm(24)
        )
        self.classes = nn.Linear(24, 3)
        self.side = side

    def forward(self, images: Tensor) -> Tensor:
        if self.side is not None and images.shape[-1] != self.side:
            raise ValueError(f"takes {self.side} pixels")
        places = self.patches(images).flatten(2).transpose(1, 2)
        return self.classes(self.decoder(self.queries.expand(len(images), -1, -1), places))


@pytest.mark.parametrize("side", [None, SIDE], ids=["any size", "one size"])
@pytest.mark.parametrize("count", [4, 9, 16, 20, 25])  # squares, and squares with tokens beside them
def test_queries_of_a_detector_are_never_taken_for_places(count: int, side: int | None) -> None:
    torch.manual_seed(0)
    net = Detector(count, side).eval()
    table = of_size(net).layers
    names = ["linear1", "linear2", "norm2", "norm3", ""]
    addresses = [f"decoder.layers.{layer}.{name}".rstrip(".") for layer in range(2) for name in names]
    for address in [*addresses, "decoder.norm", "classes", "output"]:
        record = table[address]
        width = 48 if "linear1" in address else 3 if address in ("classes", "output") else 24
        assert (record.channels, record.layout) == (width, "B N C"), address


class Mixing(nn.Module):
    """Tokens that a matrix of weights mixes with all others."""

    def __init__(self, side: int, grid: int) -> None:
        super().__init__()
        self.stem = nn.Conv2d(3, 64, side // grid, side // grid)
        self.mix = nn.Sequential(nn.Linear(grid**2, 2 * grid**2), nn.ReLU(), nn.Linear(2 * grid**2, grid**2))
        self.norm = nn.LayerNorm(64)

    def forward(self, images: Tensor) -> Tensor:
        tokens = self.stem(images).flatten(2)
        return self.norm((tokens + self.mix(tokens)).transpose(1, 2))


@pytest.mark.parametrize("grid", [4, 7])
@pytest.mark.parametrize("seed", range(12))
def test_an_order_that_three_places_agree_with_by_chance_is_not_believed(seed: int, grid: int) -> None:
    torch.manual_seed(seed)
    table = load_model(Mixing(grid * 8, grid).eval(), mean=0.5, std=0.5, size=grid * 8).layers
    record = table["norm"]
    assert record.layout == "B N C" or (record.layout, record.shape) == ("B (H W) C", (64, grid, grid))


@pytest.mark.parametrize("grid", [(5, 3), (7, 3), (3, 2), (2, 3), (1, 4)])
@pytest.mark.parametrize("seed", range(5))
def test_tokens_of_narrow_grids_are_rows_and_columns(seed: int, grid: tuple[int, int]) -> None:
    torch.manual_seed(seed)
    layer = nn.TransformerEncoderLayer(8, 2, 32, batch_first=True)
    tokens = Made(lambda values: values.flatten(2).transpose(1, 2))
    size = (grid[0] * 8, grid[1] * 8)
    table = load_model(nn.Sequential(nn.Conv2d(3, 8, 8, 8), tokens, layer).eval(), mean=0.5, std=0.5, size=size).layers
    for address in ("1", "2.norm1", "2.linear1", "2.norm2", "2"):
        record = table[address]
        assert record.layout == "B N C" or record.shape[1:] == grid, address


def test_tokens_beside_an_axis_of_one_are_no_column() -> None:
    net = nn.Sequential(
        nn.Conv2d(3, 16, 16, 16), Made(lambda v: v.flatten(2).transpose(1, 2)[:, None]), nn.LayerNorm(16)
    )
    record = load_model(net, mean=0.5, std=0.5, size=224).layers["2"]
    assert (record.shape, record.layout) == ((16, 14, 14), "B 1 (H W) C")


@pytest.mark.parametrize("first", [nn.Linear(16, 16), nn.LayerNorm(16)])
def test_a_linear_layer_keeps_the_places_of_its_input(first: nn.Module) -> None:
    dark = nn.Linear(16, 24)  # gives the same at every place, which says nothing about their order
    nn.init.zeros_(dark.weight)
    tokens = Made(lambda values: values.flatten(2).transpose(1, 2))
    table = load_model(nn.Sequential(nn.Conv2d(3, 16, 16, 16), tokens, first, dark), mean=0.5, std=0.5, size=64).layers
    assert [(table[one].shape, table[one].layout) for one in "23"] == [
        ((16, 4, 4), "B (H W) C"),
        ((24, 4, 4), "B (H W) C"),
    ]


def test_a_map_of_one_place_has_its_channels_second() -> None:
    pooled = Made(lambda values: values.mean((2, 3), keepdim=True))
    record = load_model(nn.Sequential(nn.Conv2d(3, 16, 3), pooled, nn.Flatten()), mean=0.5, std=0.5, size=64).layers[
        "1"
    ]
    assert (record.shape, record.layout, record.refused) == ((16, 1, 1), "", None)


@pytest.mark.parametrize("seed", range(8))
def test_a_map_without_channels_is_right_or_refused(seed: int) -> None:
    torch.manual_seed(seed)
    convolutions = [nn.Conv2d(3, 8, 3, 2, 1), nn.Conv2d(8, 8, 3, 1, 1), nn.Conv2d(8, 1, 3, 1, 1)]
    up = nn.Upsample(scale_factor=2, mode="bilinear")
    first, second, third = convolutions
    net = nn.Sequential(first, nn.ReLU(), second, up, third, nn.ReLU(), nn.Flatten(1, 2)).eval()
    for one in convolutions:
        nn.init.constant_(one.bias, 0.1)
    model, images = load_model(net, mean=0.5, std=0.5, size=32), torch.rand(1, 3, 32, 32)
    try:
        found = model.activations(images, "6")["6"]
    except UnknownLayerError:
        return
    assert torch.allclose(found.flatten(), net(model.normalize(images)).flatten())


class Boxes(nn.Module):
    """Rows of which nobody knows the image, as of the heads of a detector."""

    def __init__(self) -> None:
        super().__init__()
        self.patches = nn.Conv2d(3, 6, 8, 8)
        self.rows = Made(lambda values: values.mean((2, 3)).repeat(4, 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.rows(self.patches(images)).sum()


def test_rows_that_are_no_images_are_refused_with_what_to_write() -> None:
    with pytest.raises(UnknownLayerError, match=r"layer 'rows' gives .* for .* images.*write .*'rows\[B C\]'"):
        of_size(Boxes()).layers.resolve("rows")


def test_the_axes_of_a_layer_can_be_stated() -> None:
    net = Boxes()
    net.rows = Made(lambda values: values[:, :, None].flip(0).permute(2, 0, 3, 4, 1).flatten(0, 1))  # images reversed
    model, images = of_size(net), torch.rand(2, 3, SIDE, SIDE)
    with torch.no_grad():
        expected = net.patches(model.normalize(images)).flip(0)
    assert torch.allclose(model.activations(images, "rows[B H W C]")["rows[B H W C]"], expected, atol=1e-6)
    goal = neuron("rows[B H W C]", 2, x=1, y=3)
    assert lt.parse(repr(goal)) == goal
    assert torch.allclose(goal(model.activations(images, list(goal.layers))), expected[:, 2, 3, 1], atol=1e-6)
    for wrong in ("rows[B C]", "rows[B H H C]", "rows[C H W N]"):
        with pytest.raises(UnknownLayerError, match=r"axes have the sizes .*write for each what it is"):
            model.layers.resolve(wrong)


def test_stated_tokens_are_a_map() -> None:
    model, images = of_size(Fixed(scattered)), torch.rand(2, 3, SIDE, SIDE)
    found = model.activations(images, ["mix", "mix[B 1+(H W) C]", "mix[B N C]"])
    assert torch.equal(found["mix"], found["mix[B 1+(H W) C]"])
    assert torch.equal(found["mix"].flatten(2), found["mix[B N C]"][:, :, 1:])


class Deep(nn.Module):
    """Volumes out of a flat image."""

    def __init__(self) -> None:
        super().__init__()
        self.first = nn.Conv2d(3, 3, 1)
        self.conv = nn.Conv3d(1, 5, (2, 3, 3), padding=(0, 1, 1))

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(self.first(images)[:, None]).mean((2, 3, 4))


def test_volumes_made_from_a_flat_image_are_read() -> None:
    net = Deep()
    model, images = (
        load_model(net.eval(), mean=0.5, std=0.5, channels=3, size=(SIDE, SIDE)),
        torch.rand(2, 3, SIDE, SIDE),
    )
    assert model.layers["conv"].shape == (5, 2, SIDE, SIDE)
    with torch.no_grad():
        expected = net.conv(net.first(model.normalize(images))[:, None])
    assert torch.allclose(model.activations(images, "conv")["conv"], expected, atol=1e-6)
    goal = neuron("conv", 3, x=4, y=6, t=1)
    assert torch.allclose(goal(model.activations(images, "conv")), expected[:, 3, 1, 6, 4], atol=1e-6)
