"""The data of a run: what its page tells, for programs."""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Mapping
from typing import Any

from lucidtorch.recipes.recipe import Recipe
from lucidtorch.recipes.story import Story

FORMAT, FORMAT_VERSION = "lucidtorch-run", 1  # of data.json


def run_data(story: Story, recipe: Recipe) -> str:
    """Write what a run tells as the JSON of ``data.json``.

    The document is an object with these keys, in this order:

    - ``format``: ``lucidtorch-run``.
    - ``version``: 1, raised when a key changes its meaning.
    - ``recipe_id``: the checksum of the recipe, which the pictures and the page carry too.
    - ``recipe``: the recipe as it was resolved, the mapping of ``recipe.yaml``.
    - ``title``, ``lead``: the heading of the page, and the list of its first paragraphs.
    - ``sections``: a list of objects with ``heading``, ``text`` (paragraphs), ``figures``, ``columns`` (a number, or
      null where the rows mean nothing), ``row_names``, ``column_names``, and ``table``: null, or an object with
      ``head`` (the names of the columns), ``rows`` (lists of cells) and ``caption``. A cell is a text, a number, null
      or a figure.
    - ``main``: the file of the picture that stands for the whole run.
    - ``facts``: an object with what else the kind of recipe found.

    A figure is an object with ``file`` (its path in the folder of the run), ``caption``, ``alt`` (what it shows, in
    words), ``objective`` (its text, or empty), ``seed``, ``score`` (numbers or null), ``curve`` (the objective over the
    steps, in equal strides), ``terms`` (an object with such a list for each part of the objective, by its text),
    ``steps`` (which the curves span, or null), ``dead``, ``note``, ``whole``, ``legend`` (pairs of a name and a
    colour), ``chart`` and ``beside``, as `Figure` describes them. ``beside`` is null, or an object with the fields of
    `Beside`, among them ``images``, objects with the fields of `RealImage`. ``chart`` is null, or an object with the
    fields of `Chart`, among them ``views``, objects with the fields of `View`. Numbers that are not finite are written
    as ``null``.
    """
    head = {"format": FORMAT, "version": FORMAT_VERSION, "recipe_id": recipe.id, "recipe": recipe.to_dict()}
    document = _plain(head | dataclasses.asdict(story))
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"


def _plain(value: Any) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(one) for name, one in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(one) for one in value]
    return None if isinstance(value, float) and not math.isfinite(value) else value
