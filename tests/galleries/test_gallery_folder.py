"""The folders of galleries, scans and runs: what is somebody else's stays byte for byte, whatever its name."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from gallery_runs import contents, made, pictures

import lucidtorch as lt
from lucidtorch.cli.main import run as command
from lucidtorch.datasets import drawings, load_scan, scan
from lucidtorch.galleries import plan as plan_module
from lucidtorch.models.model import Model

SCANNED: dict[str, Any] = {"layers": ["conv1_1"], "size": 32, "batch": 4, "chunk": 4}
TAKEN = ("index.html", "data.json", "assets/mine.css", "pictures/a.png", "layers/x", "batches/y")


def scanned(model: Model, folder: Path, **changes: Any) -> Any:
    return scan(model, drawings("test", length=8, size=32), folder, **(SCANNED | changes))


@pytest.mark.parametrize(
    "name", ["index.html", "data.json", "assets/mine.css", "pictures/a.png", "layers/x", "batches/y"]
)
def test_a_gallery_leaves_the_files_of_others(demo: Model, tmp_path: Path, name: str) -> None:
    (tmp_path / name).parent.mkdir(exist_ok=True)
    (tmp_path / name).write_text("mine")
    with pytest.raises(lt.LucidtorchError, match="of no gallery"):
        made(demo, tmp_path)
    assert contents(tmp_path) == {name: b"mine"}


@pytest.mark.parametrize("name", ["scan.json", "tables-000000004.npz"])
def test_a_scan_leaves_the_files_of_others(demo: Model, tmp_path: Path, name: str) -> None:
    (tmp_path / name).write_text("mine")
    with pytest.raises(lt.LucidtorchError, match="of no scan"):
        scanned(demo, tmp_path)
    assert contents(tmp_path) == {name: b"mine"}


def test_what_has_another_name_stays_beside(demo: Model, tmp_path: Path) -> None:
    others = {
        "tables-mine.npz": b"1",
        "tables-1.npz": b"2",
        ".notes.part": b"3",
        "deep/.index.html.ab12cd34.part": b"4",
    }
    for name, data in others.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_bytes(data)
    scanned(demo, tmp_path)
    made(demo, tmp_path)
    made(demo, tmp_path)
    assert {name: (tmp_path / name).read_bytes() for name in others} == others


def test_several_commands_make_one_gallery(demo: Model, tmp_path: Path) -> None:
    made(demo, tmp_path, units="0-2")
    first = pictures(tmp_path)
    made(demo, tmp_path, units="2-4", variants=["negative", "channel"])
    found = made(demo, tmp_path, layers=["conv2_1"], units=[7])
    data = json.loads((tmp_path / "data.json").read_text())
    shown = {
        (layer["address"], unit["index"]): [picture["variant"] for picture in unit["pictures"]]
        for layer in data["layers"]
        for unit in layer["units"]
    }
    assert shown == {
        ("conv1_1", 0): ["channel"],
        ("conv1_1", 1): ["channel"],
        ("conv1_1", 2): ["channel", "negative"],
        ("conv1_1", 3): ["channel", "negative"],
        ("conv1_1", 4): ["channel", "negative"],
        ("conv2_1", 7): ["channel"],
    }
    assert found.units == 9
    assert found.moved is None
    assert first.items() <= pictures(tmp_path).items()
    index = (tmp_path / "index.html").read_text()
    assert all(f"layers/{layer}/index.html" in index for layer in ("conv1_1", "conv2_1"))
    before = contents(tmp_path)
    made(demo, tmp_path, units="0-2")
    assert contents(tmp_path) == before


@pytest.mark.parametrize("change", [{"steps": 3}, {"seed": 1}, {"param": "image(16)"}, {"transforms": [abs]}], ids=str)
def test_another_gallery_is_moved_aside_and_named(demo: Model, tmp_path: Path, change: dict[str, Any]) -> None:
    folder = tmp_path / "pages"
    made(demo, folder)
    before = contents(folder)
    (folder / "thesis.txt").write_text("mine")
    found = made(demo, folder, **change)
    assert found.moved is not None
    assert (found.moved.parent, found.moved.name[:6]) == (tmp_path, "pages-")
    assert contents(found.moved) == before
    assert (folder / "thesis.txt").read_text() == "mine"


def test_a_gallery_of_another_network_is_moved_aside(demo: Model, tmp_path: Path) -> None:
    made(demo, tmp_path / "pages")
    before = contents(tmp_path / "pages")
    other = lt.load_model("demo", weights="random", device="cpu")
    found = made(other, tmp_path / "pages")
    assert found.moved is not None
    assert contents(found.moved) == before


def test_the_command_names_where_the_earlier_work_is(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    words = ["gallery", "demo", "--layers", "conv1_1", "--units", "0", "--size", "24", "--workers", "1"]
    for steps in ("1", "2"):
        assert command([*words, "--steps", steps, "-o", str(tmp_path / "pages")]) == 0
    (moved,) = [one for one in tmp_path.iterdir() if one.name != "pages"]
    assert str(moved) in capfd.readouterr().err
    words = ["scan", "demo", "digits", "--layers", "conv1_1", "--size", "32", "-o", str(tmp_path / "scan")]
    (tmp_path / "digits").mkdir()
    for number in range(2):
        drawings("test", length=2, size=32, seed=number).save(tmp_path / "digits" / str(number))
        assert command([words[0], words[1], str(tmp_path / "digits" / str(number)), *words[3:]]) == 0
    (moved,) = tmp_path.glob("scan-*")
    assert str(moved) in capfd.readouterr().err
    assert load_scan(moved).images == 2


def test_work_of_another_kind_is_moved_aside(demo: Model, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    run = lt.recipes.render(demo, objective="conv1_1:0", size=24, steps=1, output=folder)
    before = contents(folder)
    found = made(demo, folder)
    assert found.moved == tmp_path / f"out-{run.recipe.id[:8]}"
    assert contents(found.moved) == before


def test_moved_work_hits_nothing_that_stands_where_it_goes(demo: Model, tmp_path: Path) -> None:
    folder = tmp_path / "out"
    made(demo, folder)
    first = made(demo, folder, steps=3).moved
    assert first is not None
    before = contents(first)
    made(demo, folder)
    mine = first.with_name(f"{first.name}-2")
    mine.mkdir()
    (mine / "index.html").write_text("mine")
    again = made(demo, folder, steps=4)
    assert again.moved is not None
    assert again.moved not in (first, mine)
    assert contents(first) == before
    assert contents(mine) == {"index.html": b"mine"}


@pytest.mark.parametrize("name", ["pictures", "pictures/conv1_1", "layers", "batches"])
def test_no_link_inside_is_followed(demo: Model, tmp_path: Path, name: str) -> None:
    outside, folder = tmp_path / "outside", tmp_path / "pages"
    outside.mkdir()
    made(demo, folder)
    (folder / name).rename(tmp_path / "kept")
    (folder / name).symlink_to(outside, target_is_directory=True)
    with pytest.raises(lt.LucidtorchError, match="is a link"):
        made(demo, folder, units="3-4")
    assert list(outside.iterdir()) == []


def test_a_folder_that_is_deleted_under_way_says_so(demo: Model, tmp_path: Path) -> None:
    folder = tmp_path / "out"

    def delete(*_: object) -> None:
        shutil.rmtree(folder)

    with pytest.raises(lt.LucidtorchError, match="was removed"):
        made(demo, folder, report=delete)
    assert not folder.exists()
    with pytest.raises(lt.LucidtorchError, match="was removed"):
        scanned(demo, folder, report=delete)
    assert not folder.exists()
    with pytest.raises(lt.LucidtorchError, match="was removed"):
        lt.recipes.layer_sheet(
            demo, layers="conv1_1", units="0-4", size=24, steps=1, batch=2, output=folder, report=delete
        )
    assert not folder.exists()


def test_a_gallery_of_version_0_1_0_goes_on(demo: Model, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As that version wrote it: seeds of 63 bits, batches by their number, no record of the folder."""
    with monkeypatch.context() as patch:
        patch.setattr("lucidtorch.galleries.folder.PICTURE_BITS", 63)
        patch.setattr(plan_module, "PICTURE_BITS", 63)
        made(demo, tmp_path, units="0-3")
    for name in ("gallery.json", "provenance.json"):
        (tmp_path / name).unlink()
    for number, path in enumerate(sorted((tmp_path / "batches").iterdir())):
        path.rename(path.with_name(f"conv1_1-channel-{number:05d}.json"))
    before = pictures(tmp_path)
    rendered: list[int] = []
    found = made(demo, tmp_path, units="0-3", report=lambda done, total, batch: rendered.append(total))
    assert (found.moved, found.units, pictures(tmp_path)) == (None, 4, before)
    assert made(demo, tmp_path, units="4").units == 5
    assert before.items() <= pictures(tmp_path).items()
    assert made(demo, tmp_path, steps=3).moved is not None


def test_a_scan_of_version_0_1_0_goes_on(demo: Model, tmp_path: Path) -> None:
    folder = tmp_path / "scan"
    scanned(demo, folder)
    (folder / "provenance.json").unlink()
    found = scanned(demo, folder, report=lambda done, total: pytest.fail("it was finished"))
    assert (found.done, found.moved) == (8, None)


def test_a_scan_that_was_stopped_before_its_first_chunk_is_known(demo: Model, tmp_path: Path) -> None:
    def stop(*_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        scanned(demo, tmp_path, batch=2, report=stop)
    assert load_scan(tmp_path).done == 0
    assert scanned(demo, tmp_path, batch=2).done == 8
    assert not list(tmp_path.glob("tables-000000004.npz"))
