"""A picture carries what it takes to make it again: the same bytes, whatever it was made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from small_networks import as_model, mixing
from torch import nn

import lucidtorch as lt
from lucidtorch.base.defaults import record_text
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.images import encode_png
from lucidtorch.base.records import settings_text
from lucidtorch.models.model import Model
from lucidtorch.objectives import channel, direction, diversity, each, logit
from lucidtorch.rendering import Rendering, Step

Case = tuple[lt.objectives.Objective | str, dict[str, Any]]


def random_image(*shape: int) -> torch.Tensor:
    return torch.rand(*shape, generator=torch.Generator().manual_seed(1)) * 0.8 + 0.1


def random_direction(count: int) -> list[float]:
    return torch.randn(count, generator=torch.Generator().manual_seed(2)).tolist()


CASES: dict[str, Case] = {
    "single": ("conv2_1:3", {}),
    "seed": ("conv2_1:3", {"seed": 2**62}),
    "sheet": (channel("conv2_1", 3) - 100 * diversity("conv2_1"), {"param": lt.param.image(24, batch=4)}),
    "several seeds": ("conv2_1:[1, 2, 3]", {"seed": [5, 0, 7]}),
    "each": (each(channel("conv1_1", 2), -channel("conv1_2", 1), logit(3)), {}),
    "label": ("logit('stripes') - 0.5 * logit(2)", {}),
    "snapshots": ("conv2_1:3", {"steps": 4, "snapshots": (1, 3)}),
    "one step": ("conv2_1:3", {"steps": 1}),
    "sgd": ("conv2_1:3", {"optimizer": "sgd", "lr": 0.7}),
    "tiny rate": ("conv2_1:3", {"lr": 1e-7 / 3}),
    "identity": ("conv2_1:3", {"transforms": "identity()"}),
    "transforms": ("conv2_1:3", {"transforms": "pad(5) | jitter(3) | rotate(-20, 20) | scale(0.8, 1.3)"}),
    "fixed size": ("logit(1)", {"transforms": "jitter(2) | crop_or_pad_to(40, 33)"}),
    "pixels": ("conv2_1:3", {"param": "image(24, fft=False, decorrelate=False, sd=0.5)"}),
    "odd and oblong": ("conv2_1:3", {"param": lt.param.image((33, 20), decay=0.5)}),
    "small start image": ("conv2_1:3", {"param": lt.param.image(4, init=random_image(3, 4, 4))}),
    "start image": ("conv2_1:3", {"param": lt.param.image((24, 20), init=random_image(3, 24, 20))}),
    "start images": ("conv2_1:3", {"param": lt.param.image(24, batch=2, init=random_image(2, 3, 24, 24))}),
    "short direction": (direction("conv2_1", random_direction(48)), {}),
    "long direction": (direction("conv4_1", random_direction(128)), {}),
    "a few at a time": ("conv2_1:[1, 2, 3]", {"engine": lt.Engine(compute_batch=2)}),
    "fewer later": ("conv2_1:[1, 2, 3] - diversity('conv2_1')", {"engine": lt.Engine(compute_batch=[[1, 3], [2, 1]])}),
    "laid out as it was": ("conv2_1:3", {"engine": lt.Engine(channels_last=False, fold=False)}),
}
BESIDE = {"start image": 1, "start images": 1, "long direction": 1}  # files beside the picture


def rendered(model: Model, case: Case, **changes: Any) -> Rendering:
    goal, settings = case
    return lt.render(model, goal, **({"param": lt.param.image(24), "steps": 2, "progress": False} | settings | changes))


@pytest.mark.parametrize("case", CASES)
def test_a_picture_makes_itself_again(demo: Model, tmp_path: Path, case: str) -> None:
    first = rendered(demo, CASES[case])
    path = first.save(tmp_path / "first" / "one.png")
    assert len(list(path.parent.iterdir())) == 1 + BESIDE.get(case, 0)
    torch.rand(3)  # the global random state plays no part
    again = lt.recipes.rerun(path, tmp_path / "second" / "two.png")
    assert (tmp_path / "second" / "two.png").read_bytes() == path.read_bytes()
    assert torch.equal(again.images, first.images)
    assert again.recipe == first.recipe
    assert {number: one.tolist() for number, one in again.snapshots.items()} == {
        number: one.tolist() for number, one in first.snapshots.items()
    }
    third = lt.recipes.rerun(tmp_path / "second" / "two.png")  # what was made again can be made again
    assert torch.equal(third.images, first.images)


@pytest.mark.parametrize("images", [[0], [2], [2, 0], [1, 1, 1]])
def test_a_part_of_a_sheet_makes_itself_again(demo: Model, tmp_path: Path, images: list[int]) -> None:
    rendering = rendered(demo, ("conv2_1:[1, 2, 3]", {}))
    path = rendering.save(tmp_path / "part.png", images=images)
    assert lt.recipes.read_recipe(path).images == tuple(images)
    lt.recipes.rerun(path, tmp_path / "again.png")
    assert (tmp_path / "again.png").read_bytes() == path.read_bytes()


def test_a_movie_can_be_made_from_a_picture(demo: Model, tmp_path: Path) -> None:
    first = rendered(demo, CASES["snapshots"])
    first.save(tmp_path / "one.gif")
    lt.recipes.rerun(first.save(tmp_path / "one.png"), tmp_path / "two.gif")
    assert (tmp_path / "two.gif").read_bytes() == (tmp_path / "one.gif").read_bytes()


@pytest.mark.parametrize("name", ["digits", "lines", "inceptionv1", "resnet18"])
def test_other_networks(name: str, tmp_path: Path) -> None:
    model = lt.load_model(name, weights="random", device="cpu")
    layer = {"digits": "conv2", "lines": "trunk.conv2", "inceptionv1": "conv2d1_pre_relu", "resnet18": "layer1.0.conv1"}
    param = lt.param.image(32, channels=model.convention.channels)
    path = rendered(model, (channel(layer[name], 1), {"param": param})).save(tmp_path / "one.png")
    lt.recipes.rerun(path, tmp_path / "two.png")
    assert (tmp_path / "two.png").read_bytes() == path.read_bytes()


def test_real_weights_of_lucids_network(inceptionv1: Model, tmp_path: Path) -> None:
    path = rendered(inceptionv1, ("mixed3a_3x3_pre_relu:8", {"param": lt.param.image(48)})).save(tmp_path / "one.png")
    lt.recipes.rerun(path, tmp_path / "two.png")
    assert (tmp_path / "two.png").read_bytes() == path.read_bytes()


def test_what_was_said_of_the_network_is_said_again(tmp_path: Path) -> None:
    words = {"mean": [0.1, 0.2, 0.3], "std": 0.5, "value_range": (-1, 1), "size": 40, "labels": ["a", "b"]}
    model = lt.load_model("demo", weights="random", device="cpu", **words)  # type: ignore[arg-type]
    path = rendered(model, ("logit('b')", {})).save(tmp_path / "one.png")
    lt.recipes.rerun(path, tmp_path / "two.png")
    assert (tmp_path / "two.png").read_bytes() == path.read_bytes()


def test_a_labels_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "names.txt").write_text("one\ntwo\n")
    model = lt.load_model("demo", weights="random", device="cpu", labels=tmp_path / "names.txt")
    path = rendered(model, ("logit('two')", {})).save(tmp_path / "one.png")
    lt.recipes.rerun(path, tmp_path / "two.png")
    assert (tmp_path / "two.png").read_bytes() == path.read_bytes()


def test_a_module_of_ones_own_is_given_again(tmp_path: Path) -> None:
    model = as_model(mixing())
    path = rendered(model, ("4:1", {"param": lt.param.image(16)})).save(tmp_path / "one.png")
    lt.recipes.rerun(path, tmp_path / "two.png", model=model)
    assert (tmp_path / "two.png").read_bytes() == path.read_bytes()
    assert torch.equal(
        lt.recipes.rerun(path, model=as_model(mixing())).images, lt.recipes.rerun(path, model=model).images
    )


@pytest.mark.filterwarnings("ignore:.*does not say what input")
def test_the_bare_module_does_as_well(tmp_path: Path) -> None:
    with torch.random.fork_rng(devices=[]):
        module = nn.Sequential(nn.Conv2d(3, 4, 3))
    first = lt.render(module, "0:1", param=lt.param.image(16), steps=2, progress=False)
    path = first.save(tmp_path / "one.png")
    lt.recipes.rerun(path, tmp_path / "two.png", model=module)
    assert (tmp_path / "two.png").read_bytes() == path.read_bytes()


@pytest.mark.parametrize("count", [1, 2])
def test_it_computes_with_the_threads_of_the_picture_and_gives_ours_back(
    demo: Model, tmp_path: Path, count: int
) -> None:
    users = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        path = rendered(demo, CASES["single"]).save(tmp_path / "one.png")
        torch.set_num_threads(3 - count)
        seen: list[int] = []
        lt.recipes.rerun(path, tmp_path / "two.png", callbacks=[lambda step: seen.append(torch.get_num_threads())])
        assert (seen, torch.get_num_threads()) == ([count, count], 3 - count)
        assert (tmp_path / "two.png").read_bytes() == path.read_bytes()

        def fail(step: Step) -> None:
            raise ArithmeticError

        with pytest.raises(ArithmeticError):
            lt.recipes.rerun(path, callbacks=[fail])
        assert torch.get_num_threads() == 3 - count
    finally:
        torch.set_num_threads(users)


def test_callbacks_see_every_step_and_nothing_is_written_unasked(demo: Model, tmp_path: Path) -> None:
    path = rendered(demo, CASES["snapshots"]).save(tmp_path / "one.png")
    steps: list[tuple[int, int]] = []
    lt.recipes.rerun(path, callbacks=[lambda step: steps.append((step.number, step.steps))])
    assert steps == [(number, 4) for number in (1, 2, 3, 4)]
    assert [one.name for one in tmp_path.iterdir()] == ["one.png"]


def test_the_recipe_can_be_read(demo: Model, tmp_path: Path) -> None:
    path = rendered(demo, CASES["snapshots"], seed=9).save(tmp_path / "one.png")
    recipe = lt.recipes.read_recipe(path)
    assert (recipe.kind, recipe.model_name, recipe.objective) == ("render", "demo", "channel('conv2_1', 3)")
    assert (recipe.steps, recipe.snapshots, recipe.seed, recipe.batch) == (4, (1, 3), (9,), 1)
    assert (recipe.param, recipe.lr, recipe.images) == (record_text(lt.param.image(24)), 0.05, None)
    assert recipe.optimizer.startswith("adam(beta1=0.9, ")
    assert recipe.canvas == (48, 48)
    assert recipe.versions["torch"].split("+")[0] == torch.__version__.split("+")[0]


def interrupting(after: int) -> Callable[[Step], None]:
    def stop(step: Step) -> None:
        if step.number == after:
            raise KeyboardInterrupt

    return stop


@pytest.mark.parametrize("after", [1, 3])
def test_an_interrupted_picture_makes_itself_again_as_it_is(demo: Model, tmp_path: Path, after: int) -> None:
    case = ("conv2_1:3", {"steps": 5, "snapshots": (1, 4)})
    first = rendered(demo, case, callbacks=[interrupting(after)])
    assert first.interrupted
    path = first.save(tmp_path / "one.png")
    again = lt.recipes.rerun(path, tmp_path / "two.png")
    assert torch.equal(again.images, first.images)
    assert (tmp_path / "two.png").read_bytes() == path.read_bytes()


HOW = ("compute_batch", "channels_last", "fold", "winograd", "compile")


def test_a_picture_of_a_version_that_did_not_say_is_made_as_it_was(demo: Model, tmp_path: Path) -> None:
    """All images at once, in the network itself."""
    as_once: dict[str, Any] = {"compute_batch": 3, "channels_last": False, "fold": False, "winograd": False}
    param = lt.param.image(24, batch=3)
    first = rendered(demo, ("conv2_1:[1, 2, 3]", {"param": param, "steps": 3, "engine": lt.Engine(**as_once)}))
    silent = {name: value for name, value in first.recipe.items() if name not in HOW}
    path = tmp_path / "old.png"
    path.write_bytes(encode_png(first.sheet(), settings_text(silent)))
    again = lt.recipes.rerun(path)
    assert torch.equal(again.images, first.images)
    assert {name: again.recipe[name] for name in HOW} == {**as_once, "compile": False}
    usual = rendered(demo, ("conv2_1:[1, 2, 3]", {"param": param, "steps": 3, "engine": lt.Engine(compute_batch=1)}))
    assert not torch.equal(usual.images, first.images)  # so that the switches are seen to be off


@pytest.mark.parametrize("wrong", [0, "many", [[2, 4]], [[1, 4], [1, 2]], [[1, 4, 2]], [1, 4]])
def test_a_record_of_a_wrong_compute_batch_is_refused(demo: Model, tmp_path: Path, wrong: object) -> None:
    first = rendered(demo, ("conv2_1:0", {"steps": 1}))
    path = tmp_path / "wrong.png"
    path.write_bytes(encode_png(first.sheet(), settings_text({**first.recipe, "compute_batch": wrong})))
    with pytest.raises(BadInputError, match="compute_batch"):
        lt.recipes.rerun(path)
