"""How the networks of a render are run: in what precision, how many images at once, and in which form."""

from __future__ import annotations

import itertools
import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TypeAlias

from lucidtorch.base.checks import is_whole
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.shown import shown
from lucidtorch.models.running.precision import Precision

Batches: TypeAlias = int | Sequence[Sequence[int]]  # one number, or pairs: from which update on, and how many
LARGEST_ACTIVATION = 16 * 2**20  # bytes; beyond, a CPU's allocator gives memory back and asks for it again at each step
MOST_AT_ONCE = 16  # images on a CPU; more are no faster
FLOAT_BYTES = 4


@dataclass(frozen=True)
class Engine:
    """How networks are run; none of it changes a picture beyond rounding, but `precision` does.

    Args:
        precision: What the networks compute in: ``float32``, ``bfloat16`` or ``float16``.
        compute_batch: How many images they compute at once; chosen by the size of the largest activation where None.
            Pairs of numbers say from which update on how many: memory ran out there once.
        channels_last: Whether convolutions work with the channels of a place side by side in memory.
        fold: Whether batch normalizations become parts of the convolutions before them.
        winograd: Whether wide 3 x 3 convolutions go Winograd's way on a CPU, which rounds a little coarser.
        compile: Whether the networks are compiled, which takes a minute at first.

    Raises:
        BadInputError: A value does not fit.
    """

    precision: str = "float32"
    compute_batch: Batches | None = None
    channels_last: bool = True
    fold: bool = True
    winograd: bool = True
    compile: bool = False

    def __post_init__(self) -> None:
        Precision(self.precision)
        for name in ("channels_last", "fold", "winograd", "compile"):
            if not isinstance(getattr(self, name), bool):
                raise BadInputError(f"{name} is True or False, but {getattr(self, name)!r} was given.")
        if self.compute_batch is not None:
            object.__setattr__(self, "compute_batch", _checked(self.compute_batch))

    @property
    def computing(self) -> Precision:
        """What the networks compute in."""
        return Precision(self.precision)

    @property
    def batches(self) -> dict[int, int]:
        """How many images are computed at once, by the first update, from 1, that it holds for."""
        if self.compute_batch is None:
            return {}
        if isinstance(self.compute_batch, int):
            return {1: self.compute_batch}
        return {start: batch for start, batch in self.compute_batch}  # noqa: C416  # a sequence, as its type has it

    def to_dict(self) -> dict[str, object]:
        """Write the engine as plain data."""
        batches = self.compute_batch
        written = batches if batches is None or isinstance(batches, int) else [list(pair) for pair in batches]
        return {**asdict(self), "compute_batch": written}

    def with_batches(self, batches: Mapping[int, int]) -> Engine:
        """Make the same engine with other compute batches."""
        one = next(iter(batches.values()))
        return replace(self, compute_batch=one if len(batches) == 1 else tuple(batches.items()))


def sensible_batch(largest: float, pictures: int) -> int:
    """Choose how many images a CPU computes at once: the most whose largest activation the allocator holds on to.

    It depends on the network, the layers and the size alone, so that it is the same on every machine.
    """
    fitting = int(LARGEST_ACTIVATION // max(largest * FLOAT_BYTES, 1))
    return evenly(max(1, min(fitting, MOST_AT_ONCE)), pictures)


def evenly(batch: int, pictures: int) -> int:
    """Share images out over as few passes as a compute batch allows."""
    passes = math.ceil(pictures / batch)
    return math.ceil(pictures / passes)


def _checked(given: object) -> int | tuple[tuple[int, int], ...]:
    """Read a compute batch: a number, or pairs of an update and a number, the first of which holds from update 1."""
    if is_whole(given) and given >= 1:
        return given
    if isinstance(given, Sequence) and not isinstance(given, str) and given:
        pairs = [tuple(one) if isinstance(one, Sequence) else () for one in given]
        numbers = all(len(one) == 2 and all(is_whole(part) and part >= 1 for part in one) for one in pairs)
        if numbers and pairs[0][0] == 1 and all(a[0] < b[0] for a, b in itertools.pairwise(pairs)):
            return tuple((one[0], one[1]) for one in pairs)
    raise BadInputError(f"compute_batch is a whole number from 1, such as 8, but {shown(given)} was given.")
