"""`lucidtorch shell`: an interactive prompt on a network."""

from __future__ import annotations

import sys

import click

from lucidtorch.base.errors import DownloadError
from lucidtorch.cli import network_words, options
from lucidtorch.cli.console import Voice
from lucidtorch.cli.exits import ScriptFailed
from lucidtorch.cli.loading import Loading, Workbench
from lucidtorch.cli.shell.prompt import converse
from lucidtorch.cli.shell.shell import Shell
from lucidtorch.cli.shell.words import summary
from lucidtorch.models.model import Model

DEFAULT_MODEL = "vgg16"


@click.command("shell", short_help="Open an interactive prompt on a network.", epilog=f"\b\n{network_words.WHAT_IT_IS}")
@click.argument("spec", default=DEFAULT_MODEL, metavar="[MODEL]")
@options.imports
@network_words.options
@options.seed
@options.quiet
@click.pass_context
def command(context: click.Context, loading: Loading, seed: int, quiet: bool) -> None:
    """Open an interactive prompt on a network, vgg16 if left out.

    It knows the commands of lucidtorch without the word MODEL, and an objective alone is rendered. Layers, objectives,
    labels and files complete with the Tab key; `help` lists the commands.

    Where the input is no terminal, commands are read from it line by line; the exit code is that of the first line that
    failed.
    """
    application = context.find_root().command
    if not isinstance(application, click.Group):
        raise click.UsageError("`shell` is a command of lucidtorch and cannot be run alone.")
    bench = Workbench(loading, _loaded(loading), {"seed": str(seed)} if seed else {})
    shell = Shell(application, bench)
    if sys.stdin.isatty() and sys.stdout.isatty():
        voice = Voice(quiet=quiet)
        voice.note(f"{summary(bench.model)}\n`help` lists the commands, Ctrl-D ends.")
        converse(shell)
        return
    code = shell.run_all(sys.stdin)
    if code:
        raise ScriptFailed(code)


def _loaded(loading: Loading) -> Model:
    """Load the network; one whose weights are not at hand is the usual first hurdle, so the way around is told."""
    try:
        return loading.load()
    except DownloadError as error:
        raise DownloadError(
            f"{error}\nHere: `lucidtorch shell {loading.spec} --weights FILE` or `--weights random`; "
            "`lucidtorch shell demo` needs no download."
        ) from error
