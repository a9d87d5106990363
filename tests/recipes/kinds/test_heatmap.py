from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from recipe_runs import Bench, contents, pixels
from small_networks import as_model
from small_transformers import torchvision_vit
from torch import Tensor, nn

from lucidtorch.analysis import heat_overlay, upscaled
from lucidtorch.base.images import sheet
from lucidtorch.models.inputs.convention import InputConvention
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.inputs import Drawing, read_image
from lucidtorch.recipes.runs.result import Run

STAR: dict[str, Any] = {"drawing": "star", "number": 1}
FISH: dict[str, Any] = {"drawing": "fish"}
CAMS = ["grad_cam", "grad_cam_plus_plus", "layer_cam"]
TALL: dict[str, Any] = {"image": STAR, "size": [64, 48], "patch": 16, "stride": 16}


def drawn(size: tuple[int, int] = (64, 48), channels: int = 3, **words: Any) -> Tensor:
    return torch.tensor(read_image(Drawing(**words), size, channels, Path()).numpy(), dtype=torch.float32)


def stored(run: Run, file: str) -> Tensor:
    return torch.from_numpy(np.load(run.folder / file)).float()


def maps_of(run: Run, picture: int = 0, target: int = 0) -> dict[str, dict[str, Any]]:
    """What is said of the maps of one target, by their method."""
    return {one["method"]: one for one in run.story.facts["pictures"][picture]["targets"][target]["maps"]}


class Halves(nn.Module):
    """Two channels, of which one sees the left half and one the right, and two heads that read one each."""

    def __init__(self) -> None:
        super().__init__()
        self.seen = nn.ReLU()
        self.left = nn.Linear(2, 2, bias=False)
        self.right = nn.Linear(2, 3, bias=False)
        with torch.no_grad():
            self.left.weight.copy_(torch.tensor([[1.0, 0], [-1, 0]]))
            self.right.weight.copy_(torch.tensor([[0.0, -1], [0, 1], [0, 0]]))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        half = images.shape[-1] // 2
        light = images.mean(1)
        found = self.seen(torch.stack([F.pad(light[..., :half], (0, half)), F.pad(light[..., half:], (half, 0))], 1))
        return {"left": self.left(found.mean((2, 3))), "right": self.right(found.mean((2, 3)))}


@pytest.fixture
def halves(tmp_path: Path) -> Bench:
    names = {"left": ["light", "dark"], "right": ["dark", "light", "red"]}
    convention = InputConvention(size=(16, 16))
    return Bench(Model(Halves(), convention, name="halves", heads=names), tmp_path)


def test_the_maps_are_those_of_the_gradients_taken_by_hand(bench: Bench, demo: Model) -> None:
    run = bench.run("heatmap", methods=CAMS, layers="relu3_2", classes=["star"], image=STAR, size=[64, 48])
    image, star = drawn(**STAR), demo.label_index("star")
    kept: dict[str, Tensor] = {}

    def keep(layer: nn.Module, inputs: Any, output: Tensor) -> None:
        kept["layer"] = output

    handle = demo.module.get_submodule("relu3_2").register_forward_hook(keep)
    logits = demo.module(demo.normalize(image[None].requires_grad_()))
    handle.remove()
    slopes = torch.autograd.grad(logits[0, star], kept["layer"])[0][0].double()
    values, logits = kept["layer"].detach()[0].double(), logits.detach()
    wanted = {
        "grad_cam": (slopes.mean((1, 2))[:, None, None] * values).sum(0).relu(),
        "layer_cam": (slopes.relu() * values).sum(0).relu(),
    }
    mass = values.sum((1, 2))[:, None, None]
    alpha = (slopes**2 / (2 * slopes**2 + mass * slopes**3)).nan_to_num(0)
    weights = (alpha * slopes.relu()).sum((1, 2))
    wanted["grad_cam_plus_plus"] = (weights[:, None, None] * values).sum(0).relu()
    for method, own in wanted.items():
        torch.testing.assert_close(stored(run, f"maps/1/1-relu3_2-{method}.npy"), own.float(), rtol=1e-3, atol=1e-6)
        shown = heat_overlay(image, upscaled(own[None], (64, 48))[0])
        torch.testing.assert_close(pixels(run, f"maps/1/1-relu3_2-{method}.png"), shown, atol=2 / 255, rtol=0)
    target = run.story.facts["pictures"][0]["targets"][0]
    assert (target["name"], target["objective"]) == ("star", f"logit({star})")
    assert target["score"] == pytest.approx(float(logits[0, star]), rel=1e-4)
    assert target["probability"] == pytest.approx(float(logits[0].softmax(0)[star]), rel=1e-3)


def test_occlusion_is_the_drop_of_the_score_under_the_mean_colour(bench: Bench, demo: Model) -> None:
    run = bench.run("heatmap", methods=["occlusion"], objective="conv3_1:5", **TALL)
    image = drawn(**STAR)

    def score(one: Tensor) -> float:
        return float(demo.activations(one[None], "conv3_1")["conv3_1"][0, 5].mean())

    clean, wanted = score(image), torch.zeros(64, 48)
    for row in range(0, 64, 16):
        for column in range(0, 48, 16):
            hidden = image.clone()
            hidden[:, row : row + 16, column : column + 16] = torch.tensor(demo.convention.mean_colour)[:, None, None]
            wanted[row : row + 16, column : column + 16] = clean - score(hidden)
    torch.testing.assert_close(stored(run, "maps/1/1-occlusion.npy"), wanted, rtol=1e-3, atol=1e-5)
    fact = maps_of(run)["occlusion"]
    assert fact["drop"] == pytest.approx(float(wanted.max()), rel=1e-3)
    row, column = divmod(int(wanted.argmax()), 48)
    assert fact["peak"] == (column + 8, row + 8)
    heat = wanted.clamp(min=0).flatten().sort(descending=True).values
    assert fact["top_quarter"] == pytest.approx(float(heat[: 64 * 48 // 4].sum() / heat.sum()), rel=1e-3)
    assert run.recipe.model_dump()["fill"] == demo.convention.mean_colour
    assert run.recipe.model_dump()["layers"] is None


def test_the_page_has_a_row_for_each_answer_and_a_column_for_each_method(bench: Bench, demo: Model) -> None:
    run = bench.run("heatmap", images=[STAR, FISH], best=2, methods=["layer_cam", "occlusion"], size=48, patch=24)
    legend, star, fish = run.story.sections
    assert [one.file for one in legend.figures] == ["legend.png"]
    assert (star.heading, fish.heading) == ("star 1", "fish")
    assert star.column_names == ("the picture", "Layer-CAM", "occlusion")
    files = [f"maps/1/{row}-relu4_2-layer_cam.png" for row in (1, 2)]
    rows = [["image-1.png", file, f"maps/1/{row}-occlusion.png"] for row, file in enumerate(files, 1)]
    assert [one.file for one in star.figures] == rows[0] + rows[1]
    likely = demo.activations(drawn((48, 48), **STAR)[None], "logits")["logits"][0].softmax(0)
    best = likely.argsort(descending=True)[:2].tolist()
    assert demo.labels is not None
    names = [demo.labels[number] for number in best]
    assert [one.split(",")[0] for one in star.row_names] == names
    assert star.table is not None
    assert [row[0] for row in star.table.rows] == [f"{name}: logit({at})" for name, at in zip(names, best, strict=True)]
    whole = sheet(torch.stack([pixels(run, file).expand(3, -1, -1) for row in rows for file in row]), 3)
    torch.testing.assert_close(pixels(run, "sheet-1.png"), whole, atol=0.51 / 255, rtol=0)
    assert run.story.main == "sheet-1.png"
    torch.testing.assert_close(pixels(run, "image-2.png"), drawn((48, 48), **FISH), atol=0.51 / 255, rtol=0)


def test_several_layers_share_the_rows_of_occlusion(bench: Bench) -> None:
    fields = {"methods": ["grad_cam", "occlusion"], "layers": ["relu4_2", "relu2_1"], "objectives": ["logit(3)"]}
    run = bench.run("heatmap", **fields, **TALL)
    section = run.story.sections[1]
    assert section.row_names == ("logit(3) (relu2_1)", "logit(3) (relu4_2)")
    assert [one.file for one in section.figures[2::3]] == ["maps/1/1-occlusion.png"] * 2
    assert stored(run, "maps/1/1-relu2_1-grad_cam.npy").shape == (16, 12)


def test_each_head_shows_the_half_that_it_looks_at(halves: Bench) -> None:
    image = 0.3 + 0.7 * torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
    run = halves.run("heatmap", image=image, size=None, patch=4, stride=4, fill=0)
    facts = run.story.facts["pictures"][0]
    assert [one["name"] for one in facts["targets"]] == ["left: light", "right: light"]
    assert [one["objective"] for one in facts["targets"]] == ["logit(0, layer='left')", "logit(1, layer='right')"]
    assert run.recipe.model_dump()["heads"] == ("left", "right")
    for place, half in enumerate((slice(0, 8), slice(8, 16))):
        for one in maps_of(run, target=place).values():
            found = stored(run, one["file"])
            assert float(found.sum()) > 0
            torch.testing.assert_close(found[:, half].sum(), found.sum())
            assert half.start <= one["peak"][0] < half.stop


def test_a_name_is_looked_for_in_the_heads_that_are_chosen(halves: Bench) -> None:
    image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
    fields: dict[str, Any] = {"image": image, "size": None, "methods": ["layer_cam"]}
    run = halves.run("heatmap", "both", classes=["dark", 1, "red"], **fields)
    names = [one["name"] for one in run.story.facts["pictures"][0]["targets"]]
    assert names == ["left: dark", "right: dark", "right: light", "right: red"]  # dark of the left head once
    run = halves.run("heatmap", "one", classes=["dark"], heads=["right"], **fields)
    assert [one["objective"] for one in run.story.facts["pictures"][0]["targets"]] == ["logit(0, layer='right')"]
    for wrong, said in (({"classes": [2]}, "head 'left' has no class 2"), ({"classes": ["blue"]}, "no class 'blue'")):
        with pytest.raises(FieldError, match=said):
            halves.run("heatmap", "wrong", **wrong, **fields)


def test_a_map_of_what_speaks_against_a_class_is_bare(halves: Bench) -> None:
    image = torch.ones(3, 16, 16)
    run = halves.run("heatmap", image=image, size=None, classes=["dark"], heads=["left"], methods=CAMS)
    for one in maps_of(run).values():
        assert (one["largest"], one["peak"], one["top_quarter"]) == (0, None, None)
        shown = pixels(run, one["file"].replace(".npy", ".png"))
        torch.testing.assert_close(shown, torch.full((3, 16, 16), 0.75), atol=0.51 / 255, rtol=0)
    section = run.story.sections[1]
    assert [one.caption for one in section.figures[1:]] == ["nowhere above zero"] * 3
    assert section.table is not None
    assert section.table.rows[0][-3:] == (None, None, None)


@pytest.mark.parametrize(
    ("name", "layer"),
    [
        ("squeezenet1_0", "features.12"),
        ("resnet18", "layer4.1"),
        ("mobilenet_v2", "features.18.2"),
        ("lines", "trunk.relu4"),
    ],
)
def test_the_deepest_layer_with_places_is_read_behind_its_relu(tmp_path: Path, name: str, layer: str) -> None:
    own = {} if name == "lines" else {"weights": "random"}
    bench = Bench(load_model(name, device="cpu", **own), tmp_path)
    plan = bench.plan("heatmap", image=STAR, size=64, methods=["grad_cam"])
    assert plan.fields["layers"] == (layer,)


def test_the_layer_stands_before_what_is_explained(bench: Bench) -> None:
    fields = {"image": STAR, "size": 48, "methods": ["grad_cam"]}
    assert bench.plan("heatmap", objectives=["logit(1)", "conv3_1:2"], **fields).fields["layers"] == ("relu2_2",)
    with pytest.raises(FieldError, match=r"layers: No layer with places"):
        bench.plan("heatmap", objective="conv1_1:2", **fields)


def test_the_resolved_recipe_gives_the_same_folder(bench: Bench, tmp_path: Path) -> None:
    for name, level in (("one", 90), ("two", 200)):
        pattern = np.random.default_rng(level).integers(0, 255, (30, 40, 3), dtype=np.uint8)
        Image.fromarray(pattern).save(tmp_path / f"{name}.png")
    first = bench.run("heatmap", images=[tmp_path / "one.png", tmp_path / "two.png"], size=[32, 48], best=2, patch=16)
    assert contents(bench.again(first).folder) == contents(first.folder)
    resolved = first.recipe.model_dump()
    assert (resolved["patch"], resolved["stride"], resolved["layers"]) == (16, 8, ("relu4_2",))
    assert (resolved["best"], resolved["heads"], resolved["size"]) == (2, ("logits",), (32, 48))
    of_one = bench.run("heatmap", "cams", image=STAR, objective="conv3_1:5", methods=["layer_cam"])
    assert contents(bench.again(of_one, "cams again").folder) == contents(of_one.folder)


def test_the_square_is_a_seventh_of_the_shorter_side_where_nobody_says(bench: Bench) -> None:
    fields = bench.plan("heatmap", image=STAR, size=[32, 48]).fields
    assert (fields["patch"], fields["stride"]) == (4, 2)
    fields = bench.plan("heatmap", image=STAR, size=[32, 48], patch=1).fields
    assert (fields["patch"], fields["stride"]) == (1, 1)


def test_networks_of_one_channel(tmp_path: Path) -> None:
    bench = Bench(load_model("digits", device="cpu"), tmp_path)
    run = bench.run("heatmap", image=STAR, size=None, patch=16, fill=[0.5])
    assert pixels(run, "image-1.png").shape == (1, 32, 32)
    assert pixels(run, "maps/1/1-relu3-grad_cam.png").shape == (3, 32, 32)
    assert run.recipe.model_dump()["fill"] == (0.5,)


def test_networks_without_heads_need_an_objective(tmp_path: Path) -> None:
    bench = Bench(as_model(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU(), nn.Conv2d(4, 2, 3))), tmp_path)
    image = torch.rand(3, 16, 16, generator=torch.Generator().manual_seed(0))
    fields: dict[str, Any] = {"image": image, "size": None, "methods": ["grad_cam"]}
    with pytest.raises(FieldError, match=r"objective: .* an objective is needed"):
        bench.plan("heatmap", **fields)
    assert bench.plan("heatmap", objective="channel('2', 1)", **fields).fields["layers"] == ("1",)


@pytest.mark.parametrize(
    ("fields", "key", "said"),
    [
        ({"methods": []}, "methods", "least one"),
        ({"methods": ["layer_cam", "layer_cam"]}, "methods", "stands once"),
        ({"methods": ["layer_cam"], "patch": 3}, "patch", "not among the methods"),
        ({"methods": ["occlusion"], "layers": "relu4_2"}, "layers", "reads no layer"),
        ({"objective": "conv3_1:5", "best": 2}, "best", "objective or best"),
        ({"objective": "conv3_1:5", "heads": ["logits"]}, "heads", "names its layers itself"),
        ({"objectives": ["conv3_1:5", "conv9:5"]}, "objectives[1]", "conv9"),
        ({"objective": "channel('conv3_1', [1, 2])"}, "objective", "speaks of 2 images"),
        ({"objective": "total_variation('input')"}, "objective", "of no layer"),
        ({"objective": "logit('dragon')"}, "objective", "dragon"),
        ({"classes": ["star", "dragon"]}, "classes[1]", "dragon"),
        ({"classes": [51]}, "classes[0]", "no class 51"),
        ({"heads": ["colour"]}, "heads[0]", "no head 'colour'"),
        ({"layers": ["relu4_2", "fc"]}, "layers[1]", "has no places"),
        ({"layers": "mean"}, "layers", "has no places"),
        ({"layers": "relu4_2", "objective": "conv3_1:5"}, "layers", "stands behind all"),
        ({"patch": 49}, "patch", "do not fit into a side of 48"),
        ({"patch": 8, "stride": 9}, "stride", "at most 8"),
        ({"fill": [0.5, 0.5]}, "fill", "has 3 numbers"),
        ({"fill": 1.5}, "fill", "from 0 to 1"),
        ({"image": None}, "image", "name one"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_does_not_fit_is_refused_with_its_field(bench: Bench, fields: dict[str, Any], key: str, said: str) -> None:
    with pytest.raises(FieldError, match=said) as caught:
        bench.plan("heatmap", **{"image": STAR, "size": 48, **fields})
    assert str(caught.value).startswith(f"{key}")


def test_the_maps_of_a_transformer_are_read_off_its_last_tokens_that_matter(tmp_path: Path) -> None:
    torch.manual_seed(0)
    bench = Bench(as_model(torchvision_vit(), size=32), tmp_path)
    with pytest.raises(FieldError, match=r"layers: .* methods: \[occlusion\]"):
        bench.plan("heatmap", image=STAR, size=32, layers="encoder.layers.encoder_layer_1.self_attention")
    # behind its attention, only the class token goes on to the scores
    assert bench.plan("heatmap", image=STAR, size=32).fields["layers"] == ("encoder.layers.encoder_layer_1.ln_1",)
    run = bench.run("heatmap", image=STAR, size=32, methods=["grad_cam"], best=3)
    maps = [np.load(file) for file in run.folder.glob("maps/**/*.npy")]
    assert len(maps) == 3
    assert max(float(one.max()) for one in maps) > 0


def test_the_dog_and_the_cat_are_found_where_they_are(test_data: Path, tmp_path: Path) -> None:
    weights = test_data / "weights" / "squeezenet1_0_imagenet.safetensors"
    labels = test_data / "weights" / "imagenet_labels.txt"
    network = load_model("squeezenet1_0", weights=weights, labels=labels, device="cpu")
    run = Bench(network, tmp_path).run(
        "heatmap",
        image=test_data / "photos" / "dog_cat.jpg",
        size=224,
        classes=["Labrador retriever", "tabby"],
        patch=56,
        stride=56,
        batch=8,
    )
    for method in (*CAMS, "occlusion"):
        dog, cat = (maps_of(run, target=place)[method]["peak"] for place in (0, 1))
        assert 30 <= dog[0] < 140, method  # of the photo cut to 224 x 224: the dog sits left of column 140,
        assert 155 <= cat[0] < 224, method  # and the kitten right of column 155, below row 90
        assert cat[1] >= 90, method
