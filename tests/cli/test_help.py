"""Help answers at once and names what every command shares."""

from __future__ import annotations

import importlib
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest

import lucidtorch
from lucidtorch.cli.main import COMMANDS

HEAVY = {"torch", "torchvision", "numpy", "kornia", "sklearn", "PIL", "pydantic", "jinja2", "prompt_toolkit"}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_has_help_quiet_and_seed(name: str, cli: Callable[..., Any]) -> None:
    for flag in ("--help", "-h"):
        found = cli(name, flag)
        assert (found.code, found.err) == (0, "")
        assert found.out.startswith(f"Usage: lucidtorch {name}")
        for option in ("--help", "--quiet", "--seed"):
            assert option in found.out


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_of_a_command_what_it_says_of_itself(name: str) -> None:
    command = importlib.import_module(f"lucidtorch.cli.commands.{name}_command").command
    assert isinstance(command, click.Command)
    assert (command.name, command.short_help) == (name, COMMANDS[name])


def test_the_help_lists_every_command_that_there_is(cli: Callable[..., Any]) -> None:
    found = cli("--help")
    folder = Path(lucidtorch.__file__).parent / "cli" / "commands"
    modules = {path.stem.removesuffix("_command") for path in folder.glob("*_command.py")}
    assert modules == set(COMMANDS)
    assert (found.code, found.err) == (0, "")
    for name, line in COMMANDS.items():
        assert f"  {name} " in found.out
        assert line in found.out


def test_the_version(cli: Callable[..., Any]) -> None:
    found = cli("--version")
    assert (found.code, found.out, found.err) == (0, f"lucidtorch, version {lucidtorch.__version__}\n", "")


def python(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)


@pytest.mark.parametrize("words", [["--help"], ["--version"], ["nothing"]], ids=str)
def test_help_does_not_wait_for_torch(words: list[str]) -> None:
    code = f"import sys; from lucidtorch.cli.main import run; run({words!r}); print(*sys.modules)"
    loaded = {name.split(".")[0] for name in python(code).stdout.splitlines()[-1].split()}
    assert not loaded & HEAVY


def test_python_m_is_the_command() -> None:
    done = subprocess.run([sys.executable, "-m", "lucidtorch", "--version"], capture_output=True, text=True, check=True)
    assert done.stdout == f"lucidtorch, version {lucidtorch.__version__}\n"


@pytest.mark.slow
def test_the_installed_command_is_the_same() -> None:
    script = Path(sys.executable).with_name("lucidtorch")
    if not script.is_file():
        pytest.skip("lucidtorch is not installed beside this Python")
    done = subprocess.run([script, "layers", "nothing"], capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith("lucidtorch: There is no network 'nothing'.")
    assert len(done.stderr.splitlines()) == 1
