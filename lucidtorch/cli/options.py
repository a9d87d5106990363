"""Options that several commands share, and the param that they ask for."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from lucidtorch.base.errors import BadInputError, SizeError
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import Size, size_sides
from lucidtorch.models.model import Model
from lucidtorch.models.running.precision import TYPES
from lucidtorch.param.images import image
from lucidtorch.param.param import Param
from lucidtorch.param.text import parse as parse_param
from lucidtorch.rendering.preparation import default_size

Command = TypeVar("Command", bound=Callable[..., Any])

quiet = click.option("--quiet", "-q", is_flag=True, help="Print errors only.")
trust = click.option(
    "--trust",
    is_flag=True,
    help="Trust what the file says: let it run code, download, and name files anywhere on this machine.",
)
seed = click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Image i gets the seed N + i.")
lr = click.option("--lr", type=float, default=0.05, show_default=True, metavar="X", help="The largest step size.")
optimizer = click.option(
    "--optimizer", default="adam", show_default=True, metavar="SPEC", help="adam, sgd, or such as 'adam(beta1=0.5)'."
)
lr_schedule = click.option(
    "--lr-schedule",
    default="constant",
    show_default=True,
    metavar="SPEC",
    help="How the step size goes over the steps: constant, cosine, trapezoid.",
)
stop = click.option(
    "--stop", default="", metavar="SPEC", help="When a picture goes no further: plateau, or 'plateau(patience=32)'."
)


def stepping(command: Command) -> Command:
    """Add the options that say how far each step goes."""
    for option in (stop, lr_schedule, optimizer, lr):
        command = option(command)
    return command


transforms = click.option("--transforms", metavar="SPEC", help="Such as 'pad(12) | jitter(8)', or 'identity()'.")
constraints = click.option(
    "--constraints", metavar="SPEC", default="", help="What the image is held to after each step: 'blur(0.5, every=4)'."
)
param = click.option("--param", metavar="SPEC", help="Such as 'image(128, fft=False)'; instead of --size.")
size = click.option(
    "--size",
    metavar="N|HxW|TxHxW",
    help="The size of the picture that is made, in pixels (frames first for clips); any size, unlike --input-size. "
    "The network's own if left out.",
)
precision = click.option(
    "--precision",
    type=click.Choice(list(TYPES)),
    default="float32",
    show_default=True,
    help="What the network computes in.",
)


def switch(name: str, what: str) -> Callable[[Command], Command]:
    """Make the options that turn something on, as it is when left out, and off."""
    return click.option(f"--{name}/--no-{name}", default=True, show_default=True, help=what)


compute_batch = click.option(
    "--compute-batch",
    type=int,
    metavar="N",
    help="How many images go through the network at once; chosen by the size of its activations if left out.",
)
channels_last = switch("channels-last", "Whether convolutions have the channels of a place side by side in memory.")
fold = switch("fold", "Whether batch normalizations become parts of the convolutions before them.")
winograd = switch(
    "winograd", "Whether wide 3 x 3 convolutions go Winograd's way on a CPU, which rounds a little coarser."
)
compiled = click.option(
    "--compile", is_flag=True, help="Compile the network, which takes a minute at first and pays on a GPU."
)


def engine(command: Command) -> Command:
    """Add the options that say how the network is run; none but the precision changes more than rounding."""
    for option in (compiled, winograd, fold, channels_last, compute_batch, precision):
        command = option(command)
    return command


def steps(default: int) -> Callable[[Command], Command]:
    """Make the option for the number of updates."""
    return click.option(
        "--steps", type=int, default=default, show_default=True, metavar="N", help="The number of updates."
    )


def output(what: str) -> Callable[[Command], Command]:
    """Make the option that says where to write."""
    return click.option("--output", "-o", type=click.Path(path_type=Path), metavar="PATH", help=what)


def choose_param(model: Model, size: str | None, param: str | None, batch: int | None) -> Param | None:
    """Make the param that a command asks for."""
    if param is not None:
        if size is not None:
            raise BadInputError("--param says the size already; leave --size out.")
        chosen = parse_param(param)
    elif size is None and batch is None:
        return None
    else:
        sides = default_size(model) if size is None else _sides(model, size)
        chosen = image(sides, channels=model.convention.channels)
    return chosen if batch is None else chosen.resized(batch=batch)


def _sides(model: Model, text: str) -> Size:
    """Read the size of a picture; one of a clip keeps the network's own number of frames where none is given."""
    sides, own = size_sides(text, what="--size"), model.convention.size
    if len(sides) > len(own):
        raise SizeError(f"{model.name} takes images and no clips, so --size is HxW, but {shown(text)} was given.")
    return (*own[: len(own) - len(sides)], *sides)
