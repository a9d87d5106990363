"""Killed at any moment and started again: the same bytes, no litter, and no process left."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals and process groups are those of POSIX")

KILLS = 20
SECONDS = 5.0  # after which no process may be left
PATIENCE = 300.0  # until a command that hangs is given up
TALKATIVE = "import sys; from lucidtorch.cli import console, main; console.PLAIN_SECONDS = 0; sys.exit(main.run())"
PROGRESS = re.compile(r": (\d+) of (\d+)$")
RECIPE = "recipe: layer_sheet\nmodel: demo\nlayers: [conv1_1, conv2_1]\nunits: 0-10\nsize: 24\nsteps: 24\nbatch: 2\n"
COMMANDS = {
    "render": "render demo conv2_1:3 --size 32 --steps 300 -o out/x.png",
    "gallery": "gallery demo --layers conv1_1,conv2_1 --units 0-10 --batch 2 --size 24 --steps 24 -o out --workers {}",
    "run": "run sheet.yaml -o out --workers {}",
    "scan": "scan demo drawings.npy --layers conv1_1,conv2_1 --size 32 --batch 64 -o out",
}


def start(command: str, folder: Path, workers: int) -> subprocess.Popen[str]:
    words = [sys.executable, "-c", TALKATIVE, *shlex.split(command.format(workers))]
    return subprocess.Popen(
        words, cwd=folder, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True, start_new_session=True
    )


def finished(command: str, folder: Path, workers: int = 1) -> None:
    process = start(command, folder, workers)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 0, said


def shares(process: subprocess.Popen[str]) -> Iterator[float]:
    """How much of the work is done, as the command says it."""
    assert process.stderr is not None
    for line in process.stderr:
        found = PROGRESS.search(line)
        if found:
            yield int(found[1]) / int(found[2])


def killed(command: str, folder: Path, workers: int, at: float, number: signal.Signals, delay: float) -> float:
    """Kill the first process when so much of the work is done; how much that was, 1 where it ended before."""
    process = start(command, folder, workers)
    share = next((share for share in shares(process) if share >= at), 1.0)
    time.sleep(delay)
    process.send_signal(number)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode in (0, -number, 130), said
    if number != signal.SIGKILL:  # a worker that is killed while it is born complains of its parent
        assert "Traceback" not in said
    assert left(process.pid) == []
    return share


def left(group: int) -> list[str]:
    """The processes of a group that are still there after a while; they are ended then."""
    end = time.monotonic() + SECONDS
    while (found := members(group)) and time.monotonic() < end:
        time.sleep(0.02)
    if found:
        os.killpg(group, signal.SIGKILL)
    return found


def members(group: int) -> list[str]:
    if not Path("/proc/self/stat").exists():
        try:
            os.killpg(group, 0)
        except (ProcessLookupError, PermissionError):
            return []
        return ["somebody"]
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (entry / "stat").read_text().rpartition(")")
        except OSError:
            continue
        state, _, own = rest.split()[:3]
        if int(own) == group and state not in "ZX":
            found.append(name)
    return found


def contents(folder: Path) -> dict[str, bytes]:
    """Every file, hidden ones included; what says when and where it was made counts by its name."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file())
    return {
        path.relative_to(folder).as_posix(): b"" if path.name == "provenance.json" else path.read_bytes()
        for path in files
    }


@pytest.fixture(scope="session")
def unbroken(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, bytes]]:
    """What each command makes when nothing happens to it; made when it is first asked for."""

    class Unbroken(dict[str, dict[str, bytes]]):
        def __missing__(self, kind: str) -> dict[str, bytes]:
            folder = prepared(tmp_path_factory.mktemp(kind))
            finished(COMMANDS[kind], folder)
            self[kind] = contents(folder)
            return self[kind]

    return Unbroken()


def prepared(folder: Path) -> Path:
    """What the commands need: a recipe, and images that are the same in every folder."""
    (folder / "sheet.yaml").write_text(RECIPE)
    np.save(folder / "drawings.npy", np.random.default_rng(0).integers(0, 255, (4096, 3, 32, 32), dtype=np.uint8))
    return folder


@pytest.mark.slow
@pytest.mark.parametrize("kind", COMMANDS)
def test_twenty_kills(kind: str, tmp_path: Path, unbroken: dict[str, dict[str, bytes]]) -> None:
    """By both signals in turn, with one worker and with two; about two minutes for each command on two cores.

    A picture is begun anew each time; what goes on where it was stopped is killed farther along each time.
    """
    folder = prepared(tmp_path)
    seen = []
    for kill in range(KILLS):
        number = signal.SIGKILL if kill % 4 < 2 else signal.SIGTERM
        at = (kill + 1.0) / (KILLS + 1.5)
        seen.append(killed(COMMANDS[kind], folder, 1 + kill % 2, at, number, delay=0.015 * (kill % 5)))
    assert sum(0.05 <= share <= 0.95 for share in seen) >= 15, seen
    finished(COMMANDS[kind], folder)
    assert contents(folder) == unbroken[kind]


@pytest.mark.parametrize(("kind", "number"), [("gallery", signal.SIGKILL), ("run", signal.SIGTERM)])
def test_one_kill_with_two_workers(
    kind: str, number: signal.Signals, tmp_path: Path, unbroken: dict[str, dict[str, bytes]]
) -> None:
    folder = prepared(tmp_path)
    assert killed(COMMANDS[kind], folder, 2, 0.3, number, delay=0.03) < 1
    finished(COMMANDS[kind], folder)
    assert contents(folder) == unbroken[kind]


@pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="nobody can say here which processes there are")
@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM], ids=["kill", "term"])
def test_workers_that_are_still_loading_end_too(number: signal.Signals, tmp_path: Path) -> None:
    folder = prepared(tmp_path)
    process = start(COMMANDS["gallery"], folder, 2)
    end = time.monotonic() + PATIENCE
    while len(members(process.pid)) < 4 and process.poll() is None and time.monotonic() < end:
        time.sleep(0.005)  # the first process, two workers, and the one that tracks what they share
    process.send_signal(number)
    process.communicate(timeout=PATIENCE)
    assert process.returncode in (-number, 130)
    assert left(process.pid) == []


def test_termination_keeps_the_picture_as_it_was(tmp_path: Path) -> None:
    folder = prepared(tmp_path)
    process = start(COMMANDS["render"].replace("300", "1000000"), folder, 1)
    assert next(shares(process)) > 0
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "lucidtorch: interrupted; the picture as it was then is in out/x.png"
    assert [path.name for path in (folder / "out").iterdir()] == ["x.png"]


def test_a_scan_says_how_it_goes_on_before_its_first_chunk(tmp_path: Path) -> None:
    folder = prepared(tmp_path)
    process = start(COMMANDS["scan"], folder, 1)
    assert next(shares(process)) <= 0.1
    process.send_signal(signal.SIGTERM)
    _, said = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130
    assert said.splitlines()[-1].endswith("what was finished is in out, and the same command goes on from there")
