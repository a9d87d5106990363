"""`lucidtorch scan`: what it looks through, what it says, and how it goes on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from lucidtorch.datasets import Scan, digits, drawings, lines, load_scan, scan
from lucidtorch.datasets.named import name_of
from lucidtorch.models.loading import load_model
from lucidtorch.scanning import entry
from lucidtorch.scanning.answers import right_answers

Cli = Callable[..., Any]
LAYERS = ("--layers", "conv1,logits")


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    """A folder of three classes with three pictures each."""
    drawings("test", length=153, size=24).save(tmp_path / "all")
    for place in sorted((tmp_path / "all").iterdir())[:3]:
        (tmp_path / "photos").mkdir(exist_ok=True)
        place.rename(tmp_path / "photos" / place.name)
    return tmp_path / "photos"


def files(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()}


def test_it_writes_the_scan_that_python_writes(cli: Cli, tmp_path: Path) -> None:
    words = ("--top", "3", "--bottom", "2", "--batch", "16", "--seed", "5", "--size", "24x32")
    said = cli("scan", "digits", "digits", "-o", "ours", *LAYERS, *words)
    assert (said.code, said.out) == (0, "wrote ours/scan.json (360 images, 26 units of 2 layers)\n")
    assert "images through digits: 360 of 360" in said.err
    model, data = load_model("digits"), digits("test", size=(24, 32))
    answers = right_answers(model, data.classes)
    settings: dict[str, Any] = {"top": 3, "bottom": 2, "batch": 16, "seed": 5, "size": (24, 32), "answers": answers}
    scan(model, data, tmp_path / "theirs", layers=["conv1", "logits"], **settings)
    assert files(tmp_path / "ours") == files(tmp_path / "theirs")


@pytest.mark.parametrize(("data", "count"), [("photos", 9), ("images.npy", 5)])
def test_a_folder_and_an_array_are_looked_through(
    cli: Cli, photos: Path, tmp_path: Path, data: str, count: int
) -> None:
    np.save(tmp_path / "images.npy", drawings("test", length=5, size=24).batch(range(5))[0].numpy())
    said = cli("scan", "digits", str(photos) if data == "photos" else data, "--layers", "conv1", "-q")
    assert (said.code, said.out, said.err) == (0, "", "")
    assert load_scan(tmp_path / "scan").done == count


@pytest.mark.parametrize("data", ["drawings", "lines"])
def test_of_what_ships_the_test_split_is_taken(cli: Cli, monkeypatch: pytest.MonkeyPatch, data: str) -> None:
    seen: list[Any] = []

    def begun(model: Any, data: Any, folder: Any, **words: Any) -> Scan:
        seen.append(data)
        return entry.scan(model, [data[0]], folder, layers=["conv1"])

    monkeypatch.setattr("lucidtorch.cli.commands.scan_command.scan", begun)
    assert cli("scan", "digits", data, "-q").code == 0
    expected = {"drawings": drawings, "lines": lines}[data]("test", size=32)
    assert name_of(seen[0]) == name_of(expected)


def test_a_folder_of_that_name_goes_before_what_ships(cli: Cli, photos: Path, tmp_path: Path) -> None:
    photos.rename(tmp_path / "lines")
    assert cli("scan", "digits", "lines", *LAYERS, "-q").code == 0
    assert load_scan(tmp_path / "scan").images == 9


def test_pictures_that_cannot_be_read_are_told(cli: Cli, photos: Path) -> None:
    broken = next(iter(sorted(photos.rglob("*.png"))))
    broken.write_bytes(b"")
    said = cli("scan", "digits", "photos", *LAYERS)
    assert said.code == 0
    assert f"note: 1 image was left out, the first: {broken.relative_to(photos).as_posix()}" in said.err


def test_an_interrupted_scan_goes_on(cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    words = ("scan", "digits", "digits", *LAYERS, "-o")
    assert cli(*words, "whole").code == 0
    real = entry.scan

    def interrupted(*given: Any, **settings: Any) -> Scan:
        def report(done: int, total: int) -> None:
            if done > limit:
                raise KeyboardInterrupt

        return real(*given, **(settings | {"chunk": 64, "report": report}))

    for limit, told in ((0, "interrupted"), (200, "what was finished is in broken, and the same command goes on")):
        with monkeypatch.context() as patch:
            patch.setattr("lucidtorch.cli.commands.scan_command.scan", interrupted)
            said = cli(*words, "broken")
        assert said.code == 130
        assert told in said.err
    done = json.loads((tmp_path / "broken" / "scan.json").read_text())["done"]
    assert 0 < done < 360
    monkeypatch.setattr(
        "lucidtorch.cli.commands.scan_command.scan", lambda *given, **words: real(*given, **(words | {"chunk": 64}))
    )
    assert cli(*words, "broken").code == 0
    again, whole = load_scan(tmp_path / "broken"), load_scan(tmp_path / "whole")
    assert (again.done, again.right.tolist()) == (360, whole.right.tolist())
    assert all(again["logits"].top(unit) == whole["logits"].top(unit) for unit in range(10))


def test_a_recipe_takes_the_scan(cli: Cli, tmp_path: Path) -> None:
    assert cli("scan", "digits", "digits", *LAYERS, "-q").code == 0
    fields = ("--set", "model=digits", "--set", "data=null", "--set", "scan=scan", "--set", "units=0", "--workers", "1")
    said = cli("run", "top_patches", *fields, "--set", "layers=conv1", "-o", "run", "-q")
    assert (said.code, said.err) == (0, "")
    assert (tmp_path / "run" / "maps" / "conv1" / "00000-best.png").is_file()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("digits nowhere", "no folder nowhere"),
        ("digts digits", "digits"),
        ("digits digits --layers conv9", "'conv9'"),
        ("digits digits --top 0", "top="),
        ("digits digits --bottom -1", "bottom="),
        ("digits digits --batch 0", "batch="),
        ("digits digits --size nothing", "--size"),
        ("digits digits --seed -1", "seed="),
        ("digits digits -o file", "file"),
        ("digits", "Missing argument"),
    ],
)
def test_bad_input_is_refused(cli: Cli, tmp_path: Path, words: str, said: str) -> None:
    (tmp_path / "file").write_text("a file")
    found = cli("scan", *words.split())
    assert found.code == 2
    assert said in found.err
    assert not (tmp_path / "scan").exists()
