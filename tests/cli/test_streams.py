"""Streams that are closed, readers that have gone, systems without POSIX names: none of it is a failure of the work."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from lucidtorch.cli import exits

RENDER = "render demo conv2_1:3 --weights random --device cpu --size 24 --steps 20 -o x.png"
TALKATIVE = "import sys; from lucidtorch.cli import console, main; console.PLAIN_SECONDS = 0; sys.exit(main.run())"
WITHOUT_POSIX = """
import os, signal, sys
for name in ("pthread_sigmask", "SIG_BLOCK", "SIG_SETMASK", "SIGHUP", "SIGKILL", "SIGALRM", "sigwait", "siginterrupt"):
    if name in vars(signal):
        delattr(signal, name)
for name in ("umask", "fork", "geteuid", "getuid", "sched_getaffinity", "killpg", "setsid"):
    delattr(os, name)
sys.modules["fcntl"] = sys.modules["resource"] = sys.modules["pwd"] = None
from lucidtorch.cli.main import run
if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
"""


def talkative(line: str) -> list[str]:
    return [sys.executable, "-c", TALKATIVE, *shlex.split(line)]


@pytest.mark.skipif(os.name != "posix", reason="a shell closes the streams")
@pytest.mark.parametrize("closed", [">&-", "2>&-", ">&- 2>&- <&-"])
def test_closed_streams_are_no_failure(closed: str, tmp_path: Path) -> None:
    line = f"{shlex.join(talkative(RENDER))} {closed}"
    done = subprocess.run(line, shell=True, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]
    assert (tmp_path / "x.png").read_bytes()[:4] == b"\x89PNG"


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_a_reader_that_goes_during_the_work_is_no_failure(stream: str, tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.close(reading)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE} | {stream: writing}
    process = subprocess.Popen(talkative(RENDER), cwd=tmp_path, text=True, **pipes)
    os.close(writing)
    _, said = process.communicate(timeout=300)
    assert process.returncode == 0
    assert "Traceback" not in (said or "")
    assert "Exception" not in (said or "")
    assert [path.name for path in tmp_path.iterdir()] == ["x.png"]


def test_nothing_needs_names_of_posix(tmp_path: Path) -> None:
    (tmp_path / "program.py").write_text(WITHOUT_POSIX)
    gallery = "gallery demo --layers conv1_1 --units 0-1 --batch 1 --size 24 --steps 2 --workers 2 -o pages"
    for line, made in ((RENDER, "x.png"), (gallery, "pages/index.html")):
        words = [sys.executable, "program.py", *shlex.split(line)]
        done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
        assert done.returncode == 0, done.stderr
        assert (tmp_path / made).is_file()


def test_termination_is_an_interrupt_and_the_handler_is_back_afterwards() -> None:
    before = signal.getsignal(signal.SIGTERM)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    try:
        with pytest.raises(KeyboardInterrupt), exits.termination_as_interrupt():
            signal.raise_signal(signal.SIGTERM)
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
        signal.signal(signal.SIGTERM, signal.SIG_IGN)
        with exits.termination_as_interrupt():
            assert signal.getsignal(signal.SIGTERM) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGTERM, before)


def test_another_thread_leaves_the_handler_alone() -> None:
    seen = []

    def look() -> None:
        with exits.termination_as_interrupt():
            seen.append(signal.getsignal(signal.SIGTERM))

    thread = threading.Thread(target=look)
    thread.start()
    thread.join()
    assert seen == [signal.getsignal(signal.SIGTERM)]
