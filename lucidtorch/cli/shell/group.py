"""The commands of a shell: those of the command line, and the shell's own."""

from __future__ import annotations

import click

from lucidtorch.cli.shell.words import HINT, WORDS

OUTSIDE = ("shell",)  # commands that have no place in a shell


class ShellGroup(click.Group):
    """The commands of the command line beside those that only a shell has.

    Args:
        application: The command line.
    """

    def __init__(self, application: click.Group) -> None:
        super().__init__("shell", context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110})
        self.application = application

    def list_commands(self, ctx: click.Context) -> list[str]:
        """Name the commands in the order of the help page."""
        return [*(name for name in self.application.list_commands(ctx) if name not in OUTSIDE), *WORDS]

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Find a command."""
        if cmd_name in OUTSIDE:
            return None
        return WORDS.get(cmd_name) or self.application.get_command(ctx, cmd_name)

    def format_help(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the list of commands, and how an objective is rendered."""
        self.format_commands(ctx, formatter)
        formatter.write_paragraph()
        formatter.write(f"{HINT}\n")
