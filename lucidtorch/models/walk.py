"""One dry run of a network that notes every module as it fires."""

from __future__ import annotations

import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from torch import Tensor, nn
from torch.utils.weak import WeakTensorKeyDictionary

from lucidtorch.models.field_tracer import FieldTracer
from lucidtorch.models.probe import probing
from lucidtorch.models.receptive_field import ReceptiveField, as_receptive_field

ROOT = ""  # the name that named_modules() gives to the whole network
RELU_KINDS = (nn.ReLU, nn.ReLU6)


@dataclass(frozen=True, slots=True)
class Firing:
    """One call of one module, noted when the call returned.

    Args:
        module: The module's name in `named_modules()`.
        call: Which of its calls this was, from 0.
        shape: The output's shape without the batch; None where the output is no tensor.
        receptive_field: What a unit of it sees; None for the whole image.
        refused: Why the output cannot be a target, or None where it can.
        fed_by: For a ReLU, the module and call whose very output it took.
    """

    module: str
    call: int
    shape: tuple[int, ...] | None
    receptive_field: ReceptiveField | None
    refused: str | None
    fed_by: tuple[str, int] | None


@dataclass(slots=True)
class Walk:
    """What a dry run found.

    Args:
        size: Height and width of the image that was shown.
        firings: All calls in the order in which they returned.
        broken: What the network raised, or None.
    """

    size: tuple[int, int]
    firings: list[Firing] = field(default_factory=list)
    broken: str | None = None


def walk(module: nn.Module, images: Tensor) -> Walk:
    """Run a network once in eval mode, without gradients, and note what fires.

    Weights, flags, hooks and the global random state are afterwards as they were.

    Args:
        module: The network.
        images: Its normalized input `[1, C, H, W]`.

    Returns:
        Every call up to the end, or up to where the network raised.
    """
    height, width = images.shape[-2:]
    found = Walk((height, width))
    tracer = FieldTracer(images)
    notes = _Notes(found.firings, tracer, images.shape[0])
    with notes.on(module), probing(module) as attempt, tracer:
        module(images)
    found.broken = attempt.reason
    return found


class _Notes:
    """The hooks of one dry run, and what they write down."""

    def __init__(self, firings: list[Firing], tracer: FieldTracer, batch: int) -> None:
        self._firings = firings
        self._tracer = tracer
        self._batch = batch
        self._calls: Counter[str] = Counter()
        self._makers: Any = WeakTensorKeyDictionary()
        self._feeders: dict[str, tuple[str, int] | None] = {}

    @contextlib.contextmanager
    def on(self, module: nn.Module) -> Iterator[None]:
        """Listen to every module of a network while the block runs."""
        with contextlib.ExitStack() as hooks:
            for name, child in module.named_modules():
                if isinstance(child, RELU_KINDS):
                    hooks.callback(child.register_forward_pre_hook(self._before(name)).remove)
                hooks.callback(child.register_forward_hook(self._after(name)).remove)
            yield

    def _before(self, name: str) -> Any:
        def note(_: nn.Module, inputs: tuple[Any, ...]) -> None:
            taken = inputs[0] if inputs else None
            maker, version = self._makers.get(taken, (None, -1)) if isinstance(taken, Tensor) else (None, -1)
            unchanged = isinstance(taken, Tensor) and taken._version == version
            self._feeders[name] = maker if unchanged else None

        return note

    def _after(self, name: str) -> Any:
        def note(_: nn.Module, __: tuple[Any, ...], output: object) -> None:
            call = self._calls[name]
            self._calls[name] += 1
            self._firings.append(self._firing(name, call, output))
            if isinstance(output, Tensor):
                self._remember_maker(output, name, call)

        return note

    def _remember_maker(self, output: Tensor, name: str, call: int) -> None:
        known = self._makers.get(output)
        if known is None or known[1] != output._version:
            self._makers[output] = ((name, call), output._version)

    def _firing(self, name: str, call: int, output: object) -> Firing:
        seen = as_receptive_field(self._tracer.field(output)) if isinstance(output, Tensor) else None
        shape = tuple(output.shape[1:]) if isinstance(output, Tensor) else None
        return Firing(name, call, shape, seen, _refusal(output, self._batch), self._feeders.pop(name, None))


def _refusal(output: object, batch: int) -> str | None:
    if not isinstance(output, Tensor):
        return f"gives a {type(output).__name__}{_contents(output)}"
    if output.dim() not in (2, 4):
        return f"gives a tensor {['B', *output.shape[1:]]}".replace("'", "")
    if output.shape[0] != batch:
        return f"gives {output.shape[0]} rows for {batch} image"
    return None if output.is_floating_point() else f"gives {output.dtype}"


def _contents(output: object) -> str:
    if isinstance(output, dict):
        return f" with the keys {', '.join(map(repr, output))}"
    return f" of {len(output)}" if isinstance(output, Sequence) else ""
