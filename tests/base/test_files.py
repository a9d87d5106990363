"""Temporary files: gone the next time, and nobody else's; a full disk is no bad input."""

from __future__ import annotations

import errno
import os
import shlex
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from typing import Any

import pytest

from lucidtorch.base.errors import (
    BadInputError,
    LucidtorchError,
    WriteError,
)
from lucidtorch.base.files import (
    atomic_write_bytes,
    atomic_write_text,
    check_output_file,
    check_output_folder,
    temporary_folder,
)

KILLED = """
    import os, signal, sys
    from pathlib import Path
    from lucidtorch.base import files
    def die(self, target):
        os.kill(os.getpid(), signal.SIGKILL)
    Path.replace = die
    files.atomic_write_bytes(Path(sys.argv[1]), b"half")
"""
RENDER = "render demo conv2_1:3 --weights random --device cpu --size 24 --steps 2 -o x.png"


def killed_while_writing(path: Path) -> None:
    process = subprocess.run([sys.executable, "-c", textwrap.dedent(KILLED), str(path)], check=False, timeout=120)
    assert process.returncode < 0
    assert list(path.parent.glob(".*"))


def test_the_next_write_of_a_file_removes_what_a_killed_one_left(tmp_path: Path) -> None:
    path = tmp_path / "x.png"
    killed_while_writing(path)
    killed_while_writing(tmp_path / "other.png")
    atomic_write_bytes(path, b"whole")
    left = sorted(one.name for one in tmp_path.iterdir())
    assert left[-1] == "x.png"
    assert len(left) == 2
    assert left[0].startswith(".other.png.")


def test_what_looks_alike_and_is_not_ours_stays(tmp_path: Path) -> None:
    names = (".x.png.part", ".x.png.abcd1234.part", ".x.png.lucidtorch.part", "x.png.part", ".y.part")
    for name in names:
        (tmp_path / name).write_text("mine")
    atomic_write_bytes(tmp_path / "x.png", b"whole")
    assert {one.name for one in tmp_path.iterdir()} == {*names, "x.png"}


def test_two_processes_that_write_one_file_leave_each_other_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "x.png"
    program = "import sys; from pathlib import Path; from lucidtorch.base.files import atomic_write_bytes as write\n"
    program += "for number in range(200): write(Path(sys.argv[1]), b'whole' * 1000)"
    others = [subprocess.Popen([sys.executable, "-c", program, str(path)]) for _ in range(2)]
    for _ in range(200):
        atomic_write_bytes(path, b"whole" * 1000)
    assert [one.wait(timeout=120) for one in others] == [0, 0]
    assert [one.name for one in tmp_path.iterdir()] == ["x.png"]
    assert path.read_bytes() == b"whole" * 1000


def test_a_file_with_the_longest_name_is_written(tmp_path: Path) -> None:
    path = tmp_path / f"{'n' * 251}.png"
    killed_while_writing(path)
    atomic_write_bytes(path, b"whole")
    assert [one.name for one in tmp_path.iterdir()] == [path.name]


def test_the_scratch_folder_of_a_killed_movie_is_removed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import torch

    from lucidtorch.rendering.movie import encode_movie

    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    (tmp_path / "lucidtorch-notes").mkdir()
    program = """
        import os, signal, sys, tempfile, torch
        import imageio.v3
        from lucidtorch.rendering.movie import encode_movie
        tempfile.tempdir = sys.argv[1]
        imageio.v3.imwrite = lambda *_, **__: os.kill(os.getpid(), signal.SIGKILL)
        encode_movie([torch.zeros(3, 4, 4)], ".mp4")
    """
    subprocess.run([sys.executable, "-c", textwrap.dedent(program), str(tmp_path)], check=False, timeout=120)
    assert len(list(tmp_path.iterdir())) == 2
    assert encode_movie([torch.zeros(3, 4, 4)], ".mp4")
    assert [one.name for one in tmp_path.iterdir()] == ["lucidtorch-notes"]


@pytest.mark.parametrize("name", ["ENOSPC", "EDQUOT", "EIO", "EFBIG"])
def test_a_full_or_broken_disk_is_no_bad_input(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    number = getattr(errno, name)

    def fail(*_: object, **__: object) -> None:
        raise OSError(number, os.strerror(number))

    with monkeypatch.context() as patch:
        patch.setattr(Path, "replace", fail)
        with pytest.raises(LucidtorchError) as refused:
            atomic_write_bytes(tmp_path / "x.png", b"whole")
    assert not isinstance(refused.value, BadInputError)
    monkeypatch.setattr(tempfile, "TemporaryFile", fail)
    with pytest.raises(LucidtorchError) as refused:
        check_output_folder(tmp_path)
    assert not isinstance(refused.value, BadInputError)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("name", ["EACCES", "EROFS", "ENAMETOOLONG"])
def test_a_wrong_place_is_bad_input(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(getattr(errno, name), name)

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(BadInputError):
        atomic_write_bytes(tmp_path / "x.png", b"whole")


@pytest.mark.skipif(sys.platform == "win32", reason="there are no limits of file sizes")
def test_a_render_that_finds_no_room_ends_with_1(tmp_path: Path) -> None:
    # The optimizers of torch 2.6 import its compiler, which writes a file of its own.
    program = "import resource, sys, torch._dynamo; from lucidtorch.cli.main import run\n"
    program += "resource.setrlimit(resource.RLIMIT_FSIZE, (100, 100)); sys.exit(run(sys.argv[1:]))"
    words = [sys.executable, "-c", program, *shlex.split(RENDER)]
    done = subprocess.run(words, cwd=tmp_path, capture_output=True, text=True, timeout=300, check=False)
    assert (done.returncode, done.stdout) == (1, "")
    assert "Cannot write x.png: File too large" in done.stderr
    assert "Traceback" not in done.stderr
    assert list(tmp_path.iterdir()) == []


def test_a_run_is_saved_past_a_folder_that_somebody_else_has_there(tmp_path: Path, demo: Any) -> None:
    import lucidtorch as lt

    run = lt.recipes.render(demo, objective="conv1_1:0", size=24, steps=1, output=tmp_path / "run")
    (tmp_path / ".saved.part").mkdir()
    (tmp_path / ".saved.part" / "mine").write_text("mine")
    run.save(tmp_path / "saved")
    assert (tmp_path / ".saved.part" / "mine").read_text() == "mine"
    assert (tmp_path / "saved" / "index.html").is_file()


def test_a_folder_in_the_making_is_nobodys_leftover(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """Two threads make films: one looks for what killed processes left just when the other has made its folder."""
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    making = os.mkdir
    others: list[Path] = []

    def made_and_looked_for(*words: Any, **more: Any) -> None:
        making(*words, **more)
        if not others:
            others.append(tmp_path)
            others.append(temporary_folder("film"))

    monkeypatch.setattr(os, "mkdir", made_and_looked_for)
    assert temporary_folder("film").is_dir()
    assert others[1].is_dir()


def test_a_file_is_written_whole_with_its_folder(tmp_path: Path) -> None:
    path = tmp_path / "a" / "b" / "c.bin"
    atomic_write_bytes(path, b"one")
    atomic_write_bytes(path, b"two")
    assert path.read_bytes() == b"two"
    assert [one.name for one in path.parent.iterdir()] == ["c.bin"]
    atomic_write_text(path, "ä\n")
    assert path.read_bytes() == "ä\n".encode()


def test_what_stood_there_stays_when_writing_fails(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "kept.txt"
    path.write_text("old")

    def fail(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", fail)
    with pytest.raises(WriteError, match="No space left"):
        atomic_write_bytes(path, b"new")
    assert path.read_text() == "old"
    assert [one.name for one in tmp_path.iterdir()] == ["kept.txt"]


def test_places_are_tried_and_nothing_is_left_there(tmp_path: Path) -> None:
    check_output_folder(tmp_path / "new" / "deep")
    check_output_file(tmp_path / "other" / "x.png")
    assert list((tmp_path / "new" / "deep").iterdir()) == []
    assert list((tmp_path / "other").iterdir()) == []
    kept = tmp_path / "kept.png"
    kept.write_text("old")
    check_output_file(kept)
    assert kept.read_text() == "old"
