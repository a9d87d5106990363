"""Inversions: what is made small, how far the pictures are from the originals, and what the page says of it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import torch
from recipe_runs import Bench, contents, pixels, shown

from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.objectives.references import reference
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.inputs import Drawing, read_image

STAR: dict[str, Any] = {"drawing": "star", "number": 3}
FISH: dict[str, Any] = {"drawing": "fish"}
STAGES = ("relu1_1", "relu2_1", "relu3_1", "relu4_1")


def drawn(size: tuple[int, int], **words: Any) -> torch.Tensor:
    return torch.tensor(read_image(Drawing(**words), size, 3, Path()).numpy(), dtype=torch.float32)


def apart(model: Model, layer: str, picture: torch.Tensor, original: torch.Tensor) -> float:
    """The relative squared distance, as the paper writes it."""
    found, wanted = (model.activations(one[None], [layer])[layer].double() for one in (picture, original))
    return float(((found - wanted) ** 2).sum() / (wanted**2).sum())


def test_what_is_made_small_is_the_papers_loss_with_means(bench: Bench) -> None:
    fields = {"alpha": 4, "alpha_weight": 3, "tv_beta": 1.5, "tv_weight": 0.5, "size": [16, 20]}
    plan = bench.plan("inversion", layers="relu1_1", images=[STAR, FISH], **fields)
    (task,) = plan.tasks
    pictures = torch.rand(2, 3, 16, 20, generator=torch.Generator().manual_seed(1))
    given = torch.stack([drawn((16, 20), **one) for one in (STAR, FISH)])
    activations = {"input": pictures, "relu1_1": bench.model.activations(pictures, ["relu1_1"])["relu1_1"]}
    wanted = []
    for image, original in zip(pictures, given, strict=True):
        steps = (image[:, 1:, :-1] - image[:, :-1, :-1]) ** 2 + (image[:, :-1, 1:] - image[:, :-1, :-1]) ** 2
        natural = 3 * ((image - 0.5) ** 4).mean() + 0.5 * (steps**0.75).sum() / image.numel()
        wanted.append(-apart(bench.model, "relu1_1", image, original) - float(natural))
    for term in task.objective.walk():
        arguments = dict(getattr(term, "arguments", ()))
        if "image" in arguments:
            own = bench.model.activations(given, ["relu1_1"])["relu1_1"]
            activations[reference("relu1_1", arguments["image"])] = own
    assert task.objective(activations).tolist() == pytest.approx(wanted, rel=1e-4)
    assert repr(task.craft.transforms) == "identity()"
    assert task.craft.schedule.lr == 0.1


def test_a_weight_of_zero_leaves_its_part_out(bench: Bench) -> None:
    plan = bench.plan("inversion", layers="relu1_1", image=STAR, alpha_weight=0, tv_weight=0)
    assert repr(plan.tasks[0].objective).startswith("-inversion('relu1_1', array(")
    run = bench.run("inversion", layers="relu1_1", image=STAR, alpha_weight=0, tv_weight=0)
    assert "Nothing keeps the picture natural" in run.story.lead[1]


def test_layers_stand_in_order_and_pictures_have_seeds_of_their_own(bench: Bench) -> None:
    plan = bench.plan("inversion", layers=["relu2_1", "relu1_1"], images=[STAR, FISH, STAR])
    assert [name for task in plan.tasks for name, _ in shown(task)] == [
        f"pictures/{layer}/00{number}.png" for layer in ("relu1_1", "relu2_1") for number in (1, 2, 3)
    ]
    assert len({seed for task in plan.tasks for _, seed in shown(task)}) == 6
    assert [len(task.seeds) for task in plan.tasks] == [2, 2, 2, 2]


def test_the_page_tells_the_errors_of_the_files(bench: Bench) -> None:
    run = bench.run("inversion", layers=["relu1_1", "relu2_1"], images=[STAR, FISH], size=[48, 64], steps=3)
    facts = run.story.facts["errors"]
    originals = {"star 3": drawn((48, 64), **STAR), "fish": drawn((48, 64), **FISH)}
    for layer in ("relu1_1", "relu2_1"):
        for number, (name, original) in enumerate(originals.items(), 1):
            picture = pixels(run, f"pictures/{layer}/00{number}.png")
            assert facts[layer][name]["image"] == pytest.approx(float((picture - original).abs().mean()), rel=1e-4)
            for other, value in facts[layer][name]["layers"].items():
                assert value == pytest.approx(apart(bench.model, other, picture, original), rel=1e-4)
    first, numbers, elsewhere = run.story.sections
    assert (first.columns, first.row_names, first.column_names) == (
        3, ("star 3", "fish"), ("original", "relu1_1", "relu2_1")
    )  # fmt: skip
    assert numbers.table is not None
    assert [row[:2] for row in numbers.table.rows] == [("relu1_1", 24 * 24 * 32), ("relu2_1", 48 * 12 * 16)]
    assert elsewhere.table is not None
    assert elsewhere.table.head == ("made from", "relu1_1", "relu2_1")
    assert run.story.facts["loss"] == "feature error + 1 * mean of |x - 0.5|^6 + 1 * mean of (dx^2 + dy^2)^1"
    sheet = pixels(run, run.story.main)
    assert sheet.shape == (3, 2 * 48 + 2, 3 * 64 + 4)
    assert torch.equal(sheet[:, 50:, 66:130], pixels(run, "pictures/relu1_1/002.png"))


def test_many_layers_stand_under_each_picture(bench: Bench) -> None:
    layers = [name for name, one in bench.model.layers.items() if one.kind in ("Conv2d", "ReLU")][:9]
    run = bench.run("inversion", layers=layers, image=STAR, steps=1)
    assert run.story.sections[0].heading == "star 3"
    assert run.story.sections[0].columns is None
    assert len(run.story.sections[0].figures) == 10


def test_the_resolved_recipe_gives_the_same_folder(bench: Bench) -> None:
    image = torch.rand(3, 20, 28, generator=torch.Generator().manual_seed(2))
    first = bench.run("inversion", layers=["relu1_1", "relu2_1"], image=image, size=None)
    assert first.recipe.model_dump()["size"] == (20, 28)
    assert contents(bench.again(first).folder) == contents(first.folder)


def test_networks_of_one_channel(tmp_path: Path) -> None:
    bench = Bench(load_model("digits", device="cpu"), tmp_path)
    run = bench.run("inversion", layers=["relu1", "logits"], image={"drawing": "star"}, size=32)
    assert pixels(run, "pictures/relu1/001.png").shape == (1, 32, 32)
    assert set(run.story.facts["errors"]) == {"relu1", "logits"}


@pytest.mark.slow
def test_the_first_stage_is_inverted_and_the_error_grows_with_depth(bench: Bench) -> None:
    pictures = [STAR, {"drawing": "mushroom", "number": 1}, {"drawing": "butterfly", "number": 1}]
    fields = {"layers": list(STAGES), "images": pictures, "size": 96, "steps": 256, "batch": 3}
    facts = bench.run("inversion", **fields).story.facts["errors"]
    for name in ("star 3", "mushroom 1", "butterfly 1"):
        assert facts["relu1_1"][name]["layers"]["relu1_1"] < 0.01
        errors = [facts[layer][name]["image"] for layer in STAGES]
        assert errors == sorted(errors)
        assert errors[-1] > 3 * errors[0]


@pytest.mark.parametrize(
    ("fields", "key", "said"),
    [
        ({"image": None}, "image", "name one"),
        ({"image": "nowhere.jpg"}, "image", "nowhere.jpg"),
        ({"layers": ["relu1_1", "relu9"]}, "layers[1]", "relu9"),
        ({"alpha": 0.5}, "alpha", "from 1 to 64"),
        ({"tv_beta": 0}, "tv_beta", "from 1 to 16"),
        ({"alpha_weight": -1}, "alpha_weight", "from 0"),
        ({"tv_weight": float("nan")}, "tv_weight", "nan"),
        ({"transforms": None}, "transforms", "text"),
        ({"size": None, "param": "image(24, alpha=True)"}, "param", "without opacity"),
        ({"size": None, "param": "image((4, 24, 24))"}, "param", "Flat pictures"),
        ({"image": torch.zeros(3, 8, 8)}, "image", "8 x 8"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_does_not_fit_is_refused_with_its_field(bench: Bench, fields: dict[str, Any], key: str, said: str) -> None:
    with pytest.raises(FieldError, match=said) as caught:
        bench.plan("inversion", **{"layers": "relu1_1", "image": STAR, **fields})
    assert str(caught.value).startswith(f"{key}")


def test_a_silent_layer_is_refused(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Model, "activations", lambda self, images, layers: {one: torch.zeros(1, 2) for one in layers})
    with pytest.raises(FieldError, match=r"layers: 'relu1_1' is zero everywhere on star 3"):
        bench.plan("inversion", layers="relu1_1", image=STAR)
