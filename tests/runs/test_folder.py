"""The guard of folders, by its own words: what is work's own, and where a file may be written."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from gallery_runs import made

from lucidtorch.base.errors import OutputError
from lucidtorch.base.files import temporary_path
from lucidtorch.models.model import Model
from lucidtorch.runs.folder import GALLERY, RUN, SCAN, check_folder, claim, write_file


def dead_process() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def left_behind(path: Path) -> Path:
    """The temporary file of a process that was killed while it wrote a file."""
    name = temporary_path(path).name.split("-")
    name[2] = str(dead_process())
    found = path.with_name("-".join(name))
    found.parent.mkdir(parents=True, exist_ok=True)
    found.write_bytes(b"half")
    return found


def test_a_file_that_is_a_link_is_replaced_and_not_written_through(tmp_path: Path) -> None:
    (tmp_path / "outside").write_text("mine")
    (tmp_path / "pages").mkdir()
    (tmp_path / "pages" / "index.html").symlink_to(tmp_path / "outside")
    write_file(tmp_path / "pages", "index.html", "ours")
    assert (tmp_path / "outside").read_text() == "mine"
    assert (tmp_path / "pages" / "index.html").read_text() == "ours"


@pytest.mark.parametrize("name", ["../x", "/x", "a/../../x", ""])
def test_no_path_leads_out(tmp_path: Path, name: str) -> None:
    with pytest.raises(OutputError):
        write_file(tmp_path, name, b"")


@pytest.mark.parametrize("kind", [RUN, GALLERY, SCAN], ids=lambda kind: kind.name)
def test_leftovers_of_killed_processes_are_removed(demo: Model, tmp_path: Path, kind: Any) -> None:
    left_behind(tmp_path / kind.record)
    for folder in kind.folders:
        left_behind(tmp_path / folder / "deep" / "x.png")
    (tmp_path / ".mine.part").write_text("mine")
    claim(tmp_path, kind, "key")
    assert [one.name for one in tmp_path.rglob("*") if one.is_file()] == [".mine.part"]


def test_a_gallery_that_version_0_1_0_began_is_known(demo: Model, tmp_path: Path) -> None:
    made(demo, tmp_path)
    for path in tmp_path.iterdir():
        if path.is_file():
            path.unlink()
    check_folder(tmp_path, GALLERY)
    assert GALLERY.key(tmp_path) == "0.1.0"


def test_each_file_of_a_full_folder_costs_the_same(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A gallery writes a page for each of 50,000 units: none of them may list the folder."""
    listed: list[object] = []
    listing = os.listdir

    def counted(path: Any = ".") -> list[str]:
        listed.append(path)
        return listing(path)

    monkeypatch.setattr(os, "listdir", counted)
    for number in range(5):
        write_file(tmp_path, f"layers/conv1/unit-{number}.html", "page")
    assert len(listing(tmp_path / "layers/conv1")) == 5
    assert listed == []
