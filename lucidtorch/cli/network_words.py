"""The words by which commands are told which network is meant and what it expects."""

from __future__ import annotations

import functools
from collections.abc import Callable
from dataclasses import fields
from pathlib import Path
from typing import Any, TypeVar

import click

from lucidtorch.cli.loading import Loading, workbench
from lucidtorch.models.inputs.convention import ORDERS

Command = TypeVar("Command", bound=Callable[..., Any])

WHAT_IT_IS = """\
MODEL is one of
  a torchvision name             vgg16, resnet50, fcn_resnet50, r3d_18 ...
  timm/NAME, hf/NAME             of timm; of Hugging Face, or a folder of theirs
  path/to/file.py:factory        a function of yours that gives a torch.nn.Module
  path/to/program.pt2, .pt       what torch.export or TorchScript saved
  demo, demo-judge, digits, lines, inceptionv1
"""

# What is said of a network, in the order of the help page; the names are those of `Loading`.
OPTIONS = (
    click.option(
        "--weights",
        default="default",
        show_default=True,
        metavar="W",
        help="default, random, or a .safetensors or .pth file.",
    ),
    click.option("--device", default="auto", show_default=True, metavar="D", help="auto, cpu, cuda, cuda:1, mps ..."),
    click.option("--mean", metavar="R,G,B|FILE", help="What is subtracted from the input; or a mean-image file."),
    click.option("--std", metavar="R,G,B", help="What the input is divided by."),
    click.option("--range", "value_range", metavar="LO,HI", help="What images in [0, 1] are stretched to first."),
    click.option(
        "--channel-order",
        type=click.Choice(list(ORDERS)),
        help="The order of the colours in the network's input, and in --mean and --std; pictures are always RGB.",
    ),
    click.option(
        "--input-size",
        metavar="N|HxW|TxHxW",
        help="The size of the input that the network was made for, where it does not say so itself.",
    ),
    click.option("--channels", type=int, metavar="N", help="The number of channels of the network's input."),
    click.option(
        "--labels", type=click.Path(path_type=Path), metavar="FILE", help="The names of the classes, one a line."
    ),
    click.option(
        "--trace", is_flag=True, help="Make layers of functional operations too, named as torchvision names them."
    ),
    click.option(
        "--trust",
        is_flag=True,
        help="Trust files: a .pt2 or TorchScript program can run code, and a scan names its images anywhere.",
    ),
)


class NetworkCommand(click.Command):
    """A command on a network; outside of a shell, which holds one, its help ends with what MODEL can be."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write what MODEL can be."""
        if workbench(ctx) is None:
            formatter.write(f"\n{WHAT_IT_IS}")


class NetworkArgument(click.Argument):
    """The word that names a network; in a shell, which holds one, it is left out."""

    def add_to_parser(self, parser: Any, ctx: click.Context) -> None:
        """Take the word from the line, except in a shell."""
        if workbench(ctx) is None:
            super().add_to_parser(parser, ctx)

    def get_usage_pieces(self, ctx: click.Context) -> list[str]:
        """Show the word in the usage line, except in a shell."""
        return [] if workbench(ctx) is not None else super().get_usage_pieces(ctx)


def argument(command: Command) -> Command:
    """Give a command the argument `spec`, which names a network."""
    # Made anew for each command: before click 8.1.4 a decorator forgets its class once it is used.
    return click.argument("spec", cls=NetworkArgument, metavar="MODEL")(command)


def options(command: Command) -> Command:
    """Give a command the options that say how a network is loaded, collected in one argument `loading`."""

    @functools.wraps(command)
    def collected(**words: Any) -> Any:
        words["loading"] = Loading(**{one.name: words.pop(one.name) for one in fields(Loading)})
        return command(**words)

    for option in reversed(OPTIONS):
        option(collected)
    return collected  # type: ignore[return-value]  # click calls it by the names of its options
