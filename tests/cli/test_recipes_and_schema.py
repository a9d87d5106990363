"""`lucidtorch recipes` and `lucidtorch schema`: what there is, and what it may hold."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

from lucidtorch.recipes.documents.schema import schema
from lucidtorch.recipes.documents.shipped import first_comment, shipped_names
from lucidtorch.recipes.kinds import KINDS, kind

Cli = Callable[..., Any]


def test_every_kind_and_every_recipe_that_ships_is_listed(cli: Cli) -> None:
    found = cli("recipes")
    assert (found.code, found.err) == (0, "")
    lines = found.out.splitlines()
    heads = [line for line in lines if line and line[0] != " " and ": " in line]
    assert heads == [f"{name}: {kind(name).summary}" for name in KINDS]
    for name in shipped_names():
        (line,) = (line for line in lines if line.split()[:1] == [name])
        assert line.endswith(first_comment(name))


def test_a_name_that_does_not_ship(cli: Cli) -> None:
    found = cli("recipes", "rendr")
    assert (found.code, found.out) == (2, "")
    assert re.fullmatch(
        r"lucidtorch: No recipe 'rendr' ships. Did you mean 'render'.*\? `lucidtorch recipes` lists them.\n", found.err
    )


def test_nothing_beside_the_library_is_printed(cli: Cli) -> None:
    for name in ("../kinds/render", "/etc/passwd", "", "vgg16", "render.yaml"):
        found = cli("recipes", name)
        assert (found.code, found.out) == (2, "")


def test_the_schema_is_printed_as_json(cli: Cli) -> None:
    found = cli("schema")
    assert (found.code, found.err) == (0, "")
    assert json.loads(found.out) == schema()
