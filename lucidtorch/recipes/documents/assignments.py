"""`--set key=value`: values from the command line, laid over those of a recipe."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from lucidtorch.base.errors import RecipeError
from lucidtorch.recipes.documents.relative_paths import with_whole_paths
from lucidtorch.recipes.reading.nodes import Node, Place
from lucidtorch.recipes.reading.yaml_reader import read_yaml

OPTION = "--set"
NOT_SETTABLE = ("extends", "made_with")
MODEL, SPEC = "model", "spec"


def assigned(root: Node, text: str) -> Node:
    """Set a value as the command line says."""
    name, equals, said = text.partition("=")
    key = tuple(part.strip() for part in name.split("."))
    if not equals or not all(key):
        raise RecipeError(f"{OPTION} takes key=value, such as steps=64 or units=[1,2], but {text!r} was given.")
    place = Place(f"{OPTION} {'.'.join(key)}")
    if key[0] in NOT_SETTABLE:
        raise RecipeError(f"{place}: {key[0]} stands in a file only; write a recipe that has it.")
    value = replace(read_yaml(said, lambda line, column: place), key_place=place)
    if key[0] == MODEL and len(key) > 1:
        root = _spelt_out(root)
    try:
        only = with_whole_paths(Node({}, place).put(key, value), Path.cwd())
        return root.put(key, only.find(key)[0])
    except ValueError as error:
        raise RecipeError(f"{place}: {error}; set the whole of it.") from error


def _spelt_out(root: Node) -> Node:
    """Write a network that is only named as a mapping, so that more can be said of it."""
    named = root.at(MODEL)
    if named is None or not isinstance(named.value, str):
        return root
    return root.put((MODEL,), replace(named, value={SPEC: replace(named, key_place=named.key_place)}))
