"""Odd and hostile values in the place of every argument of every public name and behind every option.

Whatever is given, a call succeeds or raises a LucidtorchError whose first line is short, writes nothing where it fails,
and ends in time. `fuzz_calls` has a valid call of each name; a new public name or command needs one there.
"""

from __future__ import annotations

import contextlib
import inspect
import io
import random
import signal
import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import click
import pytest
from fuzz_calls import CALLS, COMMANDS, NO_CALL
from fuzz_tools import Call, calls, furnish, public
from fuzz_values import MADE, PLAIN, VALUES, WORDS, Hostile
from guards.registry import own_objectives

from lucidtorch.base.errors import LucidtorchError
from lucidtorch.cli.main import COMMANDS as KNOWN
from lucidtorch.cli.main import application, run

LONGEST, MOST_LINES, SECONDS = 300, 4, 10
STARTING = 60  # seconds: each worker is a new program that imports torch
ENOUGH = 20  # values of each parameter that the slow suite tries at least
FEW = 3  # values of each parameter in the fast suite; all of them in the slow one
ALL_CALLS = list(calls())
SLOW_COMMANDS = {"demo", "run"}


class TooLong(BaseException):
    """A call went on for too long; no handler of errors may take it for one."""


@contextlib.contextmanager
def hang_guard(seconds: int) -> Iterator[None]:
    """End the block by an exception after a while, where the system has alarms."""
    if not hasattr(signal, "SIGALRM"):
        yield
        return

    def late(number: int, frame: FrameType | None) -> None:
        raise TooLong

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(seconds)
    try:
        yield
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


@pytest.fixture(scope="module")
def room(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("room")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        furnish(folder)
    return folder


@pytest.fixture(autouse=True)
def quiet(room: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.chdir(room)
    with warnings.catch_warnings(), own_objectives():
        warnings.simplefilter("ignore")
        yield


def standing(folder: Path) -> dict[str, tuple[int, int]]:
    """All files of a folder, with size and time, to see whether something was written."""
    return {str(one): (one.lstat().st_size, one.lstat().st_mtime_ns) for one in sorted(folder.rglob("*"))}


def wrongs(call: Callable[[], object], room: Path, seconds: int = SECONDS) -> str | None:
    """What is wrong with how a call ends; None where nothing is."""
    before = standing(room)
    try:
        with hang_guard(seconds):
            made = call()
            if inspect.isgenerator(made):
                next(made)
                made.close()
    except LucidtorchError as error:
        first, *others = str(error).split("\n")
        if len(first) >= LONGEST or len(others) >= MOST_LINES:
            return f"says {len(first)} letters in {1 + len(others)} lines: {first[:80]}"
        return "left files" if standing(room) != before else None
    except (Exception, TooLong) as error:  # noqa: BLE001  # whatever it is, it is told
        users = isinstance(error, Hostile.Own) or hasattr(error, "__notes__")  # of what the user gave: it passes
        return None if users else f"raises {type(error).__name__}: {str(error)[:80]!r}"
    return None


def refuse(found: dict[str, str | None]) -> None:
    bad = [f"{name}: {what}" for name, what in found.items() if what is not None]
    if bad:
        pytest.fail("\n".join(bad), pytrace=False)


def fuzz(call: Call, room: Path, names: list[str]) -> None:
    found = {}
    for parameter in call.parameters():
        for name in names:
            change = {parameter.name: VALUES[name]()}
            seconds = STARTING if parameter.name == "workers" else SECONDS
            found[f"{parameter.name} = {name}"] = wrongs(lambda change=change: call(change), room, seconds)
    refuse(found)


def test_every_public_name_has_a_valid_call() -> None:
    known = {name for name, _ in public()}
    assert known == CALLS.keys() | NO_CALL
    assert set(KNOWN) == COMMANDS.keys()


def test_at_least_twenty_values_stand_in_the_place_of_each_argument() -> None:
    assert len(PLAIN | MADE) == len(VALUES) >= 20
    assert len(WORDS) >= 20


@pytest.mark.parametrize("call", ALL_CALLS, ids=lambda call: call.name)
def test_some_values_are_refused_in_words(call: Call, room: Path) -> None:
    if call.name.startswith("recipes."):
        pytest.skip("runs whole recipes; the slow test does")
    fuzz(call, room, random.Random(call.name).sample(sorted(VALUES), FEW))


@pytest.mark.slow
@pytest.mark.parametrize("call", ALL_CALLS, ids=lambda call: call.name)
def test_all_values_are_refused_in_words(call: Call, room: Path) -> None:
    names = list(VALUES)  # a recipe has many fields, and a value that fits makes a whole run
    fuzz(call, room, random.Random(call.name).sample(names, ENOUGH) if call.name.startswith("recipes.") else names)


def options_of(name: str) -> list[click.Parameter]:
    command = application.get_command(click.Context(application), name)
    assert command is not None
    return [one for one in command.params if not getattr(one, "is_eager", False)]


def worded(name: str, option: click.Parameter, word: str) -> list[str]:
    """The words of a valid command with one more option, or with another argument."""
    words = [name, *COMMANDS[name]]
    if isinstance(option, click.Argument):
        arguments = [one for one in options_of(name) if isinstance(one, click.Argument)]
        place = 1 + arguments.index(option)
        return [*words[:place], word, *words[place + 1 :]]
    if getattr(option, "is_flag", False):
        return [*words, option.opts[0]]
    return [*words, option.opts[0], word]


def tell(words: list[str], room: Path) -> str | None:
    """What is wrong with how a command ends."""
    before, said, out = standing(room), io.StringIO(), io.TextIOWrapper(io.BytesIO(), encoding="utf-8")
    seconds = STARTING if "--workers" in words else SECONDS
    try:
        with hang_guard(seconds), contextlib.redirect_stderr(said), contextlib.redirect_stdout(out):
            code = run(words)
    except (Exception, TooLong) as error:  # noqa: BLE001  # whatever it is, it is told
        return f"raises {type(error).__name__}"
    if code not in (0, 1, 2):
        return f"ends with {code}"
    if "Traceback" in said.getvalue():
        return "prints a traceback"
    return "left files" if code == 2 and standing(room) != before else None


def fuzz_command(name: str, room: Path, monkeypatch: pytest.MonkeyPatch, values: list[str]) -> None:
    monkeypatch.setattr("sys.stdin", io.StringIO())
    if name == "demo":
        small: dict[str, Any] = {"STEPS": 1, "DRAWINGS": 4, "PIXELS": 16, "default_workers": lambda network: 1}
        for constant, value in small.items():
            monkeypatch.setattr(f"lucidtorch.cli.commands.demo_command.{constant}", value)
    found = {}
    for option in options_of(name):
        for value in values:
            found[f"{option.name} {value}"] = tell(worded(name, option, WORDS[value]), room)
    refuse(found)


@pytest.mark.parametrize("name", sorted(set(COMMANDS) - SLOW_COMMANDS))
def test_some_words_are_refused(name: str, room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fuzz_command(name, room, monkeypatch, random.Random(name).sample(sorted(WORDS), FEW))


@pytest.mark.slow
@pytest.mark.parametrize("name", sorted(COMMANDS))
def test_all_words_are_refused(name: str, room: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    fuzz_command(name, room, monkeypatch, list(WORDS))
