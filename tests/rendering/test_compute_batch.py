"""How many images go through the network at once changes nothing but rounding, and nothing at all where it is equal."""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from guards.registry import own_objectives
from normalized_networks import blocks, seeded
from small_networks import Overflowing, Threshold, as_model, mixing
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError, LucidtorchWarning
from lucidtorch.models.model import Model
from lucidtorch.objectives import Activations, objective

IMAGES = 5
BATCHES = (1, 2)
CLOSE = 1e-5  # in float64, with what the optimizer makes of rounding
PICTURE = [[[0.1, 0.9, 0.4], [0.7, 0.2, 0.5], [0.3, 0.8, 0.6]]] * 3
Case = tuple[str, dict[str, Any]]


@pytest.fixture(scope="module")
def double() -> Model:
    """A small network with batch norm, in float64, where no rounding reaches what is compared."""
    return as_model(seeded(mixing).double())


@pytest.fixture(autouse=True)
def input_sum() -> Iterator[None]:
    """An objective whose gradient to the image is one number, seen many times."""
    with own_objectives():

        @objective
        def input_total(activations: Activations) -> Tensor:
            """The sum of the image."""
            return activations["input"].flatten(1).sum(1)

        yield


def rendered(model: Model, goal: str, batch: int | None, **more: Any) -> lt.Rendering:
    settings: dict[str, Any] = {"param": f"image(16, batch={IMAGES})", "steps": 3, "snapshots": (1, 3), "seed": 4}
    return lt.render(model, goal, engine=lt.Engine(compute_batch=batch), progress=False, **(settings | more))


def assert_alike(found: lt.Rendering, expected: lt.Rendering) -> None:
    assert torch.allclose(found.images, expected.images, atol=CLOSE)
    assert torch.allclose(found.values, expected.values, atol=CLOSE)
    assert found.history.keys() == expected.history.keys()
    for text, values in expected.history.items():
        assert torch.allclose(found.history[text], values, atol=CLOSE), text
    assert found.snapshots.keys() == expected.snapshots.keys()
    assert all(torch.allclose(found.snapshots[one], expected.snapshots[one], atol=CLOSE) for one in expected.snapshots)
    assert found.dead == expected.dead
    assert found.stopped == expected.stopped


CASES: dict[str, Case] = {
    "one unit": ("4:1", {}),
    "a unit each": ("channel('4', [0, 1, 2, 3, 4])", {}),
    "classes": ("logit([0, 1, 2, 3, 0])", {}),
    "each": ("each(0:1, -0:1, 4:2 * 0.5, logit(1), deepdream('0'))", {}),
    "interpolated": ("interpolate(0:1, 4:2, 5)", {}),
    "on one": ("0:1 + (4:2).on(3) - 2 * (4:1).on(0)", {}),
    "negative": ("negative(0:3)", {}),
    "penalties of the image": ("4:1 - 0.1 * total_variation() - 0.01 * L2(constant=0.5)", {}),
    "the image alone": ("-total_variation()", {}),
    "a number of the image": ("4:1 + 0.01 * input_total() - diversity('0')", {}),
    "coupled": ("4:1 - 0.5 * diversity('0')", {}),
    "neighbours": ("4:[0, 1, 2, 3, 4] - 2 * alignment('0') - alignment('input')", {}),
    "later": ("after(1, 4:1) - before(2, diversity('4'))", {}),
    "views": ("4:1", {"transforms": "crops(3)"}),
    "coupled views": ("4:1 - diversity('4')", {"transforms": "crops(2)"}),
    "a picture": (f"caricature('4', {PICTURE}) + 0:1", {"transforms": "jitter(2)", "param": "image(3, batch=5)"}),
    "remembering": (
        f"4:1 - 5 * style('0', {PICTURE}, decay=0.9)",
        {"transforms": "pad(4) | jitter(2)", "param": "image(3, batch=5)"},
    ),
    "opacity": ("4:1 - 0.1 * alpha_norm()", {"param": "image(16, batch=5, alpha=True)"}),
    "shared parts": ("4:[0, 1, 2, 3, 4]", {"param": "image(16, batch=5) + shared([2, 3, 4, 4])"}),
    "held to something": ("4:1", {"constraints": "blur(0.5, every=2) | decay(0.01)"}),
    "plain steps": ("4:1", {"optimizer": "sgd", "lr": 1.0}),
}


@pytest.mark.parametrize("case", CASES)
def test_it_changes_nothing(double: Model, case: str) -> None:
    goal, more = CASES[case]
    expected = rendered(double, goal, IMAGES, **more)
    assert not torch.equal(expected.snapshots[1], expected.snapshots[3])
    for batch in BATCHES:
        found = rendered(double, goal, batch, **more)
        assert found.recipe == expected.recipe | {"compute_batch": batch}
        assert_alike(found, expected)


@pytest.mark.filterwarnings("ignore:Dead")
@pytest.mark.parametrize("goal", ["after:[0, 1, 0, 1, 1]", "after:[0, 1, 0, 1, 1] - diversity('after')"])
def test_dead_units_are_found(goal: str) -> None:
    model = as_model(Threshold(0.5, 100.0).double())
    expected = rendered(model, goal, IMAGES)
    assert expected.dead == (False, True, False, True, True)
    for batch in BATCHES:
        assert_alike(rendered(model, goal, batch), expected)


@pytest.mark.parametrize("goal", ["c:1 + b:0 + a:0", "c:1 + b:0 + a:0 - 0 * alignment('input')"])
def test_an_image_that_stops_stops_at_the_same_step_and_layer(goal: str) -> None:
    model, stopped = as_model(Overflowing(0.52).double()), []
    bare: dict[str, Any] = {"snapshots": (), "transforms": "identity()"}
    for batch in (IMAGES, *BATCHES):
        with pytest.warns(LucidtorchWarning, match=r"stopped before step [0-9]+: 'b'"):
            found = rendered(model, f"each({goal}, -a:0, -a:0, {goal}, -a:0)", batch, steps=12, lr=0.2, **bare)
        stopped.append(found)
    assert set(stopped[0].stopped) >= {0, 3}
    for found in stopped[1:]:
        assert_alike(found, stopped[0])


def test_when_every_image_stopped_the_run_still_ends_with_pictures() -> None:
    model = as_model(Overflowing(0.52).double())
    more: dict[str, Any] = {"snapshots": (), "transforms": "identity()", "steps": 12, "lr": 0.2}
    for batch in (IMAGES, *BATCHES):
        with pytest.warns(LucidtorchWarning, match="stopped before step"):
            found = rendered(model, "c:1 + b:0 + a:0", batch, **more)
        assert set(found.stopped) == set(range(IMAGES))
        assert found.images.isfinite().all()


def test_constraints_that_ask_for_the_gradient(double: Model) -> None:
    more: dict[str, Any] = {"param": f"image(16, batch={IMAGES}, fft=False)", "constraints": "clip_contribution(30)"}
    expected = rendered(double, "4:1", IMAGES, **more)
    assert not torch.equal(expected.images, rendered(double, "4:1", IMAGES, **(more | {"constraints": ()})).images)
    for batch in BATCHES:
        assert_alike(rendered(double, "4:1", batch, **more), expected)


@pytest.mark.parametrize("batch", [1, 3, 8])
@pytest.mark.parametrize(
    "goal", ["{layer}:{units} - 0.1 * total_variation()", "{layer}:{units} - 0 * diversity('{layer}')"]
)
def test_an_image_depends_neither_on_its_place_nor_on_its_company(demo: Model, batch: int, goal: str) -> None:
    """Bit for bit, in float32 and as networks are run where nobody says anything; the last pass is filled up."""
    units, order = [2, 0, 3, 1, 2, 5, 4], [6, 2, 0, 5, 1, 4, 3]

    def made(order: list[int]) -> lt.Rendering:
        chosen = [units[place] for place in order]
        return rendered(
            demo,
            goal.format(layer="conv2_1", units=chosen),
            batch,
            param=f"image(32, batch={len(order)})",
            seed=[40 + place for place in order],
        )

    first, moved = made(list(range(7))), made(order)
    assert torch.equal(moved.images, first.images[order])
    assert torch.equal(moved.values, first.values[order])
    fewer = made([5, 5, 2, 5])
    assert torch.equal(fewer.images[[0, 1, 3]], first.images[[5, 5, 5]]) or batch > 4
    assert torch.equal(fewer.images[2], first.images[2]) or batch > 4


@pytest.mark.filterwarnings("ignore:No gradient")  # the unit sleeps in some of the start images
@pytest.mark.parametrize("goal", ["facet('0', '4', [1, 0, 0, 0, 0])", "4:1 + facet('0', '4', [1, 0, 0, 0, 0])"])
def test_where_gradients_are_taken_inside_a_smaller_batch_is_refused(double: Model, goal: str) -> None:
    assert rendered(double, goal, None).recipe["compute_batch"] == IMAGES
    with pytest.raises(BadInputError, match=rf"All {IMAGES} images must go through .* at once.*compute_batch out"):
        rendered(double, goal, 2)


def test_where_others_functions_may_mix_images_a_smaller_batch_is_refused(double: Model) -> None:
    def mixed(images: Tensor) -> Tensor:
        return (images + images.flip(0)) / 2

    found = rendered(double, "4:1", None, transforms=[mixed])
    assert found.recipe["compute_batch"] == IMAGES
    with pytest.raises(BadInputError, match="at once"):
        rendered(double, "4:1", 2, transforms=[mixed])
    assert rendered(double, "4:1", 8, transforms=[mixed]).recipe["compute_batch"] == IMAGES


class Masked(nn.Module):
    """It takes a mask beside the images."""

    def __init__(self) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 4, 3)

    def forward(self, images: Tensor, mask: Tensor) -> Tensor:
        return self.conv(images * mask)


def test_where_an_extra_input_has_a_row_for_each_image_a_smaller_batch_is_refused() -> None:
    def loaded(rows: int) -> Model:
        masks = torch.linspace(0.5, 1, rows * 3).reshape(rows, 3, 1, 1)
        return lt.load_model(Masked(), mean=0.0, std=1.0, size=16, inputs={"mask": masks})

    model = loaded(IMAGES)
    assert rendered(model, "conv:1", None).recipe["compute_batch"] == IMAGES
    with pytest.raises(BadInputError, match="a row for each image"):
        rendered(model, "conv:1", 2)
    model = loaded(1)
    assert torch.allclose(rendered(model, "conv:1", 2).images, rendered(model, "conv:1", None).images, atol=1e-4)


class Wide(nn.Module):
    """A layer of which one image has more numbers than a few images may."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, channels, 1)

    def forward(self, images: Tensor) -> Tensor:
        return self.conv(images)


def test_it_is_chosen_by_the_largest_activation_and_written_down() -> None:
    mebibyte = 2**18 // 16**2  # channels of 16 x 16 pixels
    small, large = (as_model(Wide(count)) for count in (8, 6 * mebibyte))
    settings: dict[str, Any] = {"transforms": "identity()", "steps": 1, "snapshots": ()}
    assert rendered(small, "conv:1", None, **settings).recipe["compute_batch"] == IMAGES
    assert rendered(large, "conv:1", None, **settings).recipe["compute_batch"] == 2
    coupled = rendered(large, "conv:1 - diversity('input')", None, **settings)
    assert coupled.recipe["compute_batch"] == IMAGES  # where images are compared, passes would be made twice


def median_difference(first: lt.Rendering, second: lt.Rendering) -> float:
    return float((first.images - second.images).abs().flatten(1).mean(1).median())


SWITCHES = {
    "compute batch": lt.Engine(compute_batch=3),
    "channels last": lt.Engine(channels_last=False),
    "folding": lt.Engine(fold=False),
    "all": lt.Engine(compute_batch=1, channels_last=False, fold=False, winograd=False),
}


@pytest.mark.parametrize("switch", SWITCHES)
@pytest.mark.parametrize("name", ["demo", "blocks"])
def test_switches_change_rounding_alone(demo: Model, name: str, switch: str) -> None:
    """In float32 the edge of a ReLU or a near tie in a pool may fall either way in one image, but not in most."""
    model, layer = (demo, "conv2_1") if name == "demo" else (as_model(seeded(blocks), size=32), "7")
    settings: dict[str, Any] = {"param": lt.param.image(32, batch=6), "seed": 3, "steps": 3, "progress": False}
    goal = f"{layer}:[0, 1, 2, 3, 4, 5]"
    usual = lt.render(model, goal, **settings)
    other = lt.render(model, goal, engine=SWITCHES[switch], **settings)
    assert median_difference(usual, other) < 1e-4


@pytest.mark.parametrize("switch", SWITCHES)
def test_switches_change_nothing_where_rounding_is_small(switch: str) -> None:
    module = seeded(blocks)
    model = as_model(copy.deepcopy(module).double(), size=32)
    found: list[Tensor] = []
    for engine in (lt.Engine(), SWITCHES[switch]):
        settings: dict[str, Any] = {"param": lt.param.image(32, batch=6), "steps": 3, "progress": False}
        found.append(lt.render(model, "7:[0, 1, 2, 3, 4, 5]", engine=engine, **settings).images)
    assert (found[0] - found[1]).abs().max() < CLOSE
