"""`python -m training`: what it makes, what it refuses before any step, and that it is no part of the wheel."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import lucidtorch as lt
from lucidtorch.cli.main import COMMANDS
from training import loop
from training.__main__ import run

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture(autouse=True)
def in_an_empty_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def test_it_writes_weights_that_can_be_used(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["digits", "--steps", "2", "--seed", "1", "-o", "net.safetensors"]) == 0
    assert capsys.readouterr().out.startswith("wrote net.safetensors (right on held-out images: digit ")
    model = lt.load_model("digits", weights="net.safetensors", device="cpu")
    assert lt.render(model, "logit(3)", steps=1).images.shape == (1, 1, 32, 32)
    assert "python -m training digits --steps 2 --seed 1" in Path("net.md").read_text()


def test_quiet_says_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["digits", "--steps", "1", "--quiet"]) == 0
    said = capsys.readouterr()
    assert (said.out, said.err) == ("", "")
    assert Path("digits.safetensors").is_file()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("nothing", "'nothing'.*Did you mean"),
        ("digits --steps 0", "steps.*0"),
        ("digits --seed -1", "seed.*0"),
        ("digits -o file/x.safetensors", "Cannot write into"),
        ("digits --step", "No such option|requires an argument"),
        ("", "Missing argument 'NAME'"),
    ],
)
def test_bad_input_is_refused_before_any_step(
    words: str, message: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(loop, "_step", lambda *_: pytest.fail("a step was made"))
    Path("file").write_text("no folder")
    assert run(shlex.split(words)) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert re.search(message, said.err, re.DOTALL), said.err


def test_ctrl_c_ends_it_with_130_and_no_file(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupted(*_: object) -> float:
        raise KeyboardInterrupt

    monkeypatch.setattr(loop, "_step", interrupted)
    assert run(["digits"]) == 130
    assert list(Path().iterdir()) == []


def test_it_runs_from_the_root_of_the_repository() -> None:
    done = subprocess.run([sys.executable, "-m", "training", "--help"], cwd=ROOT, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "Usage: python -m training" in done.stdout


def test_the_sdist_holds_it_and_the_wheel_does_not() -> None:
    targets = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["hatch"]["build"]["targets"]
    assert "training" in targets["sdist"]["include"]
    assert targets["wheel"]["packages"] == ["lucidtorch"]
    assert "train" not in COMMANDS
    texts = {path: path.read_text(encoding="utf-8") for path in (ROOT / "lucidtorch").rglob("*.py")}
    assert not [path for path, text in texts.items() if re.search(r"^\s*(from|import) training\b", text, re.MULTILINE)]
