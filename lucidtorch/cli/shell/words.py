"""The commands that only the shell has."""

from __future__ import annotations

from dataclasses import replace

import click

from lucidtorch.base.errors import BadInputError
from lucidtorch.cli import network_words
from lucidtorch.cli.loading import Loading, Workbench
from lucidtorch.cli.shell.settings import CHECKS, known_setting, put
from lucidtorch.models.model import Model
from lucidtorch.models.preflight import expectation

HINT = """An objective alone is rendered with the current settings:
  conv4_1:12
  channel('conv4_1', 3) - 100 * diversity('conv4_1') --batch 4 -o four.png
Ctrl-C ends a render and keeps its picture; Ctrl-D ends the shell."""


@click.command(
    "model", short_help="Load another network, or say which one is loaded.", epilog=f"\b\n{network_words.WHAT_IT_IS}"
)
@click.argument("spec", default="", metavar="[MODEL]")
@network_words.options
@click.pass_obj
def model(bench: Workbench, loading: Loading) -> None:
    """Load another network, or the same one with other words; without any, say which one is loaded."""
    if loading != Loading(""):
        wanted = loading if loading.spec else replace(loading, spec=bench.loading.spec)
        bench.model, bench.loading = wanted.load(), wanted
    print(summary(bench.model))


@click.command("labels", short_help="List the classes, or those whose name holds a word.")
@click.argument("word", nargs=-1, metavar="[WORD]")
@click.pass_obj
def labels(bench: Workbench, word: tuple[str, ...]) -> None:
    """List the classes of the network by number and name, or those whose name holds a word, in any case."""
    names = bench.model.labels
    if names is None:
        raise BadInputError(
            f"{bench.model.name} has no labels; classes go by number, such as logit(3). "
            f"Give names with `model {bench.loading.spec} --labels FILE`."
        )
    wanted = " ".join(word)
    found = [(number, name) for number, name in enumerate(names) if wanted.casefold() in name.casefold()]
    if not found:
        raise BadInputError(f"None of the {len(names)} classes has {wanted!r} in its name; `labels` lists all.")
    for number, name in found:
        print(f"{number:>5}  {name}")


@click.command("set", short_help="Set what later renders go by, or show the settings.")
@click.argument("name", required=False)
@click.argument("value", required=False)
@click.pass_obj
def set_(bench: Workbench, name: str | None, value: str | None) -> None:
    """Set what later renders and galleries go by, such as `set steps 64`; without a value, show what is set.

    An option on the line of a command goes before.
    """
    if name is not None and value is not None:
        put(bench.settings, name, value)
    for one in CHECKS if name is None else [known_setting(name)]:
        print(f"{one:<10}  {bench.settings.get(one, '(default)')}")


@click.command("unset", short_help="Take a setting back, or all of them.")
@click.argument("name", required=False)
@click.pass_obj
def unset(bench: Workbench, name: str | None) -> None:
    """Take a setting back, or all of them."""
    for one in list(CHECKS) if name is None else [known_setting(name)]:
        bench.settings.pop(one, None)


@click.command("help", short_help="List the commands, or say what one takes.")
@click.argument("name", required=False, metavar="[COMMAND]")
@click.pass_context
def help_(context: click.Context, name: str | None) -> None:
    """List the commands, or say what one takes."""
    group = context.find_root()
    if name is None:
        print(group.get_help())
        return
    found = group.command.get_command(group, name) if isinstance(group.command, click.Group) else None
    if found is None:
        raise BadInputError(f"There is no command {name!r}; `help` lists them.")
    print(found.get_help(click.Context(found, parent=group, info_name=name)))


@click.command("exit", short_help="End the shell.")
@click.pass_obj
def exit_(bench: Workbench) -> None:
    """End the shell."""
    bench.ended = True


WORDS = {command.name or "": command for command in (model, labels, set_, unset, help_, exit_)} | {"quit": exit_}


def summary(network: Model) -> str:
    """Say in a line which network is at hand."""
    return f"{network.name} on {network.device}, {len(network.layers)} layers; input: {expectation(network)}"
