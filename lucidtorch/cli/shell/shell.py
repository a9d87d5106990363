"""Running the lines of a shell in this process, through the very commands of the command line."""

from __future__ import annotations

import sys
import warnings
from collections.abc import Iterator
from dataclasses import asdict

import click

from lucidtorch.base.errors import BadInputError
from lucidtorch.cli.exits import DONE, INTERRUPTED, exit_code
from lucidtorch.cli.loading import Workbench
from lucidtorch.cli.shell.group import ShellGroup
from lucidtorch.cli.shell.line import RENDER, words_of
from lucidtorch.cli.shell.settings import TAKEN_BY
from lucidtorch.cli.shell.words import WORDS


class Shell:
    """Takes lines, one command or objective each, on one network at a time.

    Args:
        application: The command line, whose commands the shell has.
        bench: The network to begin with, and what is set.
    """

    def __init__(self, application: click.Group, bench: Workbench) -> None:
        self.bench = bench
        self.group = ShellGroup(application)
        self.context = self.group.make_context("", [], obj=bench, resilient_parsing=True)
        self.commands = self.group.list_commands(self.context)
        self.render_options = frozenset(self.options(RENDER))

    def options(self, name: str) -> dict[str, click.Parameter]:
        """List the options of a command."""
        command = self.group.get_command(self.context, name)
        found = [] if command is None else command.get_params(click.Context(command, self.context, info_name=name))
        return {word: one for one in found for word in one.opts if isinstance(one, click.Option)}

    def run(self, line: str) -> int:
        """Do what a line says; whatever is wrong is said, and the shell goes on."""
        with warnings.catch_warnings():  # `--quiet` speaks for one command, and a note is told again
            return exit_code(lambda: self._call(line))

    def run_all(self, lines: Iterator[str]) -> int:
        """Do what the lines of a script say; a line that fails does not stop the others, an interrupt does."""
        codes = []
        for line in _decoded(lines):
            codes.append(self.run(line))
            if self.bench.ended or codes[-1] == INTERRUPTED:
                break
        return next((code for code in codes if code != DONE), DONE)

    def _call(self, line: str) -> None:
        words = words_of(line, self.commands, self.render_options, self.bench.loading.spec)
        if not words:
            return
        try:
            self.group.main(words, prog_name="", standalone_mode=False, obj=self.bench, default_map=self._settings())
        except click.UsageError as error:
            raise BadInputError(f"{error.format_message()} `help {words[0]}` says what it takes.") from error
        sys.stdout.flush()

    def _settings(self) -> dict[str, dict[str, object]]:
        """What stands for the words that a command leaves out: those of the network, and what is set."""
        loading, kept = asdict(self.bench.loading), self.bench.settings
        return {
            name: loading | {one: kept[one] for one in TAKEN_BY.get(name, ()) if one in kept}
            for name in self.commands
            if name not in WORDS  # before click 8.5, a default for `help` is one for `--help`
        }


def _decoded(lines: Iterator[str]) -> Iterator[str]:
    try:
        yield from lines
    except UnicodeDecodeError as error:
        raise BadInputError(f"The input is no UTF-8 text ({error.reason}); give lines of commands.") from error
