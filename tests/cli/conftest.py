"""What tests of the command line share: a call of it inside this process."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from lucidtorch.cli.main import run
from lucidtorch.rendering.loop import Loop


@dataclass(frozen=True)
class Outcome:
    """How a command ended and what it said."""

    code: int
    out: str
    err: str


@pytest.fixture
def cli(capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Outcome]:
    """Runs a command in an empty folder, with warnings as a user gets them."""
    monkeypatch.chdir(tmp_path)

    def call(*words: str) -> Outcome:
        capsys.readouterr()
        with warnings.catch_warnings():
            warnings.simplefilter("default")
            code = run(words)
        said = capsys.readouterr()
        return Outcome(code, said.out, said.err)

    return call


@pytest.fixture
def no_steps(monkeypatch: pytest.MonkeyPatch) -> None:
    """No step of any render may be made."""

    def steps(self: Loop) -> None:
        raise AssertionError("a step was made")

    monkeypatch.setattr(Loop, "run", steps)
