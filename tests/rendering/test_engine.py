"""How networks are run: what may be said, how many images go through at once, and what is written down."""

from __future__ import annotations

import math
from typing import Any

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

import lucidtorch as lt
from lucidtorch.base.errors import BadInputError
from lucidtorch.models.model import Model
from lucidtorch.rendering.settings import FLOAT_BYTES, LARGEST_ACTIVATION, MOST_AT_ONCE, Engine, evenly, sensible_batch

counts = st.integers(1, 10_000)


@given(batch=counts, pictures=counts)
def test_pictures_are_shared_out_evenly(batch: int, pictures: int) -> None:
    found = evenly(batch, pictures)
    assert 1 <= found <= min(batch, pictures)
    passes = math.ceil(pictures / batch)
    assert math.ceil(pictures / found) == passes  # not one more
    if found > 1:
        assert math.ceil(pictures / (found - 1)) > passes  # and none less full would do
    assert evenly(found, pictures) == found


@given(batch=st.integers(2, 10_000), pictures=counts)
def test_halving_always_comes_down_to_one(batch: int, pictures: int) -> None:
    seen = [evenly(batch, pictures)]
    while seen[-1] > 1:
        seen.append(evenly(seen[-1] // 2, pictures))
        assert seen[-1] <= seen[-2] // 2
    assert len(seen) <= 15


@given(largest=st.floats(0, 1e12), pictures=counts)
def test_a_sensible_batch_fits(largest: float, pictures: int) -> None:
    found = sensible_batch(largest, pictures)
    assert 1 <= found <= min(pictures, MOST_AT_ONCE)
    assert found == 1 or found * largest * FLOAT_BYTES <= LARGEST_ACTIVATION
    fitting = min(MOST_AT_ONCE, pictures)
    assert largest * FLOAT_BYTES * fitting > LARGEST_ACTIVATION or found == evenly(fitting, pictures)


def test_sensible_batches() -> None:
    one_fourth = LARGEST_ACTIVATION / FLOAT_BYTES / 4
    found = [sensible_batch(one_fourth, pictures) for pictures in (1, 3, 4, 5, 8, 9)]
    assert found == [1, 3, 4, 3, 4, 3]
    assert sensible_batch(0, 100) == 15  # seven passes of 15, not six of 16 and one of 4
    assert sensible_batch(1e12, 100) == 1


WRONG_BATCHES: list[Any] = [
    0,
    -1,
    True,
    2.0,
    "8",
    "",
    (),
    [[2, 8]],
    [[1, 8], [1, 4]],
    [[1, 8], [57, 0]],
    [[1, 8, 3]],
    [[57, 4], [1, 8]],
    [1, 8],
    {1: 8},
    [[1, True]],
]


@pytest.mark.parametrize("given", WRONG_BATCHES, ids=repr)
def test_wrong_compute_batches_are_refused_before_any_work(demo: Model, given: Any) -> None:
    with pytest.raises(BadInputError, match=r"compute_batch(=.)? (is|takes) a whole number"):
        lt.render(demo, "conv2_1:0", param=lt.param.image(16), engine=Engine(compute_batch=given), progress=False)


@pytest.mark.parametrize("name", ["channels_last", "fold", "winograd", "compile"])
@pytest.mark.parametrize("given", [1, None, "yes"], ids=repr)
def test_wrong_switches_are_refused_before_any_work(demo: Model, name: str, given: Any) -> None:
    more: dict[str, Any] = {name: given}
    with pytest.raises(BadInputError, match=f"{name}=.? takes True or False, but {given!r} was given"):
        Engine(**more)
    said = f"{name}=.? takes True or False, but {given!r} was given"
    with pytest.warns(DeprecationWarning, match="deprecated"), pytest.raises(BadInputError, match=said):
        lt.render(demo, "conv2_1:0", param=lt.param.image(16), progress=False, **more)
    with pytest.warns(DeprecationWarning, match="deprecated"), pytest.raises(BadInputError, match=said):
        lt.optimize(demo, "conv2_1:0", **more)


def test_an_engine_is_written_as_plain_data_and_read_again() -> None:
    for batches in (None, 8, ((1, 8), (57, 4))):
        engine = Engine("bfloat16", batches, fold=False)
        written = engine.to_dict()
        again = Engine(**written)  # type: ignore[arg-type]
        assert again == engine
        assert hash(again) == hash(engine)
    assert Engine(compute_batch=[[1, 8], [57, 4]]).to_dict()["compute_batch"] == [[1, 8], [57, 4]]
    assert Engine(compute_batch=[[1, 8], [57, 4]]).batches == {1: 8, 57: 4}
    assert Engine(compute_batch=8).batches == {1: 8}
    assert Engine().batches == {}
    assert Engine().with_batches({1: 8}) == Engine(compute_batch=8)
    assert Engine().with_batches({1: 8, 57: 4}) == Engine(compute_batch=((1, 8), (57, 4)))


def test_more_than_there_are_images_means_all_of_them(demo: Model) -> None:
    param = lt.param.image(24, batch=3)
    found = lt.render(demo, "conv2_1:0", param=param, steps=1, engine=Engine(compute_batch=99), progress=False)
    assert found.recipe["compute_batch"] == 3


def test_the_record_says_how_the_network_was_run(demo: Model) -> None:
    settings: dict[str, Any] = {"param": lt.param.image(24, batch=3), "steps": 1, "progress": False}
    usual = lt.render(demo, "conv2_1:0", **settings).recipe
    assert [usual[name] for name in ("compute_batch", "channels_last", "fold", "compile")] == [3, True, True, False]
    other = lt.render(demo, "conv2_1:0", engine=Engine("float32", 2, False, False, False), **settings)
    names = ("compute_batch", "channels_last", "fold", "winograd", "compile")
    assert [other.recipe[name] for name in names] == [2, False, False, False, False]


def test_a_batch_that_changes_in_the_middle(demo: Model) -> None:
    settings: dict[str, Any] = {"param": lt.param.image(24, batch=4), "steps": 4, "snapshots": (2, 3, 4)}
    settings |= {"progress": False, "transforms": "identity()"}
    whole = lt.render(demo, "conv2_1:0", engine=Engine(compute_batch=4), **settings)
    changed = lt.render(demo, "conv2_1:0", engine=Engine(compute_batch=[[1, 4], [3, 1]]), **settings)
    assert torch.equal(changed.snapshots[2], whole.snapshots[2])
    assert changed.recipe["compute_batch"] == [[1, 4], [3, 1]]
    assert torch.allclose(changed.images, whole.images, atol=1e-3)
