"""Annotations of the public decorator: the same whether Python keeps them as text or as types."""

from __future__ import annotations

import array
import enum
import sys
from collections.abc import Callable, Iterator
from typing import Any, TypeAlias

import numpy as np
import pytest
import torch

import lucidtorch as lt
from lucidtorch.base.arrays import Array
from lucidtorch.base.defaults import record_text
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


FIRST_OF_ALL = """
from collections.abc import Sequence
from enum import Enum, IntEnum
from typing import TYPE_CHECKING, Annotated, Any, List, NewType, Optional, Union
from typing_extensions import TypeAliasType
from lucidtorch.objectives import Activations, objective
if TYPE_CHECKING:
    from somewhere import Elsewhere
Unit = NewType("Unit", int)
Index = int | Sequence[int]
Named = TypeAliasType("Named", int | Sequence[int])
Later = TypeAliasType("Later", Sequence[Named])
"""
ONE_OR_SEVERAL = (
    "Index",
    "Union[int, List[int]]",
    "Annotated[Index, 'which']",
    "Annotated[int, 'which'] | Sequence[Annotated[int, 'which']]",
    "Optional[Index]",
    "Annotated[Index, 'which'] | None",
    "Unit | Sequence[Unit]",
    "Named",
    "Named | None",
    "int | list",
    "int | Sequence",
    "int | tuple",
    "'Index'",
)
ONE = ("int", "Optional[int]", "Unit", "Annotated[Unit, 'which']", "NewType('Other', Unit)")
SEVERAL = ("list", "Sequence", "tuple", "List[int]", "Sequence[Unit]", "Later | None")


Define: TypeAlias = Callable[..., Callable[..., Objective]]


@pytest.fixture
def defined() -> Iterator[Define]:
    """Make objectives of the parameters after the layer; `activations[layer]` is read."""
    known = dict(DEFINITIONS)

    def define(parameters: str, result: str = "activations[layer].flatten(1).sum(1)") -> Callable[..., Objective]:
        module: dict[str, Any] = {"__name__": "made_in_a_test"}
        text = f"{FIRST_OF_ALL}\n@objective\ndef made(activations, layer: str, {parameters}):\n    return {result}\n"
        exec(compile(text, "made_in_a_test.py", "exec", dont_inherit=True), module)
        found: Callable[..., Objective] = module["made"]
        return found

    yield define
    DEFINITIONS.clear()
    DEFINITIONS.update(known)


@pytest.mark.parametrize("hint", ONE_OR_SEVERAL)
def test_one_or_several_is_one_value_per_image_however_it_is_named(hint: str, defined: Define) -> None:
    made = defined(f"index: {hint}")
    assert (made("a", 3).batch, made("a", [2, 0]).batch) == (None, 2)
    assert lt.parse(repr(made("a", [2, 0]))) == made("a", (2, 0))
    for wrong in ("x", 2.5, True):
        with pytest.raises(ObjectiveError, match=rf"^made\(index\) takes a whole number.*, but {wrong!r} was given\.$"):
            made("a", wrong)


@pytest.mark.parametrize("hint", ONE)
def test_one_value_is_no_list(hint: str, defined: Define) -> None:
    made = defined(f"index: {hint}")
    assert repr(made("a", np.int64(3))) == "made('a', 3)"
    for wrong in ("x", [2, 0]):
        with pytest.raises(ObjectiveError, match=r"^made\(index\) takes a whole number.*given\.$"):
            made("a", wrong)


@pytest.mark.parametrize("hint", SEVERAL)
def test_a_list_alone_is_for_all_images(hint: str, defined: Define) -> None:
    made = defined(f"index: {hint}")
    goal = made("a", [[2, 0]] if "Later" in hint else [2, 0])
    assert goal.batch is None
    assert lt.parse(repr(goal)) == goal
    with pytest.raises(ObjectiveError, match=r"^made\(index\) takes a list.*, but 'x' was given\.$"):
        made("a", "x")


@pytest.mark.skipif(sys.version_info < (3, 12), reason="the `type` statement came with Python 3.12")
def test_a_type_statement_is_what_it_names(defined: Define) -> None:
    names: dict[str, Any] = {"__name__": "made_in_a_test"}
    exec("from collections.abc import Sequence\ntype Index = int | Sequence[int]\ntype Many[T] = Sequence[T]", names)

    def made(activations: Any, layer: str, index: Any, more: Any = ()) -> torch.Tensor:
        found: torch.Tensor = activations[layer].sum(1)
        return found

    made.__annotations__ |= {"index": names["Index"], "more": names["Many"][int]}
    goal = lt.objectives.objective(made)
    assert (goal("a", [2, 0], [1, 2, 3]).batch, goal("a", 2).batch) == (2, None)
    with pytest.raises(ObjectiveError, match=r"made\(more=\) takes a list of whole numbers"):
        goal("a", 2, ["x"])


def test_a_list_is_refused_where_an_unknown_annotation_decides_what_it_means(defined: Define) -> None:
    made = defined("index: 'Elsewhere'")
    assert repr(made("a", 3)) == "made('a', 3)"
    with pytest.raises(
        ObjectiveError, match=r"^made\(index\) is annotated 'Elsewhere', which cannot be resolved, .*\.$"
    ):
        made("a", [2, 0])


VALUES = torch.tensor([[1.0, 2.0, 3.0], [4.0, 5.0, 6.0]])
SIGNATURES = {
    "*, index: int": ((), {"index": 2}, "made('a', index=2)"),
    "*, power: int = 1, index: int": ((), {"index": 2}, "made('a', index=2)"),
    "index: int, /": ((2,), {}, "made('a', 2)"),
    "index: int = 0, /, power: int = 1": ((2,), {"power": 1}, "made('a', 2)"),
    "index: int = 2, /, *, power: int = 1": ((), {}, "made('a', 2)"),
}


@pytest.mark.parametrize("parameters", SIGNATURES)
def test_arguments_by_name_or_by_place_alone_are_written_as_they_are_read(parameters: str, defined: Define) -> None:
    args, words, text = SIGNATURES[parameters]
    goal = defined(parameters, "activations[layer][:, index]")("a", *args, **words)
    assert (repr(goal), lt.parse(repr(goal))) == (text, goal)
    assert goal({"a": VALUES}).tolist() == VALUES[:, 2].tolist()
    assert lt.parse(record_text(goal)) == goal


@pytest.mark.parametrize("parameters", ["*units: int", "**words: int"])
def test_stars_are_refused_at_the_definition(parameters: str, defined: Define) -> None:
    with pytest.raises(ObjectiveError, match=r"^made\(\*.*takes any number of arguments, but .* takes a list, .*\.$"):
        defined(parameters)


UNWRITTEN: dict[str, Any] = {
    "bytes": b"\x01",
    "memoryview": memoryview(b"\x01"),
    "array.array": array.array("i", [1]),
    "set": {1},
    "mapping": {1: 2.0},
    "complex": 1j,
    "object": object(),
    "mapping of texts": {"a": 1},
    "not finite": float("nan"),
}


@pytest.mark.parametrize("value", UNWRITTEN.values(), ids=UNWRITTEN)
@pytest.mark.parametrize("hint", ["Any", "int"])
def test_what_no_text_holds_is_refused_with_the_name_of_the_argument(value: Any, hint: str, defined: Define) -> None:
    made = defined(f"index: {hint}")
    for given in (value, [value]):
        with pytest.raises(lt.LucidtorchError, match=r"^made\(index\).*given\.|^made\(index\).*key 'a'\.$") as caught:
            made("a", given)
        assert "\n" not in str(caught.value)


class Which(enum.IntEnum):
    THIRD = 2


NUMBERS = (Which.THIRD, np.int8(2), np.uint64(2), np.array(2), torch.tensor(2))


@pytest.mark.parametrize("value", NUMBERS, ids=[type(one).__name__ for one in NUMBERS])
@pytest.mark.parametrize("hint", ["int", "Index", "Any"])
def test_whole_numbers_of_other_kinds_are_the_numbers_they_are(value: Any, hint: str, defined: Define) -> None:
    made = defined(f"index: {hint}")
    goal = made("a", value)
    assert repr(goal) == "made('a', 2)"
    assert goal == made("a", 2)
    if hint != "int":
        assert repr(made("a", [value])) == "made('a', [2])"
    assert repr(lt.objectives.channel("a", value)) == "channel('a', 2)"
