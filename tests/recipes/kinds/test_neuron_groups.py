from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from recipe_runs import Bench, contents, pixels, shown

from lucidtorch.analysis import framed, group_colours, group_overlay, nmf_groups
from lucidtorch.base.images import sheet
from lucidtorch.base.seeds import picture_seed
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.objectives import direction, each
from lucidtorch.recipes import rerun
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.inputs import Drawing, read_image
from lucidtorch.recipes.story import Figure

STAR: dict[str, Any] = {"drawing": "star", "number": 1}
FISH: dict[str, Any] = {"drawing": "fish"}


def drawn(**words: Any) -> torch.Tensor:
    return torch.tensor(read_image(Drawing(**words), (32, 48), 3, Path()).numpy(), dtype=torch.float32)


def test_every_group_of_every_layer_is_planned_with_its_direction_and_its_seed(bench: Bench, demo: Model) -> None:
    fields = {"image": STAR, "image_size": [32, 48], "groups": 3, "seed": 5, "cossim_pow": 1.5}
    plan = bench.plan("neuron_groups", layers=["relu2_1", "relu1_1"], **fields)
    files = [[f"pictures/{layer}/group-00{number}.png" for number in (1, 2, 3)] for layer in ("relu1_1", "relu2_1")]
    assert [file for task in plan.tasks for file, _ in shown(task)] == files[0] + files[1]
    seeds = [picture_seed(5, "relu2_1", number, "group", 0) for number in (1, 2, 3)]
    assert [seed for task in plan.tasks[2:] for _, seed in shown(task)] == seeds
    values = demo.activations(drawn(**STAR)[None], "relu2_1")["relu2_1"]
    found = nmf_groups(values, 3, seed=picture_seed(5, "relu2_1", "groups") % 2**32)
    goals = [direction("relu2_1", one, cossim_pow=1.5) for one in found.directions]
    assert repr(plan.tasks[2].objective) == repr(each(*goals[:2]))
    assert plan.fields == {
        "layers": ("relu1_1", "relu2_1"),
        "image": Drawing(**STAR),
        "image_size": (32, 48),
    }


def test_several_pictures_share_the_groups(bench: Bench, demo: Model) -> None:
    run = bench.run("neuron_groups", layers="relu1_1", images=[STAR, FISH], image_size=[32, 48], groups=2)
    images = torch.stack([drawn(**STAR), drawn(**FISH)])
    values = torch.cat([demo.activations(one[None], "relu1_1")["relu1_1"] for one in images])
    found = nmf_groups(values, 2, seed=picture_seed(0, "relu1_1", "groups") % 2**32)
    colours = group_colours(2)
    for at, image in enumerate(images):
        assert_shows(pixels(run, f"image-{at + 1}.png"), image)
        peak = 0.5 * float(found.maps.max())
        overlay = group_overlay(image, found.maps[at], colours, peak)
        assert_shows(pixels(run, f"overlay-relu1_1-{at + 1}.png"), overlay)
        for group in range(2):
            own = found.maps[at, group : group + 1]
            alone = group_overlay(image, own, colours[group : group + 1], float(found.maps[:, group].max()))
            assert_shows(pixels(run, f"maps/relu1_1/image-{at + 1}-group-00{group + 1}.png"), alone)
    facts = run.story.facts["layers"]["relu1_1"]
    assert [one["share"] for one in facts["groups"]] == pytest.approx(found.totals.tolist())
    assert [one["images"] for one in facts["groups"]] == [pytest.approx(one) for one in found.shares.T.tolist()]
    for one, row in zip(facts["groups"], found.directions, strict=True):
        top = sorted(enumerate(row.tolist()), key=lambda pair: -pair[1])[:5]
        assert [unit for unit, _ in one["units"]] == [unit for unit, _ in top]
    assert (facts["error"], facts["iterations"]) == (pytest.approx(found.error), found.iterations)


def test_the_page_goes_from_the_whole_to_each_group(bench: Bench) -> None:
    run = bench.run("neuron_groups", layers=["relu1_1", "relu2_1"], image=STAR, image_size=32, groups=2)
    first, overview, details, *_ = run.story.sections
    assert [one.heading for one in run.story.sections][1::2] == ["relu1_1", "relu2_1"]
    assert [one.file for one in first.figures] == ["image-1.png"]
    assert [one.file for one in overview.figures] == ["groups-relu1_1.png", "overlay-relu1_1-1.png"]
    assert [one.whole for one in overview.figures] == [True, False]
    rows = ["pictures/relu1_1/group-00{}.png", "maps/relu1_1/image-1-group-00{}.png"]
    assert [one.file for one in details.figures] == [row.format(group) for row in rows for group in (1, 2)]
    assert (details.columns, len(details.row_names), len(details.column_names)) == (2, 2, 2)
    assert details.figures[0].objective.startswith("direction('relu1_1', [")
    assert details.table is not None
    assert len(details.table.head) == len(details.table.rows[0]) == 5
    assert [cell.file for cell in details.table.rows[1] if isinstance(cell, Figure)] == [row.format(2) for row in rows]
    assert run.story.main == "groups-relu1_1.png"


def test_the_card_shows_the_overlay_and_the_framed_groups(bench: Bench) -> None:
    run = bench.run("neuron_groups", layers="relu1_1", image=STAR, image_size=[32, 48], groups=2, size=[48, 64])
    card = pixels(run, "groups-relu1_1.png")
    tiles = torch.stack([pixels(run, f"pictures/relu1_1/group-00{one}.png") for one in (1, 2)])
    right = sheet(framed(tiles, group_colours(2)), 2)
    assert tiles.shape == (2, 3, 48, 64)
    assert card.shape == (3, 52, 78 + 2 + right.shape[2])  # the overlay of 32 x 48 is scaled to the height of the tiles
    assert_shows(card[:, :, 80:], right)


def test_the_resolved_recipe_gives_the_same_folder(bench: Bench, tmp_path: Path) -> None:
    Image.new("RGB", (40, 30), (200, 90, 30)).save(tmp_path / "plain.png")
    pattern = torch.rand(3, 24, 32, generator=torch.Generator().manual_seed(0))
    Image.fromarray((pattern * 255).byte().permute(1, 2, 0).numpy()).save(tmp_path / "noise.png")
    fields = {"layers": ["relu3_1", "conv1_1"], "image_size": [24, 32], "groups": 3, "size": [48, 64]}
    first = bench.run("neuron_groups", images=[tmp_path / "plain.png", tmp_path / "noise.png"], **fields)
    assert contents(bench.again(first).folder) == contents(first.folder)
    assert len(list((first.folder / "inputs").iterdir())) == 2


def test_pixels_of_a_program_are_kept_and_give_the_same_folder(bench: Bench) -> None:
    image = torch.rand(3, 24, 32, generator=torch.Generator().manual_seed(0))
    first = bench.run("neuron_groups", layers="relu2_1", image=image, groups=2)
    assert first.recipe.model_dump()["image_size"] == (24, 32)
    assert contents(bench.again(first).folder) == contents(first.folder)


def test_a_picture_of_a_group_can_be_made_again(bench: Bench) -> None:
    run = bench.run("neuron_groups", layers="relu3_1", image=STAR, image_size=32, groups=3)
    picture = run.folder / "pictures/relu3_1/group-002.png"  # of 96 channels, so that its direction is a file
    again = bench.folder / "again.png"
    rerun(picture, again)
    assert again.read_bytes() == picture.read_bytes()


def test_what_a_reader_should_know_is_said(bench: Bench) -> None:
    fields = {"image": STAR, "image_size": 32, "groups": 3, "max_iter": 1}
    run = bench.run("neuron_groups", layers=["conv1_1", "relu1_1"], **fields)
    said = {one.heading: " ".join(one.text) for one in run.story.sections}
    assert "below zero" in said["conv1_1"]
    assert "below zero" not in said["relu1_1"]
    assert "was stopped" in said["relu1_1"]
    facts = run.story.facts["layers"]
    assert [facts[layer]["rectified"] for layer in ("conv1_1", "relu1_1")] == [True, False]
    assert not facts["relu1_1"]["converged"]


def test_a_group_that_is_empty_is_said_and_not_rendered(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    values = torch.zeros(1, 24, 2, 2)
    values[0, 3, 0, 0] = 1
    monkeypatch.setattr(Model, "activations", lambda self, images, layers: {layers: values})
    run = bench.run("neuron_groups", layers="relu1_1", image=STAR, image_size=32, groups=2)
    assert [one.name for one in (run.folder / "pictures/relu1_1").glob("*.png")] == ["group-001.png"]
    assert "1 of the 2 groups" in run.story.sections[1].text[0]
    assert run.story.facts["layers"]["relu1_1"]["empty"] == 1


def test_more_groups_than_hues(bench: Bench) -> None:
    run = bench.run("neuron_groups", layers="relu1_1", image=FISH, image_size=32, groups=14, batch=14)
    assert len(list((run.folder / "pictures/relu1_1").glob("*.png"))) == 14


def test_networks_of_one_channel_and_see_through_pictures(tmp_path: Path) -> None:
    bench = Bench(load_model("digits", device="cpu"), tmp_path)
    layer = next(name for name, one in bench.model.layers.items() if one.kind == "ReLU")
    fields = {"layers": layer, "image": {"drawing": "star"}, "groups": 2, "size": None}
    run = bench.run("neuron_groups", **fields, param="image((24, 32), channels=1, alpha=True)")
    assert pixels(run, "image-1.png").shape[0] == 1
    assert pixels(run, f"pictures/{layer}/group-001.png").shape == (2, 24, 32)
    assert pixels(run, f"overlay-{layer}-1.png").shape[0] == pixels(run, f"groups-{layer}.png").shape[0] == 3


@pytest.mark.parametrize(
    ("fields", "key", "said"),
    [
        ({"image": None}, "image", "name one"),
        ({"images": [FISH]}, "images", "not both"),
        ({"layers": ["relu1_1", "relu9"]}, "layers[1]", "relu9"),
        ({"layers": "fc"}, "layers", "no positions"),
        ({"layers": ["relu1_1", "flat"]}, "layers[1]", "no positions"),
        ({"groups": 25}, "groups", "1 to 24 groups"),
        ({"layers": "relu4_1", "groups": 5}, "groups", "4 positions"),
        ({"groups": 0}, "groups", "from 1 to 256"),
        ({"max_iter": 0}, "max_iter", "from 1 to"),
        ({"cossim_pow": -1}, "cossim_pow", "from 0 to 16"),
        ({"image": {"drawing": "dragon"}}, "image", "dragon"),
        ({"image": "nowhere.jpg"}, "image", "nowhere.jpg"),
        ({"image": None, "images": [STAR, "nowhere.jpg"]}, "images[1]", "nowhere.jpg"),
        ({"image": None, "images": []}, "images", "least one"),
        ({"image": torch.zeros(3, 8, 8)}, "image", "8 x 8"),
        ({"image": None, "image_size": None, "images": [torch.zeros(3, 8, 8), STAR]}, "images[1]", "one size"),
        ({"image_size": [4, 32, 32]}, "image_size", "height and width"),
        ({"image_size": 0}, "image_size", "from 1 to"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_does_not_fit_is_refused_with_its_field(bench: Bench, fields: dict[str, Any], key: str, said: str) -> None:
    with pytest.raises(FieldError, match=said) as caught:
        bench.plan("neuron_groups", **{"layers": "relu1_1", "image": STAR, "image_size": 32, **fields})
    assert str(caught.value).startswith(f"{key}")


def test_a_layer_that_says_nothing_about_the_picture_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Model, "activations", lambda self, images, layers: {layers: -torch.ones(1, 24, 2, 2)})
    with pytest.raises(FieldError, match=r"layers: 'relu1_1' is nowhere above zero"):
        bench.plan("neuron_groups", layers="relu1_1", image=STAR, image_size=32)


def test_listing_and_planning_other_kinds_does_not_load_scikit_learn() -> None:
    code = "import sys, lucidtorch.recipes, lucidtorch.analysis; print('sklearn' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def assert_shows(file: torch.Tensor, image: torch.Tensor) -> None:
    """A PNG holds an image, in steps of 1/255."""
    torch.testing.assert_close(file, image, atol=0.51 / 255, rtol=0)
