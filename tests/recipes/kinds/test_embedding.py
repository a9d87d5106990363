from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from PIL import Image
from recipe_runs import Bench, contents, pixels

from lucidtorch.analysis import on_grid, pca, trustworthiness
from lucidtorch.datasets import drawings
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.runs.exhibit import run_html
from lucidtorch.recipes.story import Chart

LENGTH = 12
DATA: dict[str, Any] = {"drawings": "test", "length": LENGTH}
FIELDS: dict[str, Any] = {"layers": "relu1_2", "data": DATA, "method": "pca"}


def seen(demo: Model, layer: str, length: int = LENGTH, size: tuple[int, int] = (24, 24)) -> torch.Tensor:
    images = torch.stack([image for image, _ in drawings("test", length=length, size=size)])
    return demo.activations(images, layer)[layer]


def chart_of(run: Any) -> Chart:
    chart = run.story.sections[0].figures[0].chart
    assert chart is not None
    return chart


def test_each_image_stands_where_the_map_of_its_vectors_puts_it(bench: Bench, demo: Model) -> None:
    run = bench.run("embedding", **FIELDS)
    vectors = seen(demo, "relu1_2").mean((2, 3))
    found = pca(vectors)
    moved = found.places - found.places.min(0).values
    free, grid = chart_of(run).views
    torch.testing.assert_close(torch.tensor(free.places).double(), moved / moved.max(), atol=1e-3, rtol=0)
    cells = on_grid(found.places, 4)
    torch.testing.assert_close(torch.tensor(grid.places), (cells + 0.5) / 4, atol=1e-4, rtol=0)
    assert (free.packed, grid.packed, grid.side) == (False, True, 0.25)
    facts = run.story.facts["maps"]["relu1_2"]
    assert facts["cells"] == cells.tolist()
    assert facts["variance_kept"] == pytest.approx(found.kept, abs=1e-4)
    assert facts["trustworthiness"] == pytest.approx(trustworthiness(vectors, found.places, 5), abs=1e-3)
    assert facts["numbers"] == vectors.shape[1]


def test_flat_vectors_say_where_things_are(bench: Bench, demo: Model) -> None:
    run = bench.run("embedding", **FIELDS | {"pool": "flat"})
    values = seen(demo, "relu1_2")
    found = pca(values.flatten(1))
    assert run.story.facts["maps"]["relu1_2"]["numbers"] == values[0].numel()
    assert run.story.facts["maps"]["relu1_2"]["variance_kept"] == pytest.approx(found.kept, abs=1e-4)


def test_the_pictures_hold_every_image_in_its_place(bench: Bench) -> None:
    run = bench.run("embedding", **FIELDS, thumb=12)
    chart = chart_of(run)
    thumbs = pixels(run, chart.thumbnails)
    assert (chart.columns, chart.width, chart.height) == (4, 12, 12)
    assert thumbs.shape == (3, 36, 48)
    grid = pixels(run, "grid-relu1_2.png")
    for number, (column, row) in enumerate(run.story.facts["maps"]["relu1_2"]["cells"]):
        y, x = 12 * (number // 4), 12 * (number % 4)
        own = thumbs[:, y : y + 12, x : x + 12]
        assert torch.equal(grid[:, 12 * row : 12 * row + 12, 12 * column : 12 * column + 12], own)
    whole = torch.nn.functional.interpolate(
        drawings("test", length=LENGTH, size=(24, 24))[5][0][None], size=(12, 12), mode="bilinear", antialias=True
    )
    torch.testing.assert_close(thumbs[:, 12:24, 12:24], whole[0].clamp(0, 1), atol=0.51 / 255, rtol=0)


def test_every_layer_has_a_map_and_the_page_one_chart_of_all(bench: Bench) -> None:
    run = bench.run("embedding", **FIELDS | {"layers": ["logits", "relu1_2"], "size": [64, 48]})
    first, *layers, measures = run.story.sections
    assert [one.name for one in chart_of(run).views] == [
        f"{layer} {way}" for layer in ("relu1_2", "logits") for way in ("by PCA", "on a grid")
    ]
    assert [one.heading for one in layers] == ["relu1_2", "logits"]
    for one in layers:
        assert [figure.file for figure in one.figures] == [
            f"{part}-{one.heading}.png" for part in ("map", "grid", "classes")
        ]
    assert len(first.figures) == 1
    assert first.figures[0].file == run.story.main == "map-relu1_2.png"
    assert measures.table is not None
    assert [row[0] for row in measures.table.rows] == ["relu1_2", "logits"]
    chart = chart_of(run)
    assert (chart.width, chart.height) == (48, 64)
    assert chart.views[1].places[-1][1] <= 64 / 48
    shown = run_html(run.folder, run.recipe, run.story)
    assert "sheet" not in shown or "data:image" in shown
    assert "&#9679;" in shown  # the legend


def test_classes_have_colours_and_the_measures_know_them(bench: Bench, tmp_path: Path) -> None:
    for name, value in (("dark", 20), ("light", 220)):
        (tmp_path / "data" / name).mkdir(parents=True)
        for number in range(6):
            Image.new("RGB", (30, 30), (value + number, value, value)).save(tmp_path / "data" / name / f"{number}.png")
    run = bench.run("embedding", **FIELDS | {"data": str(tmp_path / "data")}, thumb=8)
    chart = chart_of(run)
    assert chart.group_names == ("dark", "light")
    assert chart.groups == (0,) * 6 + (1,) * 6
    assert chart.names[7] == "1.png (image 7)"
    facts = run.story.facts["maps"]["relu1_2"]
    assert facts["class_share_on_map"] == facts["class_share_in_layer"] == 1
    assert facts["class_share_by_chance"] == 0.5
    dots = run.story.sections[1].figures[2]
    assert dots.legend == tuple(zip(chart.group_names, chart.colours, strict=True))
    picture = pixels(run, dots.file)
    for colour in chart.colours:
        value = torch.tensor([int(colour[at : at + 2], 16) for at in (1, 3, 5)]) / 255
        assert bool(((picture - value[:, None, None]).abs().amax(0) < 2 / 255).any())


def test_photos_without_classes_and_broken_ones(bench: Bench, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    photos.mkdir()
    for number in range(5):
        noise = torch.randint(255, (20, 24, 3), generator=torch.Generator().manual_seed(number), dtype=torch.uint8)
        Image.fromarray(noise.numpy()).save(photos / f"{number}.png")
    (photos / "2b.png").write_bytes(b"no picture")
    run = bench.run("embedding", **FIELDS | {"data": str(photos)})
    assert chart_of(run).group_names == ()
    assert [one.file for one in run.story.sections[1].figures] == ["map-relu1_2.png", "grid-relu1_2.png"]
    assert [one["image"] for one in run.story.facts["skipped"]] == [3]
    assert "2b.png" in run.story.lead[-1]
    assert run.story.facts["maps"]["relu1_2"]["class_share_on_map"] is None
    assert contents(bench.again(run).folder) == contents(run.folder)


def test_the_resolved_recipe_gives_the_same_folder(bench: Bench) -> None:
    first = bench.run("embedding", layers="logits", data=DATA | {"length": 40}, most=20, iterations=250)
    fields = first.recipe.model_dump()
    assert (fields["perplexity"], fields["pca"], fields["neighbours"]) == (pytest.approx(19 / 3), 50, None)
    assert "spread evenly over all 40" in first.story.lead[0]
    assert len(chart_of(first).names) == 20
    assert contents(bench.again(first).folder) == contents(first.folder)


def test_networks_of_one_channel(tmp_path: Path) -> None:
    bench = Bench(load_model("digits", device="cpu"), tmp_path)
    fields = FIELDS | {"layers": "logits", "data": {"digits": "test"}, "most": 30, "size": 28}
    run = bench.run("embedding", **fields)
    assert pixels(run, chart_of(run).thumbnails).shape[0] == 1
    assert pixels(run, "map-logits.png").shape[0] == 1
    assert pixels(run, "classes-logits.png").shape[0] == 3
    assert len(run.story.sections[1].figures[2].legend) == 10


@pytest.mark.parametrize(
    ("fields", "key", "said"),
    [
        ({"data": None}, "data", "Name the images"),
        ({"layers": ["relu1_2", "relu9"]}, "layers[1]", "relu9"),
        ({"most": 3}, "most", "from 4 to 5000"),
        ({"data": DATA | {"length": 3}}, "data", "4 images at least, and there are 3"),
        ({"method": "som"}, "method", "'tsne', 'umap' or 'pca'"),
        ({"method": "tsne", "perplexity": 4}, "perplexity", "With 12 images it is at most 3.667, but 4"),
        ({"perplexity": 2}, "perplexity", "nothing to pca; leave it out, or write `method: tsne`"),
        ({"pca": 20}, "pca", "method: tsne or umap"),
        ({"method": "tsne", "neighbours": 3}, "neighbours", "method: umap"),
        ({"method": "tsne", "iterations": 20}, "iterations", "from 250"),
        ({"thumb": 4}, "thumb", "from 8 to 512"),
        ({"pool": "max"}, "pool", "'mean' or 'flat'"),
        ({"size": [4, 32, 32]}, "size", "height and width"),
        ({"data": "nowhere"}, "data", "nowhere"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_does_not_fit_is_refused_with_its_field(bench: Bench, fields: dict[str, Any], key: str, said: str) -> None:
    with pytest.raises(FieldError, match=said) as caught:
        bench.plan("embedding", **FIELDS | fields)
    assert str(caught.value).startswith(f"{key}:")


def test_what_does_not_fit_the_memory_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    place = "lucidtorch.recipes.kinds.embedding"
    monkeypatch.setattr(f"{place}.LARGEST", 1000)
    with pytest.raises(FieldError, match=r"pool: 'relu1_2' gives .* write `pool: mean`"):
        bench.plan("embedding", **FIELDS | {"pool": "flat"})
    monkeypatch.setattr(f"{place}.LARGEST_SHEET", 12 * 100)
    with pytest.raises(FieldError, match="thumb: Of 12 images it is at most 10, but 20"):
        bench.plan("embedding", **FIELDS | {"thumb": 20})


def test_images_that_are_all_the_same_to_a_layer_are_refused(bench: Bench) -> None:
    with pytest.raises(FieldError, match="layers: All vectors are the same"):
        bench.run("embedding", **FIELDS | {"data": torch.full((6, 3, 24, 24), 0.5)})


def test_umap_that_is_missing_is_said_first(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(FieldError, match=r"method: .*pip install 'lucidtorch\[umap\]'"):
        bench.plan("embedding", **FIELDS | {"method": "umap"})
