"""Folders of images: links to nothing are listed, and no file that is passed on names a place on this machine."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

import lucidtorch as lt
from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.datasets import drawings, folder, load_scan, scan
from lucidtorch.models.model import Model

FACTORY = """
from torch import nn
def build():
    return nn.Sequential(nn.Conv2d(3, 4, 3, padding=1), nn.ReLU(), nn.Conv2d(4, 4, 3))
"""


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    place = tmp_path / "a-place-of-mine" / "photos"
    drawings("test", length=4, size=32).save(tmp_path / "drawn")
    place.mkdir(parents=True)
    for number, path in enumerate(sorted((tmp_path / "drawn").rglob("*.png"))):
        path.rename(place / f"{number}.png")
    (place / "gone.png").symlink_to(tmp_path / "nowhere.png")
    (place / "torn.png").write_text("no picture")
    return place


def test_a_link_to_nothing_is_listed_as_skipped(demo: Model, photos: Path, tmp_path: Path) -> None:
    for data in (folder(photos), [str(path) for path in sorted(photos.iterdir())]):
        found = scan(demo, data, tmp_path / "scan", layers=["conv1_1"], size=32)
        assert [one.name for one in found.skipped] == ["gone.png", "torn.png"]
        assert found.skipped[0].reason == "It is a link whose target is missing."
        assert found.images == 6


def test_a_recipe_names_the_links_that_it_leaves_out(demo: Model, photos: Path, tmp_path: Path) -> None:
    (photos / "torn.png").unlink()
    with pytest.warns(LucidtorchWarning, match=r"gone\.png is left out: it is a link whose target is missing"):
        run = lt.recipes.activations(demo, images=str(photos), layers=["conv1_1"], size=32, output=tmp_path / "run")
    assert run.index.is_file()


def test_a_scan_names_places_in_its_provenance_alone(demo: Model, photos: Path, tmp_path: Path) -> None:
    place = tmp_path / "scan"
    scan(demo, folder(photos), place, layers=["conv1_1"], size=32)
    for path in place.iterdir():
        assert (b"a-place-of-mine" in path.read_bytes()) == (path.name == "provenance.json"), path
    assert json.loads((place / "scan.json").read_text())["data"] == "photos"
    assert len(load_scan(place).open()) == 6
    scan(demo, [str(path) for path in sorted(photos.iterdir())], place, layers=["conv1_1"], size=32)
    assert "a-place-of-mine" not in (place / "scan.json").read_text()


def shown_files(place: Path) -> dict[str, str]:
    """The pages and data of a folder, without what pictures carry."""
    found = {path.relative_to(place).as_posix(): path.read_text() for path in place.rglob("*.html")}
    data: dict[str, Any] = json.loads((place / "data.json").read_text())
    for layer in data["layers"]:
        for unit in layer["units"]:
            for picture in unit["pictures"]:
                del picture["recipe"]
    return found | {"data.json": json.dumps(data)}


def test_titles_name_a_file_and_its_checksum(tmp_path: Path) -> None:
    place = tmp_path / "a-place-of-mine"
    place.mkdir()
    (place / "mine.py").write_text(FACTORY)
    model = lt.load_model(f"{place}/mine.py:build", mean=0.0, size=16)
    assert model.name == "mine.py:build"
    lt.gallery(model, tmp_path / "pages", layers=["0"], units="0", param="image(16)", steps=1, batch=1)
    files = shown_files(tmp_path / "pages")
    assert "mine.py:build: what each unit looks for" in files["index.html"]
    assert model.source is not None
    assert f"mine.py:build, SHA-256 {model.source.code_sha256}" in files["index.html"]
    assert "a-place-of-mine" not in files["index.html"]
    assert "a-place-of-mine" not in files["data.json"]
    provenance = json.loads((tmp_path / "pages" / "provenance.json").read_text())
    assert provenance["network"]["spec"] == f"{place}/mine.py:build"


@pytest.mark.parametrize(
    ("spec", "name"),
    [
        ("/home/me/mine.py:build", "mine.py:build"),
        ("../mine.pt2", "mine.pt2"),
        (r"C:\nets\mine.py:build", "mine.py:build"),
        ("hf//home/me/vit", "hf/vit"),
        ("hf/google/vit-base", "hf/google/vit-base"),
        ("timm/resnet10t.c3_in1k", "timm/resnet10t.c3_in1k"),
        ("vgg16", "vgg16"),
    ],
)
def test_what_networks_are_called(spec: str, name: str) -> None:
    from lucidtorch.models.sources.model_source import display_name

    assert display_name(spec) == name
