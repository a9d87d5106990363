"""Options that several commands share, and how their values are read."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.sizes import size_pair
from lucidtorch.models.model import Model
from lucidtorch.models.sources import load_model
from lucidtorch.param.images import image
from lucidtorch.param.param import Param
from lucidtorch.param.text import parse as parse_param
from lucidtorch.rendering.job import default_size

Command = TypeVar("Command", bound=Callable[..., Any])
Number = TypeVar("Number", int, float)

model = click.argument("model", metavar="MODEL")
quiet = click.option("--quiet", "-q", is_flag=True, help="Print errors only.")
seed = click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Image i gets the seed N + i.")
weights = click.option(
    "--weights",
    default="default",
    show_default=True,
    metavar="W",
    help="default, random, or a .safetensors or .pth file.",
)
device = click.option(
    "--device", default="auto", show_default=True, metavar="D", help="auto, cpu, cuda, cuda:1, mps ..."
)
lr = click.option("--lr", type=float, default=0.05, show_default=True, metavar="X", help="The step size.")
transforms = click.option("--transforms", metavar="SPEC", help="Such as 'pad(12) | jitter(8)', or 'identity()'.")
param = click.option("--param", metavar="SPEC", help="Such as 'image(128, fft=False)'; instead of --size.")
size = click.option("--size", metavar="N|HxW", help="The size of the picture in pixels; the network's own if left out.")


def convention(command: Command) -> Command:
    """Give a command the options that say what a network expects of its input.

    Args:
        command: The command.

    Returns:
        The same with `mean`, `std`, `value_range` and `labels`.
    """
    for option in (
        click.option(
            "--labels", type=click.Path(path_type=Path), metavar="FILE", help="The classes' names, one a line."
        ),
        click.option("--range", "value_range", metavar="LO,HI", help="What images in [0, 1] are stretched to first."),
        click.option("--std", metavar="R,G,B", help="What the input is divided by."),
        click.option("--mean", metavar="R,G,B", help="What is subtracted from the input."),
    ):
        command = option(command)
    return command


def steps(default: int) -> Callable[[Command], Command]:
    """Make the option for the number of updates.

    Args:
        default: What it is when left out.

    Returns:
        The option.
    """
    return click.option(
        "--steps", type=int, default=default, show_default=True, metavar="N", help="The number of updates."
    )


def output(what: str) -> Callable[[Command], Command]:
    """Make the option that says where to write.

    Args:
        what: What is written, for the help page.

    Returns:
        The option.
    """
    return click.option("--output", "-o", type=click.Path(path_type=Path), metavar="PATH", help=what)


def numbers(text: str | None, option: str) -> tuple[float, ...] | None:
    """Read numbers between commas.

    Args:
        text: What was given, or None.
        option: The option, for messages.

    Returns:
        The numbers, or None where nothing was given.

    Raises:
        BadInputError: Something between the commas is no number.
    """
    return None if text is None else _between_commas(text, float, f"{option} takes numbers, such as 0.5,0.5,0.5")


def whole_numbers(text: str | None, option: str) -> tuple[int, ...]:
    """Read whole numbers between commas.

    Args:
        text: What was given, or None.
        option: The option, for messages.

    Returns:
        The numbers; none where nothing was given.

    Raises:
        BadInputError: Something between the commas is no whole number.
    """
    return () if text is None else _between_commas(text, int, f"{option} takes whole numbers, such as 64,256")


def _between_commas(text: str, kind: Callable[[str], Number], usage: str) -> tuple[Number, ...]:
    try:
        return tuple(kind(part) for part in text.split(","))
    except ValueError as error:
        raise BadInputError(f"{usage}; {text!r} was given.") from error


def open_model(
    name: str,
    weights: str,
    device: str,
    *,
    mean: str | None = None,
    std: str | None = None,
    value_range: str | None = None,
    labels: Path | None = None,
) -> Model:
    """Load the network that a command names.

    Args:
        name: Its name.
        weights: ``default``, ``random`` or a file.
        device: Where it shall compute.
        mean: Numbers between commas, or None.
        std: Numbers between commas, or None.
        value_range: Two numbers between commas, or None.
        labels: A file with one name a line, or None.

    Returns:
        The network.

    Raises:
        BadInputError: There is none of that name, or something about it does not fit.
    """
    return load_model(
        name,
        weights=weights,
        device=device,
        mean=numbers(mean, "--mean"),
        std=numbers(std, "--std"),
        value_range=numbers(value_range, "--range"),
        labels=labels,
    )


def choose_param(model: Model, size: str | None, param: str | None, batch: int | None) -> Param | None:
    """Make the param that a command asks for.

    Args:
        model: The network.
        size: The size of the picture as text, or None.
        param: The param as text, or None.
        batch: The number of images, or None.

    Returns:
        The param, or None where nothing was asked for.

    Raises:
        BadInputError: Both were given, or one does not parse.
    """
    if param is not None:
        if size is not None:
            raise BadInputError("--param says the size already; leave --size out.")
        chosen = parse_param(param)
    elif size is None and batch is None:
        return None
    else:
        pixels = default_size(model) if size is None else size_pair(size)
        chosen = image(pixels, channels=model.convention.channels)
    return chosen if batch is None else chosen.resized(batch=batch)
