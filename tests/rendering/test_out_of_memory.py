"""Where memory runs out, fewer images go through at once from there on: it is said, written down, and made again."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
import torch
from guards.registry import own_objectives
from normalized_networks import Pair, seeded
from small_networks import as_model
from torch import Tensor

import lucidtorch as lt
from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.objectives import Activations, Memory, objective
from lucidtorch.rendering.loop import Step

IMAGES = 6
PICTURE = [[[0.1, 0.9], [0.7, 0.2]]] * 3


def too_much() -> BaseException:
    """Ask for more memory than any machine has."""
    torch.empty(2**60, dtype=torch.uint8)
    return AssertionError("it was there")


REFUSALS: dict[str, Callable[[], BaseException]] = {
    "a GPU": lambda: torch.OutOfMemoryError("CUDA out of memory."),
    "the CPU allocator": lambda: RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9"),
    "an allocation": too_much,
    "Python": MemoryError,
}


class Small(Pair):
    """A network on a device where not more than so many images have room."""

    most = 100
    refusal: Callable[[], BaseException] = MemoryError

    def between(self, images: Tensor) -> Tensor:
        if len(images) > self.most:
            raise type(self).refusal()
        return super().between(images)


@pytest.fixture
def small() -> Iterator[lt.Model]:
    """A network that has room for everything until a test says otherwise."""
    model = as_model(seeded(Small))
    _ = model.layers  # looked up at two images
    yield model
    Small.most, Small.refusal = 100, MemoryError


def rendered(model: lt.Model, goal: str = "last:1", **more: Any) -> lt.Rendering:
    settings: dict[str, Any] = {"param": f"image(16, batch={IMAGES})", "steps": 3, "progress": False}
    return lt.render(model, goal, **(settings | more))


@pytest.mark.parametrize(
    ("refusal", "goal"), [*((refusal, "last:1") for refusal in REFUSALS), ("Python", "last:1 - diversity('conv')")]
)
def test_it_goes_on_with_fewer_and_says_so_once(small: lt.Model, refusal: str, goal: str, tmp_path: Path) -> None:
    Small.most, Small.refusal = 3, staticmethod(REFUSALS[refusal])
    with pytest.warns(LucidtorchWarning, match="Out of memory with 6 images at once; going on with 3 at") as caught:
        found = rendered(small, goal)
    assert len(caught) == 1
    assert found.recipe["compute_batch"] == 3
    Small.most = 100
    assert torch.equal(found.images, rendered(small, goal, engine=lt.Engine(compute_batch=3)).images)
    assert torch.allclose(found.images, rendered(small, goal).images, atol=1e-3)
    again = lt.recipes.rerun(found.save(tmp_path / "one.png"), tmp_path / "two.png", model=small)
    assert (tmp_path / "two.png").read_bytes() == (tmp_path / "one.png").read_bytes()
    assert torch.equal(again.values, found.values)


@pytest.mark.parametrize("goal", ["last:1", "last:1 - diversity('conv')"])
def test_it_may_be_halved_down_to_one(small: lt.Model, goal: str) -> None:
    Small.most = 1
    with pytest.warns(LucidtorchWarning, match="Out of memory") as caught:
        found = rendered(small, goal)
    said = [str(one.message) for one in caught]
    assert [one.split(";")[0] for one in said] == [f"Out of memory with {count} images at once" for count in (6, 3)]
    assert found.recipe["compute_batch"] == 1


def test_where_one_image_has_no_room_the_error_is_what_it_was(small: lt.Model) -> None:
    Small.most = 0
    with pytest.raises(MemoryError):
        rendered(small, engine=lt.Engine(compute_batch=1))
    Small.refusal = staticmethod(lambda: torch.OutOfMemoryError("this very one"))
    with pytest.raises(torch.OutOfMemoryError, match="this very one"):
        rendered(small, param="image(16)")


def test_where_images_cannot_be_divided_the_error_is_what_it_was(small: lt.Model) -> None:
    Small.most = 3
    with pytest.raises(MemoryError):
        rendered(small, transforms=[lambda images: images.flip(0)])


def test_another_error_is_no_reason_to_go_on(small: lt.Model) -> None:
    Small.most, Small.refusal = 3, staticmethod(lambda: RuntimeError("its own"))
    with pytest.raises(RuntimeError, match="its own"):
        rendered(small)


def room_for(most: int, after: int) -> Callable[[Step], None]:
    """Leave room for fewer images once so many updates were made."""

    def shrink(step: Step) -> None:
        if step.number == after:
            Small.most = most

    return shrink


@pytest.mark.parametrize("goal", ["last:1", "last:1 - diversity('conv')"])
@pytest.mark.parametrize("update", [2, 6])
def test_it_holds_from_the_update_on_where_it_was_found_out(
    small: lt.Model, goal: str, update: int, tmp_path: Path
) -> None:
    """At update 6 of 5 the finished pictures are looked at; no update was made with fewer then."""
    more: dict[str, Any] = {"steps": 5, "snapshots": (1, 2, 5)}
    with pytest.warns(LucidtorchWarning, match="going on with 3 at once"):
        found = rendered(small, goal, callbacks=[room_for(3, after=update - 1)], **more)
    assert found.recipe["compute_batch"] == [[1, 6], [update, 3]]
    Small.most = 100
    whole = rendered(small, goal, **more)
    for step, images in found.snapshots.items():
        assert step >= update or torch.equal(images, whole.snapshots[step])
        assert torch.allclose(images, whole.snapshots[step], atol=1e-3)
    path = found.save(tmp_path / "one.png")
    lt.recipes.rerun(path, tmp_path / "two.png", model=small)
    assert (tmp_path / "two.png").read_bytes() == path.read_bytes()
    again = rendered(small, goal, engine=lt.Engine(compute_batch=found.recipe["compute_batch"]), **more)
    assert torch.equal(again.images, found.images)
    assert torch.equal(again.values, found.values)


def test_an_interrupt_of_the_very_update_keeps_the_pictures(small: lt.Model, tmp_path: Path) -> None:
    refusals: list[BaseException] = [MemoryError(), KeyboardInterrupt()]

    def refuse() -> BaseException:
        Small.most = 2 if len(refusals) == 2 else 3  # three have room once the interrupt is over
        return refusals.pop(0)

    Small.refusal = staticmethod(refuse)
    with pytest.warns(LucidtorchWarning, match="going on with 3"):
        found = rendered(small, steps=9, callbacks=[room_for(3, after=3)])
    assert found.interrupted
    assert refusals == []
    assert (found.recipe["steps"], found.recipe["compute_batch"]) == (3, [[1, 6], [4, 3]])
    Small.most = 100
    path = found.save(tmp_path / "one.png")
    lt.recipes.rerun(path, tmp_path / "two.png", model=small)
    assert (tmp_path / "two.png").read_bytes() == path.read_bytes()


@pytest.fixture
def own_terms() -> Iterator[None]:
    with own_objectives():
        yield


@pytest.mark.usefixtures("own_terms")
def test_what_a_term_remembers_of_a_pass_without_room_is_forgotten(small: lt.Model) -> None:
    """The term is evaluated between two passes through the network; from its third time on the second has no room."""
    evaluated: list[int] = []

    @objective
    def counting_mean(activations: Activations, layer: str, *, memory: Memory) -> Tensor:
        """The mean of a layer times the number of updates so far."""
        values = activations[layer].flatten(1).mean(1)
        memory["count"] = memory.get("count", torch.zeros(())) + 1
        evaluated.append(1)
        if len(evaluated) == 3 + before:
            Small.most = 2
        return values * memory["count"]

    before = 10**9
    whole = rendered(small, "counting_mean('last')", engine=lt.Engine(compute_batch=3))
    before = len(evaluated) - 3 - 1  # the evaluations before the first update; the last is of the finished pictures
    evaluated.clear()
    with pytest.warns(LucidtorchWarning, match="going on with 1"):
        found = rendered(small, "counting_mean('last')", engine=lt.Engine(compute_batch=3))
    assert found.recipe["compute_batch"] == [[1, 3], [3, 1]]
    assert torch.allclose(found.history["objective"], whole.history["objective"], atol=1e-4)


def test_a_gallery_keeps_what_is_finished_and_is_completed(small: lt.Model, tmp_path: Path) -> None:
    settings: dict[str, Any] = {"layers": ["last"], "steps": 2, "batch": 2, "report": lambda *_: None}
    settings |= {"param": "image(16)"}
    expected = lt.gallery(small, folder=tmp_path / "whole", **settings)
    pictures = {path.name for path in (tmp_path / "whole").rglob("*.png")}
    assert pictures
    Small.most = 1
    with pytest.warns(LucidtorchWarning, match="Out of memory with 2"):
        found = lt.gallery(small, folder=tmp_path / "halved", **settings)
    assert {path.name for path in (tmp_path / "halved").rglob("*.png")} == pictures
    assert type(found) is type(expected)
