"""Annotations of the public decorator: the same whether Python keeps them as text or as types."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
import pytest
import torch

import lucidtorch as lt
from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.objectives import Objective
from lucidtorch.objectives.images import single
from lucidtorch.objectives.references import reference
from lucidtorch.objectives.term import DEFINITIONS

IMPORTS = """
from collections.abc import Sequence
from typing import Annotated
from torch import Tensor
from lucidtorch.base.arrays import ArrayLike
from lucidtorch.base.checks import Within
from lucidtorch.objectives import Activations, ImageLike, objective, of_image
"""
FOR_THE_TYPE_CHECKER_ALONE = """
from typing import TYPE_CHECKING
from lucidtorch.objectives import ImageLike, objective, of_image
from lucidtorch.base.arrays import ArrayLike
from lucidtorch.base.checks import Within
if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Annotated
    from torch import Tensor
    from lucidtorch.objectives import Activations
"""
FUTURE = "from __future__ import annotations\n"
FUNCTIONS = """
@objective
def chosen(activations: Activations, layer: str, index: int | Sequence[int], share: Annotated[float, Within(0, 1)] = 1):
    indices = [index] * len(activations[layer]) if isinstance(index, int) else index
    return share * activations[layer][range(len(indices)), list(indices)]

@objective
def unlike(activations: Activations, layer: str, photo: ImageLike) -> Tensor:
    return (activations[layer] - of_image(activations, layer, photo)).flatten(1).sum(1)

@objective
def weighed(activations: Activations, layer: str, maps: Annotated[ArrayLike | None, "h w"] = None) -> Tensor:
    return activations[layer].flatten(1).sum(1)

@objective
def plain(activations: Activations, layer: str, places: Sequence[int] | None = None) -> Tensor:
    return activations[layer][:, list(places or [0])].sum(1)
"""
WAYS = {"text": FUTURE + IMPORTS, "types": IMPORTS, "type checker": FUTURE + FOR_THE_TYPE_CHECKER_ALONE}


@pytest.fixture(params=WAYS)
def words(request: pytest.FixtureRequest) -> Iterator[dict[str, Callable[..., Objective]]]:
    known = dict(DEFINITIONS)
    module: dict[str, Any] = {"__name__": "made_in_a_test"}
    exec(compile(WAYS[request.param] + FUNCTIONS, "made_in_a_test.py", "exec", dont_inherit=True), module)
    yield module
    DEFINITIONS.clear()
    DEFINITIONS.update(known)


def test_a_list_is_one_value_per_image(words: dict[str, Callable[..., Objective]]) -> None:
    goal = words["chosen"]("a", [2, 0])
    assert goal.batch == 2
    assert single(goal, 1) == words["chosen"]("a", 0)
    values = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
    assert goal({"a": values}).tolist() == [3, 4]
    assert words["plain"]("a", [2, 0]).batch is None


def test_a_picture_is_looked_up(words: dict[str, Callable[..., Objective]]) -> None:
    goal = words["unlike"]("a", np.full((1, 2, 3), 0.5))
    picture = Array.of(np.full((1, 2, 3), 0.5))
    assert [node.own_targets for node in goal.walk()] == [(("a", picture),)]  # type: ignore[attr-defined]
    assert goal({"a": torch.ones(2, 3), reference("a", picture): torch.full((1, 3), 0.25)}).tolist() == [2.25, 2.25]
    assert words["unlike"]("a", np.full((4, 1, 2, 3), 0.5)).batch == 4


def test_axes_say_how_many_images_an_array_is_for(words: dict[str, Callable[..., Objective]]) -> None:
    assert words["weighed"]("a", np.ones((2, 3))).batch is None
    assert words["weighed"]("a", np.ones((5, 2, 3))).batch == 5
    assert words["weighed"]("a").batch is None


def test_what_does_not_fit_is_refused_when_it_is_made(words: dict[str, Callable[..., Objective]]) -> None:
    refused: list[tuple[str, tuple[Any, ...]]] = [
        ("chosen", ("a", "b")),
        ("chosen", ("a", [1, 2.5])),
        ("chosen", ("a", 1, 1.5)),
        ("weighed", ("a", "b")),
        ("plain", ("a", 3)),
    ]
    for name, arguments in refused:
        with pytest.raises(ObjectiveError, match="was given"):
            words[name](*arguments)


def test_a_parsed_text_is_checked_as_a_call_is(words: dict[str, Callable[..., Objective]]) -> None:
    assert lt.parse("chosen('a', [2, 0], share=0.5)") == words["chosen"]("a", [2, 0], share=0.5)
    with pytest.raises(lt.LucidtorchError, match=r"chosen\(share=\) takes a number from 0 to 1, but 'x' was given"):
        lt.parse("chosen('a', 1, share='x')")
