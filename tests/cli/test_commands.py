"""What the commands make and say when all is well."""

from __future__ import annotations

import json
import shlex
import sys
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from PIL import Image

import lucidtorch as lt
from lucidtorch.cli.commands import demo_command
from lucidtorch.datasets import drawings, load_scan, scan

RENDER = "render demo conv2_1:3 --weights random --device cpu --size 24 --steps 3"
GALLERY = (
    "gallery demo --layers conv1_1,logits --units 0-2 --weights random --device cpu --size 24 --steps 2 --workers 1"
)
Cli = Callable[..., Any]


@pytest.fixture
def run(cli: Cli) -> Callable[[str], Any]:
    """Runs a line as it is typed, which must succeed."""

    def call(line: str) -> Any:
        found = cli(*shlex.split(line))
        assert found.code == 0, found.err
        return found

    return call


def pixels(path: Path) -> np.ndarray:
    with Image.open(path) as image:
        return np.asarray(image).copy()


def test_render_writes_what_the_function_makes_and_says_so(run: Cli, tmp_path: Path) -> None:
    found = run(f"{RENDER} --seed 7 --lr 0.1 --transforms 'jitter(2)' -o deep/x.png")
    assert found.out == "wrote deep/x.png\n"
    assert found.err == "step of demo: 3 of 3\n"
    model = lt.load_model("demo", weights="random", device="cpu")
    param = lt.param.image(24)
    settings: dict[str, Any] = {"steps": 3, "seed": 7, "lr": 0.1, "transforms": "jitter(2)", "progress": False}
    expected = lt.render(model, "conv2_1:3", param=param, **settings).save(tmp_path / "y.png")
    assert (tmp_path / "deep" / "x.png").read_bytes() == expected.read_bytes()


def test_without_an_output_the_file_is_called_by_what_it_shows(run: Cli, tmp_path: Path) -> None:
    found = run(RENDER)
    (path,) = tmp_path.iterdir()
    assert found.out == f"wrote {path.name}\n"
    assert path.suffix == ".png"
    assert "demo" in path.name
    assert "conv2_1" in path.name
    assert not set(path.name) & set(" '\"()[]:,*|<>?\\")


@pytest.mark.parametrize(
    ("options", "shape"),
    [("", (24, 24, 3)), ("--size 20x33", (20, 33, 3)), ("--batch 4", (50, 50, 3)), ("--batch 2 --seed 3", (24, 50, 3))],
)
def test_sizes_and_batches(run: Cli, tmp_path: Path, options: str, shape: tuple[int, ...]) -> None:
    run(f"{RENDER} {options} -o x.png")
    assert pixels(tmp_path / "x.png").shape == shape


@pytest.mark.parametrize(
    "goal", ["-conv2_1:3", "-channel('conv2_1', 3)", "-(conv2_1:3 + 1)", "-of_nothing:3", "- conv2_1:3 - L1()"]
)
def test_an_objective_may_begin_with_a_minus(cli: Cli, goal: str, tmp_path: Path) -> None:
    found = cli("render", "demo", goal, "--weights", "random", "--size", "24", "--steps", "1", "-o", "x.png")
    if goal.startswith("-o"):
        assert found.code == 2  # it is the option: a file called f_nothing:3
        return
    assert found.code == 0, found.err
    assert lt.recipes.read_recipe(tmp_path / "x.png").objective.startswith("-")


def test_constraints_and_parts_as_text(run: Cli, tmp_path: Path) -> None:
    words = "--param 'image(24, batch=2, alpha=True) + shared([1, 4, 6, 6])' --constraints 'decay(0.01) | blur(0.5)'"
    run(f"render demo conv2_1:3 --weights random --steps 2 {words} -o x.png")
    recipe = lt.recipes.read_recipe(tmp_path / "x.png")
    assert recipe.constraints == "decay(0.01) | blur(0.5, every=4)"
    assert recipe.param is not None
    assert repr(lt.param.parse(recipe.param)) == "image(24, batch=2, alpha=True) + shared([1, 4, 6, 6])"
    assert recipe.transforms is not None
    assert recipe.transforms.startswith("background(kind='smooth', sd=0.5, decay=1.0) | pad(12, ")
    run("rerun x.png -o y.png")
    assert (tmp_path / "y.png").read_bytes() == (tmp_path / "x.png").read_bytes()


def test_a_param_as_text(run: Cli, tmp_path: Path) -> None:
    line = (
        "render demo conv2_1:3 --weights random --device cpu --steps 1 --param 'image((20, 24), fft=False)' --batch 2"
    )
    run(f"{line} -o x.png")
    param = lt.recipes.read_recipe(tmp_path / "x.png").param
    assert repr(lt.param.parse(param)) == "image([20, 24], batch=2, fft=False)"


def test_the_size_is_the_networks_own_when_left_out(run: Cli, tmp_path: Path) -> None:
    run("render digits 'logit(3)' --weights random --device cpu --steps 1 -o x.png")
    assert pixels(tmp_path / "x.png").shape == (32, 32)


def test_the_conventions_of_the_input_are_taken(run: Cli, tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("one\ntwo\nthree\n")
    line = "render demo \"logit('three')\" --weights random --device cpu --steps 1 --size 24"
    run(f"{line} --mean 0.1,0.2,0.3 --std 1,1,2 --range -1,1 --labels names.txt -o x.png")
    source = lt.recipes.read_recipe(tmp_path / "x.png").model
    assert source is not None
    assert source.mean == (0.1, 0.2, 0.3)
    assert source.std == (1, 1, 2)
    assert source.value_range == (-1, 1)
    assert source.labels == "names.txt"


def test_snapshots_become_a_movie(run: Cli, tmp_path: Path) -> None:
    found = run(f"{RENDER} --snapshots 1,2,3 -o x.gif")
    assert found.out == "wrote x.gif\n"
    with Image.open(tmp_path / "x.gif") as movie:
        assert (movie.format, getattr(movie, "n_frames", 1)) == ("GIF", 3)
        assert movie.size == (24, 24)


def test_a_film_that_nothing_encodes_is_refused_before_any_step(
    cli: Cli, no_steps: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    found = cli(*shlex.split(f"{RENDER} --snapshots 1,2 -o x.mp4"))
    assert (found.code, found.out, found.err.count("\n")) == (2, "", 1)
    assert "pip install 'lucidtorch[film]'" in found.err
    assert not list(tmp_path.iterdir())


@pytest.mark.slow
def test_snapshots_become_a_film(run: Cli, tmp_path: Path) -> None:
    run(f"{RENDER} --snapshots 1,2,3 -o x.mp4")
    assert (tmp_path / "x.mp4").read_bytes()[4:8] == b"ftyp"


def test_rerun_makes_the_same_bytes(run: Cli, tmp_path: Path) -> None:
    run(f"{RENDER} --batch 2 --seed 5 --snapshots 1,2 --transforms 'pad(3) | jitter(2)' -o x.png")
    found = run("rerun x.png")
    assert found.out == "wrote x-again.png\n"
    assert (tmp_path / "x-again.png").read_bytes() == (tmp_path / "x.png").read_bytes()
    found = run("rerun x-again.png -o folder/y.png --seed 99")
    assert found.out == "wrote folder/y.png\n"
    assert (tmp_path / "folder" / "y.png").read_bytes() == (tmp_path / "x.png").read_bytes()


def test_gallery_makes_pages_and_goes_on_where_it_was(run: Cli, tmp_path: Path) -> None:
    found = run(f"{GALLERY} --variants channel,negative -o pages")
    assert found.out == "wrote pages/index.html (12 pictures)\n"
    assert found.err.splitlines()[-1] == "batches of demo: 4 of 4"
    before = {path: path.read_bytes() for path in (tmp_path / "pages").rglob("*") if path.is_file()}
    run(f"{GALLERY} --variants channel,negative -o pages")
    assert {path: path.read_bytes() for path in (tmp_path / "pages").rglob("*") if path.is_file()} == before
    data = json.loads((tmp_path / "pages" / "data.json").read_text())
    assert [layer["address"] for layer in data["layers"]] == ["conv1_1", "logits"]


def test_a_gallery_shows_the_images_of_a_scan(run: Cli, tmp_path: Path) -> None:
    model = lt.load_model("demo", weights="random", device="cpu")
    scan(model, drawings("test", length=6, size=32), tmp_path / "seen", layers=["conv1_1"], size=32)
    found = run(f"{GALLERY} --scan seen -o pages")
    assert found.out == "wrote pages/index.html (6 pictures)\n"
    strips = sorted(path.name for path in (tmp_path / "pages" / "examples" / "conv1_1").iterdir())
    assert strips == ["unit-00000.png", "unit-00001.png", "unit-00002.png"]


def test_a_scan_of_another_network_is_refused(cli: Cli, run: Cli, tmp_path: Path) -> None:
    scan("digits", drawings("test", length=2, size=32), tmp_path / "seen", layers=["conv1"], size=32)
    found = cli(*f"{GALLERY} --scan seen -o pages".split())
    assert (found.code, found.out) == (2, "")
    assert "another network (digits)" in found.err
    assert not (tmp_path / "pages").exists()


def test_a_tile_of_a_gallery_makes_itself_again(run: Cli, tmp_path: Path) -> None:
    run(f"{GALLERY} --variants diversity -o pages")
    tile = tmp_path / "pages" / "pictures" / "logits" / "diversity" / "00001.png"
    run(f"rerun {tile} -o again.png")
    assert (tmp_path / "again.png").read_bytes() == tile.read_bytes()


def test_without_a_folder_a_gallery_is_called_gallery(run: Cli, tmp_path: Path) -> None:
    run(GALLERY)
    assert (tmp_path / "gallery" / "index.html").is_file()


@pytest.mark.parametrize("line", [f"{RENDER} -o x.png", f"{GALLERY} -o pages", "rerun good.png"])
def test_quiet_says_nothing(line: str, run: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if line.startswith("rerun"):
        run(f"{RENDER} -o good.png")
    found = run(f"{line} --quiet")
    assert (found.out, found.err) == ("", "")
    assert len(list(tmp_path.iterdir())) >= 1


def test_quiet_keeps_notes_to_itself(run: Cli) -> None:
    """The negative of a unit behind a ReLU is worth a note, and a note is no error."""
    line = "render demo ' -relu1_1:3' --weights random --device cpu --size 24 --steps 1 -o x.png"
    loud = run(line)
    assert "note: " in loud.err
    assert "conv1_1" in loud.err
    assert ".py" not in loud.err
    quiet = run(f"{line} --quiet")
    assert (quiet.out, quiet.err) == ("", "")


def test_layers_as_a_table_and_as_json(run: Cli) -> None:
    table = run("layers demo --weights random").out.split("\n\n")[0].splitlines()
    rows = json.loads(run("layers demo --weights random --json").out)
    assert len(table) == len(rows) + 1
    model = lt.load_model("demo", weights="random", device="cpu")
    assert [row["address"] for row in rows] == list(model.layers)
    for line, row in zip(table[1:], rows, strict=True):
        record = model.layers[row["address"]]
        assert line.split()[0] == row["address"]
        assert (row["kind"], row["channels"], row["parameters"]) == (record.kind, record.channels, record.parameters)
        assert row["shape"] == list(record.shape or ())
        field = record.receptive_field
        if field is None:
            assert row["receptive_field"] is None
        else:
            wanted = {"size": field.size, "stride": field.stride, "start": field.start}
            assert {name: row["receptive_field"][name] for name in wanted} == pytest.approx(wanted)
    first = rows[0]
    assert (first["address"], first["kind"], first["shape"], first["channels"]) == (
        "conv1_1",
        "Conv2d",
        [24, 48, 48],
        24,
    )
    assert first["receptive_field"] == {"size": 5, "stride": 2, "start": -2}


def test_layers_quiet_still_gives_its_result(run: Cli) -> None:
    assert run("layers demo --weights random --quiet").out == run("layers demo --weights random").out


def test_layers_of_lucids_network_needs_no_weights(run: Cli) -> None:
    rows = json.loads(run("layers inceptionv1 --json").out)
    assert "mixed4a" in {row["address"] for row in rows} | {row["alias"] for row in rows}


def test_the_library_can_be_used_again_afterwards(run: Cli) -> None:
    threads, state = torch.get_num_threads(), torch.get_rng_state()
    run(f"{RENDER} -o x.png")
    assert torch.get_num_threads() == threads
    assert torch.equal(torch.get_rng_state(), state)
    with pytest.warns(UserWarning, match="still told"):
        warnings.warn("still told", UserWarning, stacklevel=1)


@pytest.mark.slow
@pytest.mark.parametrize("workers", [1, 2])
def test_demo_makes_a_page_with_every_channel(
    run: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, workers: int
) -> None:
    """With fewer steps than it takes to look good."""
    monkeypatch.setattr(demo_command, "STEPS", 2)
    monkeypatch.setattr(demo_command, "DRAWINGS", 102)
    monkeypatch.setattr(demo_command, "default_workers", lambda network: workers)
    found = run("demo -o pages")
    index = tmp_path / "pages" / "index.html"
    data = json.loads((tmp_path / "pages" / "data.json").read_text())
    (layer,) = data["layers"]
    count = lt.load_model("demo").layers[layer["address"]].channels or 0
    assert [unit["index"] for unit in layer["units"]] == list(range(count))
    assert found.out.startswith(f"wrote pages/index.html ({count} pictures")
    assert found.err.splitlines()[-1] == f"Open it in a browser: {index.as_uri()}"
    shapes = {pixels(tmp_path / "pages" / unit["pictures"][0]["file"]).shape for unit in layer["units"]}
    assert shapes == {(demo_command.PIXELS, demo_command.PIXELS, 3)}
    page = (tmp_path / "pages" / "layers" / layer["address"] / "index.html").read_text()
    assert page.count('<a class="tile') == count
    pictures = [unit["pictures"][0]["beside"] for unit in layer["units"]]
    assert all(len(one["images"]) == 9 and (tmp_path / "pages" / one["file"]).is_file() for one in pictures)
    assert load_scan(tmp_path / "pages" / "scan").images == 102
