"""States over time, against the equations of RNN, GRU and LSTM in a plain loop."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence
from torch.overrides import TorchFunctionMode

import lucidtorch as lt
from lucidtorch.base.errors import UnknownLayerError
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.models.running.capture import capture, native_recurrence
from lucidtorch.models.running.frozen import frozen
from lucidtorch.objectives import channel, neuron

HIDDEN, SIDE = 5, 8


@pytest.fixture(autouse=True)
def _same_weights() -> None:
    torch.manual_seed(0)


class Rows(nn.Module):
    """Reads the rows of a map one after the other."""

    def __init__(self, kind: type[nn.RNNBase], *, started: bool = False, channels: int = 2, **settings: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 3, padding=1)
        self.memory = kind(channels * SIDE, HIDDEN, **settings)
        self.started = started

    def sequence(self, images: Tensor) -> Tensor:
        rows = self.conv(images).permute(0, 2, 1, 3).flatten(2)
        return rows if self.memory.batch_first else rows.transpose(0, 1)

    def start(self, batch: int) -> Any:
        memory = self.memory
        shape = (memory.num_layers * (2 if memory.bidirectional else 1), batch)
        hidden = torch.linspace(-1, 1, memory.proj_size or HIDDEN).expand(*shape, -1).contiguous()
        cell = torch.linspace(1, -1, HIDDEN).expand(*shape, -1).contiguous()
        return (hidden, cell) if isinstance(memory, nn.LSTM) else hidden

    def forward(self, images: Tensor) -> Tensor:
        sequence = self.sequence(images)
        if self.started:
            return self.memory(hx=self.start(len(images)), input=sequence)[0]
        return self.memory(sequence)[0]


class Cells(nn.Module):
    """A cell called once per row."""

    def __init__(self, kind: type[nn.Module]) -> None:
        super().__init__()
        self.cell = kind(3 * SIDE, HIDDEN)

    def forward(self, images: Tensor) -> Tensor:
        state = None
        for row in images.unbind(2):
            state = self.cell(row.flatten(1), state)
        return state[0] if isinstance(state, tuple) else state


def as_model(net: nn.Module, size: int = SIDE) -> Model:
    return load_model(net, mean=0.0, std=1.0, size=size)


def lstm_by_hand(layer: Any, sequence: Tensor, start: Any) -> tuple[Tensor, Tensor]:
    """The last layer's hidden and cell states, each `[B, T, C]`, both directions behind one another."""
    ways = 2 if layer.bidirectional else 1
    values = sequence if layer.batch_first else sequence.transpose(0, 1)
    batch, steps, _ = values.shape
    for number in range(layer.num_layers):
        found: list[tuple[list[Tensor], list[Tensor]]] = []
        for way in range(ways):
            name = f"_l{number}{'_reverse' * way}"
            weights = {kind: getattr(layer, kind + name) for kind in ("weight_ih", "weight_hh")}
            bias = getattr(layer, "bias_ih" + name) + getattr(layer, "bias_hh" + name) if layer.bias else 0
            h = torch.zeros(batch, layer.proj_size or layer.hidden_size, dtype=values.dtype)
            c = torch.zeros(batch, layer.hidden_size, dtype=values.dtype)
            if start is not None:
                h, c = start[0][number * ways + way], start[1][number * ways + way]
            hidden, cells = [], []
            for t in reversed(range(steps)) if way else range(steps):
                gates = values[:, t] @ weights["weight_ih"].T + h @ weights["weight_hh"].T + bias
                i, f, g, o = gates.chunk(4, 1)
                c = f.sigmoid() * c + i.sigmoid() * g.tanh()
                h = o.sigmoid() * c.tanh()
                if layer.proj_size:
                    h = h @ getattr(layer, "weight_hr" + name).T
                hidden.append(h)
                cells.append(c)
            found.append((hidden[::-1], cells[::-1]) if way else (hidden, cells))
        values = torch.cat([torch.stack(one[0], 1) for one in found], 2)
    return values, torch.cat([torch.stack(one[1], 1) for one in found], 2)


SETTINGS: list[dict[str, Any]] = [
    {"batch_first": True},
    {"batch_first": False, "num_layers": 2},
    {"batch_first": True, "num_layers": 3, "bidirectional": True, "started": True},
    {"batch_first": False, "bidirectional": True, "proj_size": 3},
    {"batch_first": True, "num_layers": 2, "bidirectional": True, "proj_size": 2, "started": True, "bias": False},
]


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_the_states_of_an_lstm_are_those_of_its_equations(settings: dict[str, Any]) -> None:
    net = Rows(nn.LSTM, **settings)
    model = as_model(net)
    images = torch.rand(3, 3, SIDE, SIDE)
    with torch.no_grad():
        start = net.start(3) if net.started else None
        hidden, cells = lstm_by_hand(net.memory, net.sequence(images), start)
    expected = {
        "memory": hidden.transpose(1, 2)[:, :, None],
        "memory[output]": hidden.transpose(1, 2)[:, :, None],
        "memory[0]": hidden.transpose(1, 2)[:, :, None],
        "memory[hidden]": hidden.transpose(1, 2)[:, :, None],
        "memory[cell]": cells.transpose(1, 2)[:, :, None],
        "memory[hidden][5]": hidden[:, 5],
        "memory[output][0]": hidden[:, 0],
        "memory[cell][-1]": cells[:, -1],
        "memory[cell][2]": cells[:, 2],
    }
    found = model.activations(images, list(expected))
    for address, values in expected.items():
        assert torch.allclose(found[address], values, atol=1e-6), address
        assert model.layers[address].shape == values.shape[1:], address
        assert model.layers[address].channels == values.shape[1], address


def test_the_last_states_are_those_that_the_lstm_itself_gives() -> None:
    net = Rows(nn.LSTM, batch_first=True, num_layers=2)
    images = torch.rand(2, 3, SIDE, SIDE)
    with torch.no_grad():
        _, (hidden, cell) = net.memory(net.sequence(images))
    found = as_model(net).activations(images, ["memory[hidden][-1]", "memory[cell][-1]"])
    assert torch.allclose(found["memory[hidden][-1]"], hidden[-1], atol=1e-6)
    assert torch.allclose(found["memory[cell][-1]"], cell[-1], atol=1e-6)


def test_the_states_of_a_single_layer_keep_their_parts() -> None:
    net = Rows(nn.LSTM, batch_first=True)
    images = torch.rand(2, 3, SIDE, SIDE)
    with torch.no_grad():
        _, (hidden, cell) = net.memory(net.sequence(images))
    found = as_model(net).activations(images, ["memory[1][0]", "memory[1][1]"])
    assert torch.equal(found["memory[1][0]"], hidden[0])
    assert torch.equal(found["memory[1][1]"], cell[0])


def gru_by_hand(layer: Any, sequence: Tensor) -> Tensor:
    h = torch.zeros(len(sequence), HIDDEN)
    states = []
    for step in sequence.unbind(1):
        r, z, n = (step @ layer.weight_ih_l0.T + layer.bias_ih_l0).chunk(3, 1)
        hr, hz, hn = (h @ layer.weight_hh_l0.T + layer.bias_hh_l0).chunk(3, 1)
        gate = (z + hz).sigmoid()
        h = (1 - gate) * (n + (r + hr).sigmoid() * hn).tanh() + gate * h
        states.append(h)
    return torch.stack(states, 1)


def rnn_by_hand(layer: Any, sequence: Tensor) -> Tensor:
    h = torch.zeros(len(sequence), HIDDEN)
    states = []
    for step in sequence.unbind(1):
        h = (step @ layer.weight_ih_l0.T + layer.bias_ih_l0 + h @ layer.weight_hh_l0.T + layer.bias_hh_l0).tanh()
        states.append(h)
    return torch.stack(states, 1)


@pytest.mark.parametrize(("kind", "by_hand"), [(nn.GRU, gru_by_hand), (nn.RNN, rnn_by_hand)])
def test_the_states_of_a_gru_and_an_rnn(kind: type[nn.RNNBase], by_hand: Callable[[Any, Tensor], Tensor]) -> None:
    net = Rows(kind, batch_first=True)
    model = as_model(net)
    images = torch.rand(2, 3, SIDE, SIDE)
    with torch.no_grad():
        states = by_hand(net.memory, net.sequence(images))
    found = model.activations(images, ["memory", "memory[hidden]", "memory[hidden][-3]"])
    assert torch.allclose(found["memory"], states.transpose(1, 2)[:, :, None], atol=1e-6)
    assert torch.equal(found["memory"], found["memory[hidden]"])
    assert torch.allclose(found["memory[hidden][-3]"], states[:, -3], atol=1e-6)
    with pytest.raises(UnknownLayerError, match=r"a (GRU|RNN) has no such state; write 'memory\[hidden\]'"):
        model.layers.resolve("memory[cell]")


@pytest.mark.parametrize("kind", [nn.LSTMCell, nn.GRUCell, nn.RNNCell])
def test_the_states_of_cells(kind: type[nn.Module]) -> None:
    net = Cells(kind)
    model = as_model(net)
    images = torch.rand(2, 3, SIDE, SIDE)
    state: Any = None
    with torch.no_grad():
        for row in images.unbind(2)[:4]:
            state = net.cell(row.flatten(1), state)
    states = state if isinstance(state, tuple) else (state,)
    for words, values in (("cell@3", states[0]), ("cell@3[hidden]", states[0]), ("cell@3[cell]", states[-1])):
        if len(states) == 1 and words.endswith("[cell]"):
            with pytest.raises(UnknownLayerError, match=r"has no such state; write 'cell@3\[hidden\]'"):
                model.layers.resolve(words)
            continue
        assert torch.equal(model.activations(images, words)[words], values)
    with pytest.raises(UnknownLayerError, match=r"'cell@0', 'cell@1'"):
        model.layers.resolve("cell[hidden]")


@pytest.mark.filterwarnings("ignore:LSTM with projections:UserWarning")
@pytest.mark.parametrize("settings", SETTINGS, ids=str)
def test_gradients_come_through_cell_states(settings: dict[str, Any]) -> None:
    net = Rows(nn.LSTM, **(settings | {"started": False})).double()
    model = as_model(net)
    wanted = {"memory[cell]": (3, 0, 4), "memory[cell][-2]": (1,), "memory[hidden][1]": (0,)}
    addresses = model.addresses(wanted, (SIDE, SIDE))
    images = torch.rand(1, 3, SIDE, SIDE, dtype=torch.float64, requires_grad=True)
    with frozen(net), capture(net, addresses) as run:
        found = run(images)
        value = sum(found[name][(0, *place)] for name, place in wanted.items())
        (gradient,) = torch.autograd.grad(value, images)
    hidden, cells = lstm_by_hand(net.memory, net.sequence(images), None)
    (expected,) = torch.autograd.grad(cells[0, 4, 3] + cells[0, -2, 1] + hidden[0, 1, 0], images)
    assert expected.abs().sum() > 0
    assert torch.allclose(gradient, expected, atol=1e-10)


@pytest.mark.parametrize("goal", ["memory:3", "memory[hidden][5]:3", "memory[cell][-1]:[3, 0]", "memory[cell]:1"])
@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU])
def test_states_are_rendered_and_nothing_is_left(
    kind: type[nn.RNNBase], goal: str, fingerprint: Callable[[nn.Module], Any]
) -> None:
    if kind is nn.GRU:
        goal = goal.replace("cell", "hidden")
    net = Rows(kind, batch_first=True, bidirectional=True)
    model = as_model(net)
    _ = model.layers
    before = fingerprint(net)
    found = lt.render(model, goal, param=lt.param.image(SIDE), transforms=[], steps=2, seed=0, progress=False)
    still = lt.render(model, goal, param=lt.param.image(SIDE), transforms=[], steps=1, seed=0, progress=False)
    assert (found.images - still.images).abs().amax((1, 2, 3)).min() > 0
    assert repr(lt.parse(goal)) == found.objective
    assert fingerprint(net) == before
    assert torch._C._len_torch_function_stack() == 0


def test_one_step_is_a_neuron_of_the_whole() -> None:
    model = as_model(Rows(nn.GRU, batch_first=True))
    images = torch.rand(2, 3, SIDE, SIDE)
    goals: Sequence[Any] = (neuron("memory", 2, x=6), channel("memory[hidden][6]", 2))
    first, second = (goal(model.activations(images, list(goal.layers))) for goal in goals)
    assert torch.equal(first, second)


class Packed(Rows):
    def forward(self, images: Tensor) -> Any:
        lengths = torch.full((len(images),), SIDE)
        return self.memory(pack_padded_sequence(self.sequence(images), lengths, batch_first=True))[0].data.sum()


class Unbatched(Rows):
    def forward(self, images: Tensor) -> Any:
        return torch.stack([self.memory(one)[0][-1] for one in self.sequence(images)])


def test_what_cannot_be_read_is_refused_in_one_sentence() -> None:
    packed = as_model(Packed(nn.LSTM, batch_first=True))
    for word in ("output", "hidden", "cell"):
        with pytest.raises(UnknownLayerError, match="packed or unbatched sequence; feed it"):
            packed.layers.resolve(f"memory[{word}]")
    with pytest.raises(UnknownLayerError, match="memory"):
        packed.layers.resolve("memory")
    unbatched = as_model(Unbatched(nn.GRU, batch_first=True))
    with pytest.raises(UnknownLayerError, match="packed or unbatched sequence; feed it"):
        unbatched.layers.resolve("memory@1[hidden]")
    model = as_model(Rows(nn.LSTM, num_layers=2, batch_first=True))
    for address, reason in {
        "memory[hiden]": r"gives a tuple of 2; write one of .*'memory\[hidden\]', 'memory\[cell\]'",
        "memory[cell][x]": r"write one of its 8 steps, \[0\] to \[7\], or \[-1\] for the last one",
        "memory[cell][1][2]": "its 8 steps",
        "conv[cell]": "only recurrent layers have states over time",
        "memory[1][0]": r"write which part is meant, one of 'memory\[output\]', 'memory\[hidden\]', 'memory\[cell\]'",
    }.items():
        with pytest.raises(UnknownLayerError, match=reason):
            model.layers.resolve(address)


def test_steps_are_counted_in_the_images_at_hand() -> None:
    class Columns(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.memory = nn.GRU(3, HIDDEN, batch_first=True)

        def forward(self, images: Tensor) -> Tensor:
            return self.memory(images.mean(2).transpose(1, 2))[0]

    model = as_model(Columns())
    assert model.activations(torch.rand(1, 3, 8, 8), "memory[hidden][7]")["memory[hidden][7]"].shape == (1, HIDDEN)
    assert model.activations(torch.rand(1, 3, 8, 6), "memory")["memory"].shape == (1, HIDDEN, 1, 6)
    assert model.activations(torch.rand(1, 3, 8, 12), "memory[hidden][10]")["memory[hidden][10]"].shape == (1, HIDDEN)
    for step in (7, -7):
        with pytest.raises(UnknownLayerError, match=r"'memory\[hidden\]' has 6 steps for images of this size"):
            model.activations(torch.rand(1, 3, 8, 6), f"memory[hidden][{step}]")


@pytest.mark.parametrize("kind", [nn.LSTM, nn.GRU, nn.RNN])
def test_recurrent_layers_do_without_cudnn(kind: type[nn.RNNBase]) -> None:
    """It has no gradient for them in eval mode; convolutions keep it."""
    allowed: dict[str, bool] = {}

    class Look(TorchFunctionMode):
        def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
            allowed[getattr(func, "__name__", "")] = torch.backends.cudnn.enabled
            return func(*args, **(kwargs or {}))

    net = Rows(kind, batch_first=True)
    with Look(), native_recurrence():
        net(torch.rand(1, 3, SIDE, SIDE))
    name = {nn.LSTM: "lstm", nn.GRU: "gru", nn.RNN: "rnn_tanh"}[kind]
    assert (allowed[name], allowed["conv2d"]) == (False, True)
    with Look(), capture(net, as_model(net).addresses(["memory"], (SIDE, SIDE))) as run:
        run(torch.rand(1, 3, SIDE, SIDE))
    assert (allowed[name], torch.backends.cudnn.enabled) == (False, True)
