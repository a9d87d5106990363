"""What the Tab key offers: commands, options and their values, and what an objective may hold."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

import click
from prompt_toolkit.completion import CompleteEvent, Completer, Completion, PathCompleter
from prompt_toolkit.document import Document

from lucidtorch.cli.shell.line import RENDER, objective_part
from lucidtorch.cli.shell.objective_completion import complete_layers, complete_objective
from lucidtorch.cli.shell.settings import CHECKS
from lucidtorch.cli.shell.shell import Shell
from lucidtorch.galleries.variants import VARIANTS
from lucidtorch.models.sources.finding import package_names
from lucidtorch.rendering.settings import PRECISIONS

DEVICES = ("auto", "cpu", "cuda", "mps")
WEIGHTS = ("default", "random")
PATHS = PathCompleter(expanduser=True)


class ShellCompleter(Completer):
    """Completes the line before the cursor.

    Args:
        shell: Whose commands, network and settings are offered.
    """

    def __init__(self, shell: Shell) -> None:
        self._shell = shell

    def get_completions(self, document: Document, complete_event: CompleteEvent) -> Iterator[Completion]:
        """Offer what may stand at the cursor."""
        text = document.text_before_cursor.lstrip()
        if text.startswith("#"):
            return
        first, blank, rest = text.partition(" ")
        if not blank:
            yield from self._commands(first)
            yield from complete_objective(text, self._shell.bench.model)
        elif first not in self._shell.commands:
            yield from self._arguments(RENDER, text, complete_event)
        else:
            yield from self._arguments(first, rest.lstrip(), complete_event)

    def _commands(self, typed: str) -> Iterator[Completion]:
        for name in self._shell.commands:
            command = self._shell.group.get_command(self._shell.context, name) if name.startswith(typed) else None
            if command is not None:
                yield Completion(name, -len(typed), display_meta=command.short_help or "")

    def _arguments(self, name: str, rest: str, event: CompleteEvent) -> Iterator[Completion]:
        """Offer what may follow a command."""
        options = self._shell.options(name)
        words = rest.split(" ")
        typed = words[-1]
        previous = options.get(words[-2]) if len(words) > 1 else None
        if isinstance(previous, click.Option) and not previous.is_flag:
            yield from self._values(previous, typed, event)
            return
        if typed.startswith("-"):
            yield from _options(options, words, typed)
        if name == RENDER:
            yield from self._objective(rest)
        elif len(words) == 1 or name == "set":
            yield from self._positional(name, words, event)

    def _objective(self, rest: str) -> Iterator[Completion]:
        objective, options = objective_part(rest, self._shell.render_options)
        if not options:
            yield from complete_objective(rest, self._shell.bench.model)
        elif not objective:  # options may stand before it
            yield from complete_objective(rest.rpartition(" ")[2], self._shell.bench.model)

    def _values(self, option: click.Option, typed: str, event: CompleteEvent) -> Iterator[Completion]:
        """Offer what may stand behind an option."""
        if isinstance(option.type, click.Choice):
            yield from _starting(map(str, option.type.choices), typed)
        elif isinstance(option.type, click.Path) or option.name in ("weights", "mean"):
            yield from _starting(WEIGHTS if option.name == "weights" else (), typed)
            yield from _files(typed, event)
        elif option.name == "device":
            yield from _starting(DEVICES, typed)
        elif option.name == "layers":
            yield from complete_layers(typed.rpartition(",")[2], self._shell.bench.model)
        elif option.name == "variants":
            yield from _starting(VARIANTS, typed.rpartition(",")[2])

    def _positional(self, name: str, words: list[str], event: CompleteEvent) -> Iterator[Completion]:
        """Offer the first word behind a command other than `render`."""
        typed = words[-1]
        if name == "set" and len(words) > 1:
            yield from _starting(PRECISIONS if words[0] == "precision" and len(words) == 2 else (), typed)
            return
        known: Mapping[str, Callable[[], Iterable[str]]] = {
            "set": lambda: CHECKS,
            "unset": lambda: self._shell.bench.settings,
            "help": lambda: self._shell.commands,
            "labels": lambda: self._shell.bench.model.labels or (),
            "model": _networks,
        }
        yield from _starting(known.get(name, tuple)(), typed)
        if name in ("rerun", "model"):
            yield from _files(typed, event)


def _options(options: Mapping[str, click.Parameter], words: list[str], typed: str) -> Iterator[Completion]:
    """Offer the options that do not stand there already."""
    for word, option in options.items():
        if word.startswith(typed) and word not in words[:-1] and isinstance(option, click.Option):
            yield Completion(word, -len(typed), display_meta=option.help or "")


def _starting(words: Iterable[str], typed: str) -> Iterator[Completion]:
    return (Completion(word, -len(typed)) for word in words if word.casefold().startswith(typed.casefold()))


def _files(typed: str, event: CompleteEvent) -> Iterator[Completion]:
    yield from PATHS.get_completions(Document(typed), event)


def _networks() -> Iterable[str]:
    from lucidtorch.models.sources.torchvision_source import torchvision_names  # it takes long to import

    return (*package_names(), *torchvision_names(), "timm/", "hf/")
