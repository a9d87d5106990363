"""The command `lucidtorch`."""

from __future__ import annotations

import importlib
import os
import sys
from collections.abc import Sequence

import click

from lucidtorch import __version__
from lucidtorch.cli.console import open_streams, speak_plainly
from lucidtorch.cli.exits import exit_code, termination_as_interrupt

# Each command with its first line; its module is loaded when it is called, so that `--help` answers at once.
COMMANDS = {
    "render": "Make a picture of what an objective looks for.",
    "layers": "List the layers of a network.",
    "run": "Run a recipe, or go on where it was interrupted.",
    "recipes": "List the kinds of recipes, or print one to start from.",
    "schema": "Print the JSON Schema of recipes.",
    "gallery": "Render every unit of whole layers into a folder of pages.",
    "scan": "Look through images, and keep what they do to every unit.",
    "rerun": "Make a picture again from what it carries.",
    "shell": "Open an interactive prompt on a network.",
    "demo": "Make a gallery of the embedded network.",
}


class Commands(click.Group):
    """The commands, loaded one by one when they are asked for."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the help page."""
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Load a command."""
        if cmd_name not in COMMANDS:
            return None
        command: click.Command = importlib.import_module(f"lucidtorch.cli.commands.{cmd_name}_command").command
        return command

    def invoke(self, ctx: click.Context) -> object:
        """Run the command; a reader of its output that has gone is no failure."""
        try:
            result: object = super().invoke(ctx)
            sys.stdout.flush()  # a short output is only written here
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            return None
        return result

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """List the commands without loading any."""
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


@click.group(cls=Commands, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
@click.version_option(__version__, prog_name="lucidtorch")
def application() -> None:
    """Feature visualization for PyTorch: see what each unit of a network looks for."""


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line."""
    open_streams()
    speak_plainly()
    words = list(sys.argv[1:] if arguments is None else arguments)
    with termination_as_interrupt():
        return exit_code(lambda: application.main(words, prog_name="lucidtorch", standalone_mode=False))


def main() -> None:
    """Run the command line and end the process with its exit code."""
    sys.exit(run())
