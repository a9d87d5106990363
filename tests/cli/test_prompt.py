"""The prompt on a terminal: lines, history, the toolbar, Ctrl-C and Ctrl-D."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from prompt_toolkit.application import create_app_session
from prompt_toolkit.completion import CompleteEvent, Completion
from prompt_toolkit.document import Document
from prompt_toolkit.history import InMemoryHistory
from prompt_toolkit.input import PipeInput, create_pipe_input
from prompt_toolkit.output import DummyOutput

import lucidtorch as lt
from lucidtorch.cli.loading import Loading, Workbench
from lucidtorch.cli.main import application
from lucidtorch.cli.shell.completion import ShellCompleter
from lucidtorch.cli.shell.prompt import converse, history_file, open_history, toolbar
from lucidtorch.cli.shell.shell import Shell
from lucidtorch.rendering.loop import Loop, Step

CTRL_C, CTRL_D, UP, ENTER = "\x03", "\x04", "\x1b[A", "\r"


@pytest.fixture
def shell(demo: lt.Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Shell:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state"))
    return Shell(application, Workbench(Loading("demo", device="cpu"), demo, {"steps": "1", "size": "24"}))


@pytest.fixture
def keys() -> Iterator[PipeInput]:
    """What is typed on a terminal that nobody sees."""
    with create_pipe_input() as typed, create_app_session(input=typed, output=DummyOutput()):
        yield typed


def test_lines_are_done_until_ctrl_d(shell: Shell, keys: PipeInput, tmp_path: Path) -> None:
    keys.send_text(f"conv1_1:0 -o x.png -q{ENTER}set steps 2{ENTER}{CTRL_D}")
    converse(shell)
    assert (tmp_path / "x.png").is_file()
    assert shell.bench.settings["steps"] == "2"
    assert not shell.bench.ended


def test_exit_ends_it(shell: Shell, keys: PipeInput) -> None:
    keys.send_text(f"exit{ENTER}set steps 2{ENTER}")
    converse(shell)
    assert shell.bench.settings["steps"] == "1"


def test_bad_input_is_told_and_the_prompt_goes_on(
    shell: Shell, keys: PipeInput, capsys: pytest.CaptureFixture[str]
) -> None:
    keys.send_text(f"conv9:0{ENTER}nothing{ENTER}labels star{ENTER}{CTRL_D}")
    converse(shell)
    said = capsys.readouterr()
    assert said.out == "   27  star\n"
    assert len(said.err.splitlines()) == 2


def test_ctrl_c_at_the_prompt_gives_the_line_up(shell: Shell, keys: PipeInput) -> None:
    keys.send_text(f"set steps 9{CTRL_C}set size 32{ENTER}{CTRL_D}")
    converse(shell)
    assert shell.bench.settings == {"steps": "1", "size": "32"}


def test_ctrl_c_in_a_render_keeps_the_picture_and_the_prompt(
    shell: Shell, keys: PipeInput, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    steps: Callable[[Loop], Iterator[Step]] = Loop.run

    def run(self: Loop) -> Iterator[Step]:
        for step in steps(self):
            yield step
            if step.number == 2:
                raise KeyboardInterrupt

    monkeypatch.setattr(Loop, "run", run)
    keys.send_text(f"conv1_1:0 --steps 5 -o x.png{ENTER}labels star{ENTER}{CTRL_D}")
    converse(shell)
    assert lt.recipes.read_recipe(tmp_path / "x.png").steps == 2
    said = capsys.readouterr()
    assert said.out == "wrote x.png\n   27  star\n"
    assert said.err == "lucidtorch: interrupted; the picture as it was then is in x.png\n"


def test_history_is_kept_for_the_next_shell(shell: Shell, keys: PipeInput, tmp_path: Path) -> None:
    keys.send_text(f"set steps 7{ENTER}{CTRL_D}")
    converse(shell)
    file = tmp_path / "state" / "lucidtorch" / "history"
    assert "set steps 7" in file.read_text()
    assert file.stat().st_mode & 0o077 == 0
    shell.bench.settings["steps"] = "1"
    keys.send_text(f"{UP}{ENTER}{CTRL_D}")
    converse(shell)
    assert shell.bench.settings["steps"] == "7"


def test_the_history_stands_in_the_folder_for_state(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path))
    assert history_file() == tmp_path / "lucidtorch" / "history"
    monkeypatch.setenv("XDG_STATE_HOME", "relative")  # which the standard says to ignore
    monkeypatch.setenv("HOME", str(tmp_path))
    assert history_file() == tmp_path / ".local" / "state" / "lucidtorch" / "history"


def test_a_history_that_cannot_be_written_is_forgotten(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    for path in (tmp_path / "file" / "history", tmp_path):
        assert isinstance(open_history(path), InMemoryHistory)


def test_a_history_that_goes_away_is_no_failure(tmp_path: Path) -> None:
    folder = tmp_path / "state"
    history = open_history(folder / "history")
    (folder / "history").unlink()
    folder.rmdir()
    folder.write_bytes(b"")
    history.append_string("labels")
    assert list(history.load_history_strings()) == []


def test_the_toolbar_shows_the_network_and_the_settings(shell: Shell) -> None:
    assert toolbar(shell) == " demo on cpu  input 3x96x96  steps 1  size 24"
    shell.bench.settings.clear()
    assert toolbar(shell).endswith("  default settings")


def test_what_is_typed_is_completed(shell: Shell, keys: PipeInput, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = threading.Event()

    def offer(self: ShellCompleter, document: Document, event: CompleteEvent) -> Iterator[Completion]:
        if document.text == "uns":
            asked.set()
        yield from ()

    def leave() -> None:
        asked.wait(60)
        keys.send_text(f"{CTRL_C}{CTRL_D}")

    monkeypatch.setattr(ShellCompleter, "get_completions", offer)
    keys.send_text("uns")
    leaving = threading.Thread(target=leave)
    leaving.start()
    converse(shell)
    leaving.join()
    assert asked.is_set()
