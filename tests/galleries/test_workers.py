"""Several processes, killed ones and interrupted ones make the bytes that one unbroken process makes."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from concurrent.futures import Future, ProcessPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from gallery_runs import LARGE, LARGE_BATCHES, Killed, Steps, contents, count_of, made, recorded, stopping

from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.galleries import work as work_module
from lucidtorch.galleries.folder import GALLERY_RECORD
from lucidtorch.models.model import Model


def spoken(model: Model) -> str:
    """A program's line that loads the same network."""
    assert model.source is not None
    return f"lt.load_model({model.source.spec!r}, weights={model.source.weights!r}, device='cpu')"


def program(model: Model, folder: Path, settings: dict[str, Any], workers: int) -> list[str]:
    lines = (
        "import lucidtorch as lt, sys, warnings",
        "warnings.filterwarnings('ignore', '.* workers of .* share')",  # on a machine of one core
        "if __name__ == '__main__':",
        f"    found = lt.gallery({spoken(model)}, {str(folder)!r}, param='image(24)', workers={workers}, **{settings})",
        "    sys.exit(130 if found.interrupted else 0)",
    )
    path = folder.with_suffix(".py")
    path.write_text("\n".join(lines))
    return [sys.executable, str(path)]


def wait_for(condition: Callable[[], bool], process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + 120
    while not condition() and process.poll() is None and time.monotonic() < end:
        time.sleep(0.01)


def workers_of(threads: int, workers: int, demo: Model, folder: Path) -> None:
    """Ask for workers, and give up as soon as they would start."""

    def refuse(*_: object, **__: object) -> None:
        raise Killed

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(work_module, "side_by_side", refuse)
        with pytest.raises(Killed):
            made(demo, folder, LARGE, workers=workers, threads=threads)


@pytest.mark.parametrize(("workers", "threads", "better"), [(2, 4, 1), (5, 1, 4), (3, 2, 2)])
def test_more_threads_than_cores_are_warned_of(
    demo: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int, threads: int, better: int
) -> None:
    monkeypatch.setattr(work_module, "cores", lambda: 4)
    with pytest.warns(LucidtorchWarning, match=rf"{workers} workers of {threads} .*share 4 cores.*workers={better}\."):
        workers_of(threads, workers, demo, tmp_path)


@pytest.mark.parametrize(("workers", "threads"), [(4, 1), (2, 2)])
def test_as_many_threads_as_cores_are_fine(
    demo: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int, threads: int
) -> None:
    monkeypatch.setattr(work_module, "cores", lambda: 4)
    workers_of(threads, workers, demo, tmp_path)


@pytest.mark.slow
def test_two_workers_make_the_same_bytes(
    demo: Model, unbroken_large: dict[str, bytes], tmp_path: Path, steps: Steps
) -> None:
    program_of_two = program(demo, tmp_path / "two", LARGE, workers=2)
    subprocess.run(program_of_two, check=True, timeout=300)
    assert contents(tmp_path / "two") == unbroken_large
    with pytest.raises(Killed):
        made(demo, tmp_path / "mixed", LARGE, report=stopping(5, Killed()))
    before = steps.count
    subprocess.run(program(demo, tmp_path / "mixed", LARGE, workers=2), check=True, timeout=300)
    assert contents(tmp_path / "mixed") == unbroken_large
    made(demo, tmp_path / "two", LARGE)
    assert steps.count == before


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_killed_at_random_moments_it_ends_with_the_same_bytes(
    demo: Model, unbroken_large: dict[str, bytes], tmp_path: Path, workers: int
) -> None:
    folder = tmp_path / "killed"
    for least in (1, 5, 11):
        moment = random.SystemRandom().uniform(0, 0.2)
        process = subprocess.Popen(program(demo, folder, LARGE, workers), start_new_session=True)
        wait_for(lambda least=least: count_of(folder) >= least, process)  # type: ignore[misc]
        time.sleep(moment)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        assert contents(folder).items() <= unbroken_large.items(), (least, moment)
    made(demo, folder, LARGE)
    assert contents(folder) == unbroken_large


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_ctrl_c_ends_a_gallery_with_what_there_is(demo: Model, tmp_path: Path, workers: int) -> None:
    """As a terminal does it: the whole group of processes gets the signal."""
    folder = tmp_path / "interrupted"
    settings = LARGE | {"steps": 30}
    command = program(demo, folder, settings, workers)
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE)
    wait_for(lambda: count_of(folder) >= 2, process)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert (process.returncode, said.decode()) == (130, "")
    shown = json.loads((folder / "data.json").read_text())["layers"]
    files = {picture["file"] for layer in shown for unit in layer["units"] for picture in unit["pictures"]}
    assert files == recorded(folder)
    assert len(files) >= 2
    assert (folder / "index.html").is_file()
    subprocess.run(command, check=True, timeout=300)
    made(demo, tmp_path / "whole", settings)
    assert contents(folder) == contents(tmp_path / "whole")


@pytest.mark.slow
@pytest.mark.parametrize("seconds", [0.0, 1.0])
def test_ctrl_c_while_the_workers_start(demo: Model, tmp_path: Path, seconds: float) -> None:
    folder = tmp_path / "interrupted"
    process = subprocess.Popen(program(demo, folder, LARGE, workers=2), start_new_session=True, stderr=subprocess.PIPE)
    wait_for((folder / GALLERY_RECORD).is_file, process)  # before that, an interrupt ends it with nothing to keep
    time.sleep(seconds)
    os.killpg(process.pid, signal.SIGINT)
    _, said = process.communicate(timeout=120)
    assert (process.returncode, said.decode()) == (130, "")
    assert (folder / "index.html").is_file()


@pytest.mark.slow
def test_an_interrupt_while_the_batches_are_handed_out(
    demo: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    submit = ProcessPoolExecutor.submit

    def interrupted(self: ProcessPoolExecutor, *work: Any) -> Future[Any]:
        signal.raise_signal(signal.SIGINT)
        return submit(self, *work)

    monkeypatch.setattr(ProcessPoolExecutor, "submit", interrupted)
    found = made(demo, tmp_path, LARGE, steps=200, workers=2)
    assert found.interrupted
    assert count_of(tmp_path) < LARGE_BATCHES
