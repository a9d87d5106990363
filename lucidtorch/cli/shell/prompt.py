"""The prompt: reading lines from a terminal, with completion and history."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable
from pathlib import Path

from prompt_toolkit import PromptSession
from prompt_toolkit.history import FileHistory, History, InMemoryHistory

from lucidtorch.cli.exits import Terminated
from lucidtorch.cli.shell.completion import ShellCompleter
from lucidtorch.cli.shell.shell import Shell


def converse(shell: Shell) -> None:
    """Read lines and do what they say, until `exit` or Ctrl-D."""
    session: PromptSession[str] = PromptSession(
        lambda: f"{shell.bench.loading.short_spec}> ",
        history=open_history(history_file()),
        completer=ShellCompleter(shell),
        bottom_toolbar=lambda: toolbar(shell),
        complete_while_typing=True,
        enable_open_in_editor=False,
    )
    while not shell.bench.ended:
        try:
            shell.run(session.prompt())
        except Terminated:
            raise
        except KeyboardInterrupt:
            continue  # Ctrl-C at the prompt gives the line up
        except EOFError:
            return


def toolbar(shell: Shell) -> str:
    """Write the line below the prompt."""
    model, settings = shell.bench.model, shell.bench.settings
    size = "x".join(map(str, (model.convention.channels, *model.convention.size)))
    known = "  ".join(f"{name} {value}" for name, value in settings.items())
    return f" {model.name} on {model.device}  input {size}  {known or 'default settings'}"


def history_file() -> Path:
    """Say where the lines of earlier shells stand."""
    given = os.environ.get("XDG_STATE_HOME", "")
    state = Path(given) if Path(given).is_absolute() else Path.home() / ".local" / "state"
    return state / "lucidtorch" / "history"


def open_history(path: Path) -> History:
    """Open the lines of earlier shells."""
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch(mode=0o600)
        with path.open("r+b"):
            return _FileHistory(str(path))
    except OSError:
        return InMemoryHistory()


class _FileHistory(FileHistory):
    """A history whose file may go away, or its disk fill up, while the shell runs."""

    def load_history_strings(self) -> Iterable[str]:
        try:
            return list(super().load_history_strings())
        except OSError:
            return []

    def store_string(self, string: str) -> None:
        with contextlib.suppress(OSError):
            super().store_string(string)
