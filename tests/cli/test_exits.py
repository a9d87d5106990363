"""How commands end: 0 done, 1 failed, 2 bad input, 130 interrupted with what there is kept."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, RenderError
from lucidtorch.cli.console import Voice
from lucidtorch.rendering.loop import Loop, Step

RENDER = "render demo conv2_1:3 --weights random --device cpu --size 24 --steps 4 -o x.png"
GALLERY = "gallery demo --layers conv1_1 --units 0-4 --batch 2 --weights random --device cpu --size 24 --workers 1"
Cli = Callable[..., Any]


def stopping(at: int, error: BaseException) -> Callable[[Loop], Iterator[Step]]:
    """A loop that raises after so many updates."""
    steps = Loop.run

    def run(self: Loop) -> Iterator[Step]:
        for step in steps(self):
            yield step
            if step.number == at:
                raise error

    return run


@pytest.mark.parametrize(
    ("error", "code"),
    [
        (RenderError("Layer 'a' gives a tuple."), 1),
        (RuntimeError("shapes cannot be multiplied"), 1),
        (torch.cuda.OutOfMemoryError("CUDA out of memory"), 1),
        (MemoryError("no memory"), 1),
        (OSError(28, "No space left on device"), 1),
        (BadInputError("That was wrong."), 2),
    ],
    ids=lambda value: type(value).__name__,
)
def test_a_failure_is_told_in_a_line(
    error: Exception, code: int, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(Loop, "run", stopping(1, error))
    found = cli(*shlex.split(RENDER))
    assert (found.code, found.out) == (code, "")
    assert str(error) in found.err
    assert len([line for line in found.err.splitlines() if line.startswith("lucidtorch: ")]) == 1
    assert "Traceback" not in found.err
    assert not (tmp_path / "x.png").exists()


def test_a_failure_takes_the_bar_away(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    closed: list[Voice] = []
    monkeypatch.setattr(Loop, "run", stopping(1, RenderError("Layer 'a' gives a tuple.")))
    monkeypatch.setattr(Voice, "close", lambda self: closed.append(self))
    assert cli(*shlex.split(RENDER)).code == 1
    assert len(closed) == 1


@pytest.mark.parametrize("line", [RENDER, "rerun good.png -o x.png"])
def test_an_interrupted_picture_is_kept(line: str, cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    cli(*shlex.split(RENDER.replace("x.png", "good.png")))
    monkeypatch.setattr(Loop, "run", stopping(2, KeyboardInterrupt()))
    found = cli(*shlex.split(line))
    assert found.code == 130
    assert found.out == "wrote x.png\n"
    assert found.err == "lucidtorch: interrupted; the picture as it was then is in x.png\n"
    with Image.open(tmp_path / "x.png") as image:
        assert image.size == (24, 24)
    assert (tmp_path / "x.png").read_bytes() != (tmp_path / "good.png").read_bytes()


def test_an_interrupted_gallery_keeps_what_is_finished_and_goes_on(
    cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    line = f"{GALLERY} --steps 3"
    with monkeypatch.context() as patch:
        batches = 0
        steps = Loop.run

        def run(self: Loop) -> Iterator[Step]:
            nonlocal batches
            batches += 1
            if batches == 2:
                raise KeyboardInterrupt
            yield from steps(self)

        patch.setattr(Loop, "run", run)
        found = cli(*shlex.split(f"{line} -o pages"))
    assert found.code == 130
    assert found.out == "wrote pages/index.html (2 pictures)\n"
    assert found.err.splitlines()[-1].startswith("lucidtorch: interrupted; what was finished is in pages/index.html")
    assert cli(*shlex.split(f"{line} -o pages")).code == 0
    assert cli(*shlex.split(f"{line} -o whole")).code == 0
    files = [path.relative_to(tmp_path / "whole") for path in (tmp_path / "whole").rglob("*") if path.is_file()]
    for file in files:
        assert (tmp_path / "pages" / file).read_bytes() == (tmp_path / "whole" / file).read_bytes()


def test_an_interrupt_before_the_first_step(cli: Cli, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    def load(*words: object, **more: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("lucidtorch.cli.loading.load_model", load)
    found = cli(*shlex.split(RENDER))
    assert (found.code, found.out) == (130, "")
    assert found.err.strip() == "lucidtorch: interrupted"
    assert not (tmp_path / "x.png").exists()


def command(*words: str) -> list[str]:
    return [sys.executable, "-m", "lucidtorch", *words]


def test_a_reader_that_has_gone_is_no_failure() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    process = subprocess.Popen(command("layers", "demo", "--weights", "random"), stdout=writing, stderr=subprocess.PIPE)
    os.close(writing)
    _, said = process.communicate(timeout=120)
    assert (process.returncode, said.decode()) == (0, "")


@pytest.mark.slow
def test_progress_is_on_the_other_stream_and_results_are_not(tmp_path: Path) -> None:
    done = subprocess.run(command(*shlex.split(RENDER)), cwd=tmp_path, capture_output=True, text=True, timeout=120)
    assert (done.returncode, done.stdout) == (0, "wrote x.png\n")
    lines = done.stderr.splitlines()
    assert lines[-1] == "step of demo: 4 of 4"
    assert all(line.startswith("step of demo: ") for line in lines)  # a slow machine says more than the last


@pytest.mark.slow
def test_ctrl_c_keeps_the_picture(tmp_path: Path) -> None:
    line = RENDER.replace("--steps 4", "--steps 1000000")
    process = subprocess.Popen(
        command(*shlex.split(line)), cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stderr is not None
    assert process.stderr.readline().startswith("step of demo: ")  # it is under way
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert (process.returncode, out) == (130, "wrote x.png\n")
    assert err.splitlines()[-1] == "lucidtorch: interrupted; the picture as it was then is in x.png"
    assert "Traceback" not in err
    made = lt.recipes.read_recipe(tmp_path / "x.png").steps
    assert 0 < made < 1_000_000
    assert not list(tmp_path.glob(".*"))


@pytest.mark.slow
def test_ctrl_c_keeps_the_pages(tmp_path: Path) -> None:
    words = command(*shlex.split(f"{GALLERY} --steps 2000 -o pages"))
    process = subprocess.Popen(words, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
    end = time.monotonic() + 120
    while not list(tmp_path.glob("pages/batches/*.json")) and time.monotonic() < end:
        time.sleep(0.05)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    assert process.returncode == 130
    assert out.startswith("wrote pages/index.html (")
    assert "Traceback" not in err
    assert (tmp_path / "pages" / "index.html").is_file()
