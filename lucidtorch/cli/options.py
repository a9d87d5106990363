"""Options that several commands share, and the param that they ask for."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar, get_args, get_origin

import click

from lucidtorch.base.errors import BadInputError, SizeError
from lucidtorch.base.plugins import import_named
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import Size, size_sides
from lucidtorch.models.model import Model
from lucidtorch.param.images import image
from lucidtorch.param.param import Param
from lucidtorch.param.text import parse as parse_param
from lucidtorch.rendering.job import default_size
from lucidtorch.rendering.settings import Engine, Option, Schedule, options_of

Command = TypeVar("Command", bound=Callable[..., Any])

quiet = click.option("--quiet", "-q", is_flag=True, help="Print errors only.")
trust = click.option(
    "--trust",
    is_flag=True,
    help="Trust what the file says: let it run code, download, and name files anywhere on this machine.",
)


def _import(context: click.Context, option: click.Parameter, modules: tuple[str, ...]) -> None:
    for module in modules:
        import_named(module)


imports = click.option(
    "--import",
    "modules",
    multiple=True,
    metavar="MODULE",
    expose_value=False,
    callback=_import,
    help="Import a module of yours, or a file.py, whose words texts may use then; may be given several times.",
)
seed = click.option("--seed", type=int, default=0, show_default=True, metavar="N", help="Image i gets the seed N + i.")
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


def schedule(*names: str, **defaults: object) -> Callable[[Command], Command]:
    """Make the options of some fields of `Schedule`, which a command gets in one mapping `schedule`."""
    return _collected("schedule", {name: options_of(Schedule)[name] for name in names}, defaults)


def engine(command: Command) -> Command:
    """Add the options that say how the network is executed, which the command gets in one mapping `engine`."""
    return _collected("engine", {name: one for name, one in options_of(Engine).items() if one.help}, {})(command)


def _collected(
    argument: str, options: Mapping[str, Option], defaults: Mapping[str, object]
) -> Callable[[Command], Command]:
    def decorated(command: Command) -> Command:
        @functools.wraps(command)
        def collected(**words: Any) -> Any:
            words[argument] = {**words.get(argument, {}), **{name: words.pop(name) for name in options}}
            return command(**words)

        for name, option in reversed(list(options.items())):
            _click_option(name, option, defaults.get(name, option.default))(collected)
        return collected  # type: ignore[return-value]  # click calls it by the names of its options

    return decorated


def _click_option(name: str, option: Option, default: Any) -> Callable[[Command], Command]:
    """Make the option of a setting; what is on when left out can be turned off."""
    word = name.replace("_", "-")
    if option.kind is bool and default:
        return click.option(f"--{word}/--no-{word}", default=True, show_default=True, help=option.help)
    if option.kind is bool:
        return click.option(f"--{word}", is_flag=True, help=option.help)
    origin, parts = get_origin(option.kind), get_args(option.kind)
    kind: Any = click.Choice(list(parts)) if origin is Literal else parts[0] if origin is Annotated else option.kind
    if get_origin(kind) is tuple:  # numbers between commas
        kind, default = str, None
    shows = default not in (None, "")
    return click.option(
        f"--{word}", type=kind, default=default, show_default=shows, metavar=option.metavar, help=option.help
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
