"""The settings of a render as values, each option written once: how it steps, and how the networks are executed.

The options of the command line, the fields of recipes and those of records are made from the fields of `Schedule` and
`Engine`: a new option is a field here, and the place that uses it.
"""

from __future__ import annotations

import contextlib
import functools
import inspect
import itertools
import math
import warnings
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from typing import Annotated, Any, Literal, ParamSpec, TypeAlias, TypeVar, get_type_hints

import torch
from pydantic import BaseModel, Field, create_model
from torch import Tensor

from lucidtorch.base.checks import check_fields, fitting, hints_of, is_number, is_whole
from lucidtorch.base.defaults import record_text, today_text
from lucidtorch.base.errors import BadInputError, suggestion
from lucidtorch.base.records import MOST_STEPS, Batch, Settings, Steps
from lucidtorch.base.shown import shown
from lucidtorch.rendering.rules import (
    OPTIMIZERS,
    STEP_SIZES,
    STOPS,
    Plateaus,
    parse_optimizer,
    parse_plateau,
    parse_step_sizes,
)

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")
Model = TypeVar("Model", bound=BaseModel)
Rate: TypeAlias = Annotated[float, Field(gt=0, allow_inf_nan=False)]

LARGEST_ACTIVATION = 16 * 2**20  # bytes; beyond, a CPU's allocator gives memory back and asks for it again at each step
MOST_AT_ONCE = 16  # images on a CPU; more are no faster
FLOAT_BYTES = 4
PRECISIONS = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
LOSS_SCALE = 2.0**7  # the gradients of a float16 network pass through it enlarged, so that small ones do not vanish
OPTION = "option"
NEEDED = ...  # in the place of a default: no record leaves it out
RULES: Mapping[str, Callable[[str], object]] = {
    "optimizer": parse_optimizer,
    "lr_schedule": parse_step_sizes,
    "stop": parse_plateau,
}
# What `render` and its like took as arguments of their own in version 0.1.0: all of it is in `engine` now.
OLD_WORDS = ("precision", "compute_batch", "channels_last", "fold", "winograd", "compile")


@dataclass(frozen=True)
class Option:
    """How a setting is written outside of Python."""

    default: Any
    help: str = ""  # on the command line, which has no such option where empty
    description: str = ""  # in the schema of recipes, which have no such field where empty
    kind: Any = None  # the type, with bounds, that all of them take; that of the annotation where None
    metavar: str | None = None  # what stands for a value in the help of the command line
    pattern: str = ""  # how its text begins, for editors that read the schema of recipes
    recorded: Any = None  # what records hold, where that is more than recipes take
    absent: Any = None  # what a record means that does not say it, where that is not the default


def _option(default: Any, help: str = "", description: str = "", **words: Any) -> Any:
    return field(default=default, metadata={OPTION: Option(default, help, description, **words)})


def options_of(settings: type[Schedule | Engine]) -> dict[str, Option]:
    """List the options of a kind of settings by name, in their order."""
    found = {one.name: one.metadata[OPTION] for one in fields(settings)}
    hints = get_type_hints(settings)
    return {name: replace(one, kind=one.kind or hints[name]) for name, one in found.items()}


def with_fields(definitions: Mapping[str, tuple[Any, Any]]) -> Callable[[type[Model]], type[Model]]:
    """Add fields, each a type and a default, to a pydantic model, after its own."""

    def extended(model: type[Model]) -> type[Model]:
        words: dict[str, Any] = dict(definitions)
        made: type[Model] = create_model(model.__name__, __base__=model, __module__=model.__module__, **words)
        made.__doc__, made.__qualname__ = model.__doc__, model.__qualname__
        return made

    return extended


@dataclass(frozen=True)
class Schedule:
    """The steps of a render: the exact number of updates, fewer of an image that has converged, and their rules."""

    steps: int = _option(
        512, "The number of updates.", "The number of updates of each picture.", kind=Steps, metavar="N", absent=NEEDED
    )
    lr: float = _option(0.05, "The largest step size.", "The step size.", kind=Rate, metavar="X", absent=NEEDED)
    optimizer: str = _option(
        "adam",
        "adam, sgd, or such as 'adam(beta1=0.5)'.",
        "The rule of the steps: adam or sgd, or with arguments such as adam(beta1=0.5).",
        metavar="SPEC",
        pattern=rf"^\s*({'|'.join(OPTIMIZERS)})\b",
    )
    snapshots: Sequence[int] = _option(
        (),
        "After how many updates a picture is kept, for a movie.",
        kind=Annotated[tuple[Steps, ...], Field(max_length=10_000)],
        metavar="64,256",
    )
    lr_schedule: str = _option(
        "constant",
        "How the step size goes over the steps: constant, cosine, trapezoid.",
        "How the step size goes over the steps: constant, cosine or trapezoid.",
        metavar="SPEC",
        pattern=rf"^\s*({'|'.join(STEP_SIZES)})\b",
    )
    stop: str = _option(
        "",
        "When a picture goes no further: plateau, or 'plateau(patience=32)'.",
        "When a picture goes no further: plateau; never if absent.",
        metavar="SPEC",
        pattern=rf"^\s*({'|'.join(STOPS)}\b|$)",
    )
    # Over how many updates what changes with time is spread; `steps` where None. It is more than that in a render that
    # was interrupted, and is made again as far as it came.
    planned: int | None = _option(None, kind=Steps)

    def __post_init__(self) -> None:
        if not is_whole(self.steps) or not 1 <= self.steps <= MOST_STEPS:
            raise BadInputError(f"steps is a whole number from 1 to {MOST_STEPS}, but {shown(self.steps)} was given.")
        if not is_number(self.lr) or self.lr <= 0:
            raise BadInputError(f"lr is a positive number, but {shown(self.lr)} was given.")
        if self.planned is not None and (not is_whole(self.planned) or self.planned < self.steps):
            raise BadInputError(f"planned is a whole number from {self.steps}, but {shown(self.planned)} was given.")
        for name, text in self._texts(today_text).items():
            object.__setattr__(self, name, text)
        if not isinstance(self.snapshots, Sequence) or isinstance(self.snapshots, str):
            raise BadInputError(
                f"snapshots are several numbers of steps, such as (64, 256), but {self.snapshots!r} was given."
            )
        for snapshot in self.snapshots:
            if not is_whole(snapshot) or not 1 <= snapshot <= self.steps:
                raise BadInputError(
                    f"A snapshot is taken after 1 to {self.steps} steps, but {shown(snapshot)} was given."
                )

    @property
    def horizon(self) -> int:
        """Over how many updates what changes with time is spread."""
        return self.steps if self.planned is None else self.planned

    def rates(self) -> list[float]:
        """List the step size of every update."""
        sizes = parse_step_sizes(self.lr_schedule)
        return [float(self.lr) * sizes.share(number, self.horizon) for number in range(1, self.steps + 1)]

    def build_optimizer(self, parameters: Iterable[Tensor]) -> torch.optim.Optimizer:
        """Make the optimizer of PyTorch."""
        return parse_optimizer(self.optimizer).build(parameters, self.lr)

    def plateaus(self, batch: int) -> Plateaus | None:
        """Begin to follow the scores of images; None where no image may converge."""
        rule = parse_plateau(self.stop)
        return None if rule is None else Plateaus(rule, batch)

    def rules(self) -> dict[str, str]:
        """Write the rules as records hold them."""
        return self._texts(record_text)

    def to_dict(self) -> Settings:
        """Write the schedule as records hold it."""
        return {**asdict(self), "lr": float(self.lr), "snapshots": list(self.snapshots), **self.rules()}

    def _texts(self, write: Callable[[object], str]) -> dict[str, str]:
        """Write the rules in their canonical texts."""
        rules = {name: parse(getattr(self, name)) for name, parse in RULES.items()}
        return {name: "" if rule is None else write(rule) for name, rule in rules.items()}


@dataclass(frozen=True, slots=True)
class Precision:
    """In what precision a network computes; images, params and objectives are in float32 whatever it is.

    Args:
        name: ``float32``, ``bfloat16`` or ``float16``.

    Raises:
        BadInputError: There is no such precision.
    """

    name: str = "float32"

    def __post_init__(self) -> None:
        if self.name not in PRECISIONS:
            raise BadInputError(f"There is no precision {self.name!r}. {suggestion(str(self.name), PRECISIONS)}")

    @property
    def loss_scale(self) -> float:
        """By what gradients are enlarged on their way through the network."""
        return LOSS_SCALE if self.name == "float16" else 1.0

    def check(self, device: torch.device) -> None:
        """Make sure that a device computes in this precision."""
        if device.type == "meta":
            raise BadInputError("The weights of the network are on the meta device, which holds no numbers; load them.")
        try:
            with self.on(device):
                torch.nn.functional.conv2d(torch.ones(1, 1, 3, 3, device=device), torch.ones(1, 1, 3, 3, device=device))
        except (RuntimeError, TypeError) as error:
            raise BadInputError(
                f"{device.type} does not compute in {self.name} here; write precision='float32'."
            ) from error

    def on(self, device: torch.device) -> contextlib.AbstractContextManager[object]:
        """Let a network compute in this precision while the block runs."""
        if self.name == "float32":
            return contextlib.nullcontext()
        return torch.autocast(device.type, dtype=PRECISIONS[self.name])


@dataclass(frozen=True)
class Engine:
    """How networks are executed; none of it changes a picture beyond rounding, but `precision` does.

    Args:
        precision: What the networks compute in: ``float32``, ``bfloat16`` or ``float16``; the rest stays in float32.
        compute_batch: How many images go through the networks at once, which bounds the memory; chosen by the size of
            the largest activation where None, and halved where memory runs out. Pairs of numbers say from which update
            on how many: memory ran out there once.
        channels_last: Whether convolutions have the channels of a place side by side in memory, in a private copy of
            the network.
        fold: Whether batch normalizations become parts of the convolutions before them, in that copy.
        winograd: Whether wide 3 x 3 convolutions use Winograd's algorithm on a CPU, which rounds a little coarser.
        compile: Whether the copy is compiled, which takes a minute at first and pays on a GPU.

    Raises:
        BadInputError: A value does not fit.

    Example:
        >>> import lucidtorch as lt
        >>> plain = lt.Engine(channels_last=False, fold=False, winograd=False)
        >>> lt.render("demo", "conv2_1:3", param=lt.param.image(64), steps=2, engine=plain, progress=False)
        <Rendering of channel('conv2_1', 3): 1 x 3 x 64 x 64, 2 steps>
    """

    precision: str = _option(
        "float32",
        "What the network computes in.",
        "What the network computes in.",
        kind=Literal["float32", "bfloat16", "float16"],
    )
    compute_batch: int | Sequence[Sequence[int]] | None = _option(
        None,
        "How many images go through the network at once; chosen by the size of its activations if left out.",
        "How many images go through the network at once; chosen if absent.",
        kind=Batch,
        metavar="N",
        recorded=Batch | Annotated[tuple[tuple[Steps, Batch], ...], Field(max_length=1000)],
    )
    channels_last: bool = _option(
        True,
        "Whether convolutions have the channels of a place side by side in memory.",
        "Whether the channels of a place stand together in memory.",
        absent=False,  # the pictures of versions that did not say so were made without
    )
    fold: bool = _option(
        True,
        "Whether batch normalizations become parts of the convolutions before them.",
        "Whether batch normalizations are folded into convolutions.",
        absent=False,
    )
    winograd: bool = _option(
        True,
        "Whether wide 3 x 3 convolutions go Winograd's way on a CPU, which rounds a little coarser.",
        "Whether wide 3 x 3 convolutions go Winograd's way on a CPU.",
        absent=False,
    )
    compile: bool = _option(
        False,
        "Compile the network, which takes a minute at first and pays on a GPU.",
        "Whether the network is compiled, which takes a minute at first.",
    )

    def __post_init__(self) -> None:
        check_fields(self)
        Precision(self.precision)
        if self.compute_batch is not None:
            object.__setattr__(self, "compute_batch", _checked_batch(self.compute_batch))

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

    def to_dict(self) -> Settings:
        """Write the engine as records hold it."""
        batches = self.compute_batch
        written = batches if batches is None or isinstance(batches, int) else [list(pair) for pair in batches]
        return {**asdict(self), "compute_batch": written}

    def with_batches(self, batches: Mapping[int, int]) -> Engine:
        """Make the same engine with other compute batches.

        Args:
            batches: How many images are computed at once, by the first update that it holds for.
        """
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


def takes_old_words(function: Callable[Arguments, Result]) -> Callable[Arguments, Result]:
    """Let a function that takes an `engine` take the words of it that version 0.1.0 knew, too, with a warning."""
    name = function.__name__

    @functools.wraps(function)
    def call(*args: Arguments.args, **words: Arguments.kwargs) -> Result:
        old = pop_old_words(name, words)
        if old:
            taken = fitting(name, inspect.signature(Engine), hints_of(Engine), old)
            words["engine"] = Engine(**taken)
        return function(*args, **words)

    return call


def pop_old_words(name: str, words: dict[str, Any]) -> dict[str, Any]:
    """Take the old words out of the arguments of a call, and warn of them in the caller's caller."""
    old = {word: words.pop(word) for word in OLD_WORDS if word in words}
    if old and "engine" in words:
        raise BadInputError(f"{name}({next(iter(old))}=) is a part of engine= now; say it there.")
    if old:
        new = ", ".join(f"{word}={shown(value)}" for word, value in old.items())
        message = f"{name}({', '.join(f'{word}=' for word in old)}) is deprecated: write engine=Engine({new})."
        warnings.warn(message, DeprecationWarning, stacklevel=3)
    return old


def renamed(old: str, new: str) -> property:
    """Let an attribute go on under its name of version 0.1.0, with a warning."""

    def value(owner: object) -> Any:
        message = f"{type(owner).__name__}.{old} is deprecated: write {type(owner).__name__}.{new}."
        warnings.warn(message, DeprecationWarning, stacklevel=2)
        return getattr(owner, new)

    return property(value, doc=f"Deprecated name of `{new}`.")


def _checked_batch(given: object) -> int | tuple[tuple[int, int], ...]:
    """Read a compute batch: a number, or pairs of an update and a number, the first of which holds from update 1."""
    if is_whole(given) and given >= 1:
        return given
    if isinstance(given, Sequence) and not isinstance(given, str) and given:
        pairs = [tuple(one) if isinstance(one, Sequence) else () for one in given]
        numbers = all(len(one) == 2 and all(is_whole(part) and part >= 1 for part in one) for one in pairs)
        if numbers and pairs[0][0] == 1 and all(a[0] < b[0] for a, b in itertools.pairwise(pairs)):
            return tuple((one[0], one[1]) for one in pairs)
    raise BadInputError(f"compute_batch is a whole number from 1, such as 8, but {shown(given)} was given.")
