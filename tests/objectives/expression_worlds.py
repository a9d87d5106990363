"""Where expressions can be evaluated: activations, and random trees over every example of an objective."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Sequence
from dataclasses import dataclass

import objective_examples
import torch
from hypothesis import strategies as st
from objective_examples.example import Example, activations
from objectives.expression_trees import Given, Tree, asked_of, leaf, over

NETWORKS = ("a", "b")


def collected() -> list[Example]:
    """The examples of all modules, each once."""
    found = []
    for module in pkgutil.iter_modules(objective_examples.__path__):
        examples = getattr(importlib.import_module(f"objective_examples.{module.name}"), "EXAMPLES", {})
        found += [example for several_of_one in examples.values() for example in several_of_one]
    return found


@dataclass(frozen=True, repr=False)
class World:
    """Activations, and the trees whose leaves can be evaluated on them."""

    name: str
    given: Given
    leaves: tuple[Tree, ...]
    trees: st.SearchStrategy[Tree]


def worlds() -> tuple[World, ...]:
    """One world for each mapping that examples are called on; those that need no mapping of their own live in all."""
    examples = collected()
    anywhere = tuple(leaf(one.goal, one.text) for one in examples if one.given is activations)
    makers = dict.fromkeys(one.given for one in examples)
    found = []
    for make in makers:
        at_home = tuple(leaf(one.goal, one.text) for one in examples if one.given is make and make is not activations)
        given = {**_networks(activations(torch.float64)), **activations(torch.float64), **make(torch.float64)}
        trees = over(_one_of(at_home or anywhere) | _one_of(anywhere))
        asked = st.builds(asked_of, st.sampled_from(NETWORKS), over(_one_of(anywhere), most=4))
        found.append(World(make.__name__, given, at_home + anywhere, over(trees | asked, most=4)))
    return tuple(found)


def _networks(given: Given) -> Given:
    return {
        f"{name}/{layer}": values * (1 + 2 * NETWORKS.index(name))
        for name in NETWORKS
        for layer, values in given.items()
        if layer != "input"
    }


def _one_of(leaves: Sequence[Tree]) -> st.SearchStrategy[Tree]:
    """Draw a leaf by its place: a strategy prints all that it chooses from, and these print long."""
    return st.integers(0, len(leaves) - 1).map(lambda place: leaves[place])
