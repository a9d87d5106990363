"""How commands end: 0 done, 1 failed, 2 bad input, 130 interrupted with what there is kept."""

from __future__ import annotations

import contextlib
import signal
import threading
from collections.abc import Callable, Iterator
from types import FrameType

import click

from lucidtorch.base.errors import BadInputError, LucidtorchError, users_line
from lucidtorch.cli.console import say

LONGEST = 160  # letters of a reason
LONGEST_USAGE = 280  # letters of what click says
DONE, FAILED, BAD_INPUT, INTERRUPTED = 0, 1, 2, 130


class Interrupted(Exception):  # noqa: N818  # it is no error
    """A command was interrupted, and what it had made is kept."""


class Terminated(KeyboardInterrupt):
    """The process was asked to end: what is at work keeps what it has, as after Ctrl-C."""


class ScriptFailed(Exception):  # noqa: N818  # it names what happened
    """A line of a script failed, and was told when it did.

    Args:
        code: The exit code of that line.
    """

    def __init__(self, code: int) -> None:
        super().__init__(code)
        self.code = code


def exit_code(command: Callable[[], object]) -> int:
    """Run a command and turn what happens into an exit code."""
    try:
        command()
    except click.exceptions.Exit as error:
        return error.exit_code
    except ScriptFailed as error:
        return error.code
    except click.ClickException as error:
        longest = max(map(len, error.message.split("\n")))  # click repeats what was given, however long
        (error if longest <= LONGEST_USAGE else click.ClickException(f"{error.message[:LONGEST_USAGE]}...")).show()
        return BAD_INPUT
    except (Interrupted, KeyboardInterrupt, click.Abort) as error:
        return _complain(str(error) or "interrupted", INTERRUPTED)
    except BadInputError as error:
        return _complain(str(error), BAD_INPUT)
    except BrokenPipeError:
        raise
    except (LucidtorchError, OSError, MemoryError, RuntimeError) as error:
        return _complain(str(error) if isinstance(error, LucidtorchError) else _told(error), FAILED)
    except Exception as error:  # of the user's own network or data; of anybody else it is ours, and is raised
        if users_line(error) is not None:
            return _complain(_told(error), FAILED)
        raise
    return DONE


@contextlib.contextmanager
def termination_as_interrupt() -> Iterator[None]:
    """Let SIGTERM in the block be what Ctrl-C is, so that what there is is kept; a handler of somebody else stays."""
    ours = threading.current_thread() is threading.main_thread()
    if not ours or signal.getsignal(signal.SIGTERM) is not signal.SIG_DFL:
        yield
        return
    signal.signal(signal.SIGTERM, _terminate)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, signal.SIG_DFL)


def _terminate(number: int, frame: FrameType | None) -> None:
    raise Terminated


def _told(error: BaseException) -> str:
    """Say on one line what was raised, in which layer or function, and at which line of the user's own."""
    lines = str(error).strip().splitlines() or ["no reason given"]
    remarks = [*getattr(error, "__notes__", ()), *([users_line(error)] if users_line(error) else [])]
    return f"{type(error).__name__}: {lines[0][:LONGEST]}" + (f" ({'; '.join(map(str, remarks))})" if remarks else "")


def _complain(message: str, code: int) -> int:
    say(f"lucidtorch: {message}")
    return code
