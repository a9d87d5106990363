"""Random expressions, each with the plain arithmetic and the text that it stands for."""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import torch
from hypothesis import strategies as st
from torch import Tensor

from lucidtorch.objectives import (
    Objective,
    after,
    before,
    each,
    interpolate,
    maximum,
    mean,
    minimum,
    negative,
    of,
    ramp,
)
from lucidtorch.objectives.algebra import Trace
from lucidtorch.objectives.joins import total

Given: TypeAlias = Mapping[str, Tensor]
Values: TypeAlias = Callable[[Given, int | None], Tensor]  # of activations and the updates made before

IMAGES = 2
BINARY = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "**": operator.pow}


@dataclass(frozen=True, repr=False)
class Tree:
    """An expression, and beside it all that must be true of it, worked out without it.

    `plain` computes its values by arithmetic on those of its leaves, `written` says the same as a text with parentheses
    around every part, `layers` are those of its leaves in their order, and `text` is what it printed when it was new.
    """

    goal: Objective
    plain: Values
    written: str
    layers: tuple[str, ...]
    parts: tuple[Tree, ...] = ()
    text: str = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "text", repr(self.goal))

    def __repr__(self) -> str:
        return self.text

    def walk(self) -> list[Tree]:
        """This tree and all its parts."""
        return [self, *(one for part in self.parts for one in part.walk())]


Part: TypeAlias = Tree | int | float


def leaf(goal: Objective, text: str) -> Tree:
    """A term of its own, whose values are taken as they are."""
    return Tree(goal, lambda given, step: goal.evaluate(given, Trace(step)), text, goal.layers)


def joined(make: Callable[..., Objective], plain: Callable[..., Any], written: str, *parts: Part) -> Tree:
    """Join parts: `make` gets them as objectives, `plain` their values, and `written` holds a place for each."""
    trees = tuple(part for part in parts if isinstance(part, Tree))

    def values(given: Given, step: int | None) -> Tensor:
        return plain(*[part.plain(given, step) if isinstance(part, Tree) else part for part in parts])

    goal = make(*[part.goal if isinstance(part, Tree) else part for part in parts])
    texts = [f"({part.written if isinstance(part, Tree) else repr(part)})" for part in parts]
    layers = tuple(dict.fromkeys(layer for tree in trees for layer in tree.layers))
    return Tree(goal, values, written.format(*texts), layers, trees)


def binary(sign: str, left: Part, right: Part) -> Tree:
    function = BINARY[sign]
    return joined(function, function, f"{{}} {sign} {{}}", left, right)


def minus(inner: Tree) -> Tree:
    return joined(operator.neg, operator.neg, "-{}", inner)


def turned(inner: Tree) -> Tree:
    return joined(negative, operator.neg, "negative({})", inner)


def on_one(inner: Tree, image: int) -> Tree:
    def plain(values: Tensor) -> Tensor:
        found = torch.zeros_like(values)
        found[image] = values[image]
        return found

    return joined(lambda goal: goal.on(image), plain, f"{{}}.on({image})", inner)


def one_each(*parts: Tree) -> Tree:
    return joined(each, lambda *values: torch.stack([values[i][i] for i in range(IMAGES)]), "each({}, {})", *parts)


def walked(start: Tree, end: Tree) -> Tree:
    def plain(first: Tensor, last: Tensor) -> Tensor:
        shares = [place / (IMAGES - 1) for place in range(IMAGES)]
        return torch.stack([(1 - share) * first[i] + share * last[i] for i, share in enumerate(shares)])

    return joined(lambda a, b: interpolate(a, b, IMAGES), plain, f"interpolate({{}}, {{}}, {IMAGES})", start, end)


def averaged(values: Sequence[Any]) -> Tensor:
    return sum(values) / len(values)


def extreme(choose: Callable[[Tensor], Tensor]) -> Callable[[Sequence[Any]], Tensor]:
    """Fill numbers up to rows, and take the extreme of each image's column."""

    def plain(values: Sequence[Any]) -> Tensor:
        like = next(value for value in values if isinstance(value, Tensor))
        return choose(
            torch.stack([value if isinstance(value, Tensor) else torch.full_like(like, value) for value in values])
        )

    return plain


SEVERAL: dict[str, tuple[Callable[..., Objective], Callable[[Sequence[Any]], Any]]] = {
    "mean": (mean, averaged),
    "minimum": (minimum, extreme(lambda rows: rows.amin(0))),
    "maximum": (maximum, extreme(lambda rows: rows.amax(0))),
    "sum": (total, lambda values: functools.reduce(operator.add, values)),
}


def several(word: str, parts: Sequence[Part], in_list: bool) -> Tree:
    make, plain = SEVERAL[word]
    in_list = in_list or word == "sum"
    places = ", ".join("{}" for _ in parts)
    written = f"{word}([{places}])" if in_list else f"{word}({places})"
    called = (lambda *goals: make(list(goals))) if in_list else make
    return joined(called, lambda *values: plain(values), written, *parts)


def timed(inner: Tree, make: Callable[[Objective], Objective], written: str, weight: Callable[..., float]) -> Tree:
    def values(given: Given, step: int | None) -> Tensor:
        found, share = inner.plain(given, step), weight(step)
        return found * share if share != 0 else torch.zeros_like(found)

    text = written.format(f"({inner.written})")
    return Tree(make(inner.goal), values, text, inner.layers, (inner,))


def later(inner: Tree, begin: int) -> Tree:
    return timed(
        inner, lambda goal: after(begin, goal), f"after({begin}, {{}})", lambda step: int(step is None or step >= begin)
    )


def earlier(inner: Tree, end: int) -> Tree:
    return timed(
        inner, lambda goal: before(end, goal), f"before({end}, {{}})", lambda step: int(step is not None and step < end)
    )


def ramped(inner: Tree, start: int, length: int, first: float, last: float) -> Tree:
    end = start + length

    def weight(step: int | None) -> float:
        if step is None or step >= end:
            return last
        return first if step <= start else first + (last - first) * (step - start) / length

    text = f"ramp({start}, {end}, {{}}, first={first!r}, last={last!r})"
    return timed(inner, lambda goal: ramp(start, end, goal, first, last), text, weight)


def asked_of(network: str, inner: Tree) -> Tree:
    """The same on the activations of one network; the image is the image of all."""

    def values(given: Given, step: int | None) -> Tensor:
        own = {name.removeprefix(f"{network}/"): one for name, one in given.items() if name.startswith(f"{network}/")}
        return inner.plain({**own, "input": given["input"]}, step)

    layers = tuple(layer if layer == "input" else f"{network}/{layer}" for layer in inner.layers)
    return Tree(of(network, inner.goal), values, f"of({network!r}, ({inner.written}))", layers, (inner,))


reals = st.floats(-1e3, 1e3, allow_nan=False, allow_subnormal=False)
numbers = st.integers(-20, 20) | reals
steps = st.integers(0, 6)


def extended(inner: st.SearchStrategy[Tree]) -> st.SearchStrategy[Tree]:
    """Every way to make a larger tree of smaller ones."""
    signs, one_or_number = st.sampled_from(sorted(BINARY)), inner | numbers
    some = st.lists(one_or_number, min_size=1, max_size=3).filter(lambda parts: any(isinstance(p, Tree) for p in parts))
    return st.one_of(
        st.builds(binary, signs, inner, one_or_number),
        st.builds(binary, signs, numbers, inner),
        inner.map(minus),
        inner.map(turned),
        st.builds(on_one, inner, st.integers(0, IMAGES - 1)),
        st.builds(one_each, inner, inner),
        st.builds(walked, inner, inner),
        st.builds(several, st.sampled_from(sorted(SEVERAL)), some, st.booleans()),
        st.builds(later, inner, steps),
        st.builds(earlier, inner, steps),
        st.builds(ramped, inner, steps, steps, numbers, numbers),
    )


def over(leaves: st.SearchStrategy[Tree], most: int = 8) -> st.SearchStrategy[Tree]:
    """Trees of up to so many leaves."""
    return st.recursive(leaves, extended, max_leaves=most)


# Every operator and joining word once, for trees that shall hold a certain leaf.
FORMS: tuple[Callable[[Tree, Tree], Tree], ...] = (
    *(functools.partial(binary, sign) for sign in BINARY),
    *(lambda one, other, sign=sign: minus(binary(sign, 2, binary("-", one, other))) for sign in BINARY),
    lambda one, other: on_one(binary("*", one, other), 1),
    one_each,
    lambda one, other: turned(walked(one, other)),
    *(lambda one, other, word=word: several(word, [one, 2, other], False) for word in SEVERAL),
    lambda one, other: binary("-", later(one, 3), earlier(other, 3)),
    lambda one, other: ramped(binary("+", one, other), 1, 4, 2, -0.5),
)
