from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
import torch.nn.functional as F
from PIL import Image
from recipe_runs import Bench, contents, pixels
from small_networks import as_model
from torch import Tensor, nn

from lucidtorch.base.images import sheet
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.recipes.blame import FieldError
from lucidtorch.recipes.inputs import Drawing, read_image
from lucidtorch.recipes.runs.result import Run
from lucidtorch.recipes.story import Figure, Table

STAR: dict[str, Any] = {"drawing": "star", "number": 1}
FISH: dict[str, Any] = {"drawing": "fish"}
QUICK: dict[str, Any] = {"search": False}


def drawn(size: tuple[int, int] = (24, 24), channels: int = 3, **words: Any) -> Tensor:
    return torch.tensor(read_image(Drawing(**words), size, channels, Path()).numpy(), dtype=torch.float32)


def naive(model: Model, clean: Tensor, label: int, epsilon: float, steps: int, step_size: float) -> list[Tensor]:
    """The basic iterative method, written down without the library's own."""
    images = [clean]
    for _ in range(steps):
        image = images[-1].clone().requires_grad_(True)
        loss = F.cross_entropy(model.module.eval()(model.normalize(image[None])), torch.tensor([label]))
        moved = images[-1] + step_size * torch.autograd.grad(loss, image)[0].sign()
        images.append(torch.clamp(torch.clamp(moved, clean - epsilon, clean + epsilon), 0, 1))
    return images


def answers(model: Model, image: Tensor) -> Tensor:
    return model.activations(image[None], "logits")["logits"][0].double().softmax(0)


def table(run: Run, heading: str) -> Table:
    found = next(one.table for one in run.story.sections if one.heading == heading)
    assert found is not None
    return found


def column(of: Table, name: str) -> list[Any]:
    return [row[of.head.index(name)] for row in of.rows]


def test_the_iterations_are_those_of_the_naive_loop(bench: Bench, demo: Model) -> None:
    run = bench.run("adversarial", image=STAR, epsilon=0.25, steps=3, step_size=0.1, labels="star", **QUICK)
    clean, star = drawn(**STAR), demo.label_index("star")
    wanted = naive(demo, clean, star, 0.25, 3, 0.1)
    [fact] = run.story.facts["pictures"]
    assert [one["name"] for one in fact["iterations"]] == ["clean", "1", "2", "3"]
    for one, image in zip(fact["iterations"], wanted, strict=True):
        assert_shows(pixels(run, one["picture"]), image)
        found = answers(demo, image)
        assert one["answer"] == int(found.argmax())
        assert one["of_label"] == pytest.approx(float(found[star]), rel=1e-3)
        assert one["loss"] == pytest.approx(float(-found[star].log()), rel=1e-3)
    single = naive(demo, clean, star, 0.25, 1, 0.25)[-1]
    assert_shows(pixels(run, fact["fgsm"]["picture"]), single)
    assert_shows(pixels(run, "maps/logits/star_1-5309ee/change-0003.png"), 0.5 + 2 * (wanted[3] - clean))
    saved = answers(demo, pixels(run, fact["iterations"][-1]["picture"]))
    assert fact["saved"]["of_label"] == pytest.approx(float(saved[star]), rel=1e-4)


def test_the_table_goes_iteration_by_iteration(bench: Bench, demo: Model) -> None:
    run = bench.run("adversarial", images=[STAR, FISH], labels=["star", "fish"], epsilon="128/255", steps=4, **QUICK)
    found = table(run, "star 1")
    assert found.head[3:] == ("real label", "predicted label", "probability", "probability of real label", "loss")
    assert column(found, "iteration") == ["0 (clean)", "1", "2", "3", "4", "FGSM"]
    assert set(column(found, "real label")) == {"star"}
    iterations = [*run.story.facts["pictures"][0]["iterations"], run.story.facts["pictures"][0]["fgsm"]]
    labels = demo.labels or []
    assert column(found, "predicted label") == [labels[one["answer"]] for one in iterations]
    assert column(found, "probability") == [f"{one['probability']:.1%}" for one in iterations]
    cells = column(found, "picture")
    assert [one.file for one in cells if isinstance(one, Figure)] == [one["picture"] for one in iterations]


def test_without_labels_the_clean_answers_take_their_place_and_the_head_says_so(bench: Bench, demo: Model) -> None:
    run = bench.run("adversarial", image=STAR, epsilon=0.5, steps=2, **QUICK)
    answer = (demo.labels or [])[int(answers(demo, drawn(**STAR)).argmax())]
    found = table(run, "star 1")
    assert "real label" not in found.head
    assert set(column(found, "clean answer")) == {answer}
    assert "real label" not in table(run, "All pictures").head


def test_the_summary_tells_how_little_was_enough(bench: Bench, demo: Model) -> None:
    run = bench.run("adversarial", images=[STAR, FISH], epsilon=0.5, steps=2, largest=0.5)
    summary = table(run, "All pictures")
    assert column(summary, "picture") == ["star 1", "fish"]
    for fact, row in zip(run.story.facts["pictures"], summary.rows, strict=True):
        clean = drawn(**(STAR if fact["picture"] == "star 1" else FISH))
        label = int(answers(demo, clean).argmax())
        span = fact["smallest_epsilon_fgsm"]
        assert_moves(demo, clean, label, 1, span, row[-1])
        assert_moves(demo, clean, label, 2, fact["smallest_epsilon"], row[-2])


def assert_moves(model: Model, clean: Tensor, label: int, steps: int, span: dict[str, float] | None, cell: Any) -> None:
    """What was found is enough, what lies below is not, and the page says which it was."""
    if span is None:
        assert cell.startswith("not found up to 128/255")
        return
    assert cell == f"{255 * span['enough']:.3g}/255"
    for epsilon, moved in ((span["enough"], True), (span["too_little"], False)):
        images = naive(model, clean, label, epsilon, steps, epsilon if steps == 1 else 1.25 * epsilon / steps)[1:]
        assert any(int(answers(model, one).argmax()) != label for one in images) == moved


def test_a_target_is_approached(bench: Bench, demo: Model) -> None:
    run = bench.run("adversarial", image=STAR, target="fish", epsilon=1, steps=8, **QUICK)
    [fact] = run.story.facts["pictures"]
    odds = [one["of_target"] for one in fact["iterations"]]
    assert odds[0] == pytest.approx(float(answers(demo, drawn(**STAR))[demo.label_index("fish")]), rel=1e-4)
    assert odds[-1] > odds[0]
    first = next((at for at, one in enumerate(fact["iterations"]) if one["answer"] == demo.label_index("fish")), None)
    assert fact["first_changed"] == first
    assert table(run, "star 1").head[-1] == "probability of fish"


def test_a_picture_that_is_mistaken_from_the_start_needs_nothing(bench: Bench) -> None:
    run = bench.run("adversarial", image=STAR, labels="fish", epsilon=0.1, steps=2)
    [fact] = run.story.facts["pictures"]
    assert (fact["first_changed"], fact["smallest_epsilon"]) == (0, {"enough": 0.0, "too_little": 0.0})
    assert "before anything was changed" in run.story.sections[1].text[0]
    assert table(run, "All pictures").rows[0][-2:] == ("0/255", "0/255")


def test_the_page_goes_from_all_to_each(bench: Bench) -> None:
    run = bench.run("adversarial", images=[STAR, FISH], epsilon=0.5, steps=4, rows=2, **QUICK)
    assert [one.heading for one in run.story.sections] == ["All pictures", "Side by side", "star 1", "fish"]
    shown = [f"maps/logits/fish/{name}.png" for name in ("picture-clean", "change-0004", "picture-0004")]
    assert [one.file for one in run.story.sections[3].figures] == shown
    rows = column(table(run, "fish"), "iteration")
    first = run.story.facts["pictures"][1]["first_changed"]
    kept = sorted({0, 2, 4, *([first] if first else [])})
    assert rows == ["0 (clean)", *map(str, kept[1:]), "FGSM"]
    assert len(run.story.facts["pictures"][1]["iterations"]) == 5
    files = [pixels(run, file) for one in ("star_1-5309ee", "fish") for file in _three(one)]
    assert run.story.main == "sheet-logits.png"
    assert torch.equal(pixels(run, run.story.main), torch.round(sheet(torch.stack(files), 3) * 255) / 255)


def _three(folder: str) -> list[str]:
    return [f"maps/logits/{folder}/{name}.png" for name in ("picture-clean", "change-0004", "picture-0004")]


def test_the_resolved_recipe_gives_the_same_folder(bench: Bench, tmp_path: Path) -> None:
    pattern = torch.rand(3, 30, 40, generator=torch.Generator().manual_seed(0))
    Image.fromarray((pattern * 255).byte().permute(1, 2, 0).numpy()).save(tmp_path / "noise.png")
    Image.new("RGB", (40, 30), (200, 90, 30)).save(tmp_path / "plain.png")
    images = [tmp_path / "plain.png", tmp_path / "noise.png"]
    run = bench.run("adversarial", images=images, size=[64, 48], epsilon="8/255", random_start=True, largest=0.1)
    assert run.recipe.model_dump()["step_size"] == pytest.approx(1.25 * 8 / 255 / 2)
    assert contents(bench.again(run).folder) == contents(run.folder)
    assert column(table(run, "noise"), "iteration") == ["0 (clean)", "0 (random start)", "1", "2", "FGSM"]
    start = pixels(run, "maps/logits/noise/picture-start.png") - pixels(run, "maps/logits/noise/picture-clean.png")
    assert 0 < float(start.abs().max()) <= 8.01 / 255
    assert pixels(run, run.story.main).shape[1:] == (64 * 2 + 2, 48 * 3 + 4)


def test_a_network_of_one_channel(tmp_path: Path) -> None:
    bench = Bench(load_model("digits", device="cpu"), tmp_path)
    run = bench.run("adversarial", image=STAR, size=None, epsilon=0.3, largest=0.3)
    clean = drawn((32, 32), 1, **STAR)
    label = int(answers(bench.model, clean).argmax())
    wanted = naive(bench.model, clean, label, 0.3, 2, 1.25 * 0.15)[-1]
    assert_shows(pixels(run, "maps/logits/star_1-5309ee/picture-0002.png"), wanted)
    assert run.recipe.model_dump()["size"] == 32


def test_every_head_is_attacked_or_the_one_that_is_named(tmp_path: Path) -> None:
    bench = Bench(load_model("lines", device="cpu"), tmp_path)
    fields: dict[str, Any] = {"image": STAR, "size": None, "epsilon": 0.2, **QUICK}
    run = bench.run("adversarial", **fields)
    heads = ["length", "width", "angle", "colour"]
    assert column(table(run, "All pictures"), "head") == heads
    assert [one.heading for one in run.story.sections[1:]] == [f"star 1, {head}" for head in heads]
    assert {one.parent.parent.name for one in run.folder.glob("maps/*/*/picture-clean.png")} == set(heads)
    own = bench.run("adversarial", "own", **fields, head="colour", labels="yellow", target="red")
    assert own.story.facts["classes"]["colour"][:2] == ["red", "yellow"]
    assert set(column(table(own, "star 1"), "real label")) == {"yellow"}
    for field in ("labels", "target"):
        with pytest.raises(FieldError, match=rf"{field}: lines gives 4 answers.*length, width, angle, colour"):
            bench.plan("adversarial", **fields, **{field: "red"})


def test_classes_without_names_have_numbers_and_a_saturated_network_is_told(tmp_path: Path) -> None:
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layer = nn.Linear(2 * 8 * 8, 2)
    with torch.no_grad():
        layer.weight.mul_(1e6)
    bench = Bench(as_model(nn.Sequential(nn.Flatten(), layer), channels=2, size=8), tmp_path)
    image = torch.rand(2, 8, 8, generator=torch.Generator().manual_seed(1))
    run = bench.run("adversarial", image=image, size=None, **QUICK)
    [fact] = run.story.facts["pictures"]
    assert fact["saved"] is None
    assert set(run.story.facts["classes"]["logits"]) == {"class 0", "class 1"}
    assert "no pixel moved" in run.story.sections[1].text[0]
    assert table(run, "All pictures").rows[0][-1] is None


@pytest.mark.parametrize(
    ("fields", "key", "said"),
    [
        ({"image": None}, "image", "name one"),
        ({"image": "nowhere.jpg"}, "image", "nowhere.jpg"),
        ({"epsilon": "8/256"}, "epsilon", "8/255"),
        ({"epsilon": 0}, "epsilon", "above 0"),
        ({"epsilon": 1.5}, "epsilon", "at most 1"),
        ({"epsilon": float("nan")}, "epsilon", "above 0"),
        ({"step_size": "0/255"}, "step_size", "above 0"),
        ({"largest": "300/255"}, "largest", "at most 1"),
        ({"steps": 0}, "steps", "from 1 to 1000"),
        ({"rows": 0}, "rows", "from 1 to 1000"),
        ({"labels": ["star", "fish"]}, "labels", "2 labels are given for 1 picture;"),
        ({"labels": ["dragon"]}, "labels[0]", "no class 'dragon'"),
        ({"labels": 51}, "labels", "no class 51"),
        ({"labels": []}, "labels", "least one"),
        ({"target": "dragon"}, "target", "no class 'dragon'"),
        ({"head": "fc9"}, "head", "fc9"),
        ({"head": "relu1_1"}, "head", "no value for each of two classes"),
        ({"size": [4, 32, 32]}, "size", "height and width"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_does_not_fit_is_refused_with_its_field(bench: Bench, fields: dict[str, Any], key: str, said: str) -> None:
    with pytest.raises(FieldError, match=said) as caught:
        bench.plan("adversarial", **{"image": STAR, **fields})
    assert str(caught.value).startswith(f"{key}: ")


def test_a_network_that_names_no_answer_is_refused(tmp_path: Path) -> None:
    model = as_model(nn.Sequential(nn.Conv2d(3, 4, 3), nn.ReLU()))
    with pytest.raises(FieldError, match=r"head: .*does not say which layer is its answer"):
        Bench(model, tmp_path).plan("adversarial", image=STAR, size=None)


@pytest.mark.slow
def test_the_answers_to_all_photos_change(test_data: Path, tmp_path: Path) -> None:
    weights = test_data / "weights"
    model = f"model={{spec: squeezenet1_0, labels: {weights / 'imagenet_labels.txt'}}}"
    sets = [model, f"weights={weights / 'squeezenet1_0_imagenet.safetensors'}", f"images={test_data / 'photos'}"]
    sets += ["labels=null", "epsilon=8/255", "steps=10", "size=224"]
    options = [part for one in sets for part in ("--set", one)]
    command = [sys.executable, "-m", "lucidtorch", "run", "adversarial", "-o", str(tmp_path / "run"), *options]
    subprocess.run(command, check=True, capture_output=True)
    facts = json.loads((tmp_path / "run/data.json").read_text(encoding="utf-8"))["facts"]
    assert len(facts["pictures"]) == len(list((test_data / "photos").glob("*.jpg"))) == 17
    for one in facts["pictures"]:
        assert one["iterations"][0]["answer"] == one["label"]
        assert one["iterations"][10]["answer"] != one["label"]
        assert one["saved"]["answer"] != one["label"]
        assert 0 < one["smallest_epsilon"]["enough"] < 8 / 255


def assert_shows(file: Tensor, image: Tensor) -> None:
    """A PNG holds an image, in steps of 1/255, but for single pixels whose gradient is as good as zero."""
    far = ((file - image.clamp(0, 1)).abs() > 0.51 / 255).double().mean()
    assert float(far) < 0.005
