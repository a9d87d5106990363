"""Recipes that extend others: read with all that they stand on, and merged."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import reduce
from pathlib import Path

from lucidtorch.base.errors import RecipeError
from lucidtorch.recipes.documents.origins import Origin, find_parent
from lucidtorch.recipes.documents.relative_paths import with_whole_paths
from lucidtorch.recipes.reading.nodes import Node
from lucidtorch.recipes.reading.yaml_reader import read_yaml_file

EXTENDS = "extends"
MOST_FILES = 64  # that one recipe stands on, each counted as often as it is named


class Extending:
    """Reads one recipe, and counts the files."""

    def __init__(self) -> None:
        self.count = 0

    def read(self, origin: Origin, below: tuple[Path, ...] = ()) -> Node:
        """Read a recipe with all that it extends."""
        own = read_yaml_file(origin.path, origin.name)
        chain = (*below, origin.path.resolve())
        parents = [self._parent(one, origin, chain) for one in _names(own)]
        kept = {key: one for key, one in _values(own).items() if key != EXTENDS}
        mine = with_whole_paths(replace(own, value=kept), origin.folder)
        return reduce(Node.merged, [*parents, mine])

    def _parent(self, said: Node, child: Origin, chain: tuple[Path, ...]) -> Node:
        self.count += 1
        if self.count > MOST_FILES:
            raise RecipeError(f"{said.place}: This recipe stands on more than {MOST_FILES} others.")
        try:
            origin = find_parent(str(said.value), child)
        except RecipeError as error:
            raise RecipeError(f"{said.place}: {EXTENDS}: {error}") from error
        if origin.path.resolve() in chain:
            names = " -> ".join(path.name for path in (*chain, origin.path))
            raise RecipeError(f"{said.place}: {EXTENDS}: These recipes extend each other in a circle: {names}.")
        return self.read(origin, chain)


def _names(own: Node) -> Iterator[Node]:
    said = own.at(EXTENDS)
    if said is None:
        return
    listed = said.value if isinstance(said.value, tuple) else (said,)
    for one in listed:
        if not isinstance(one.value, str) or not one.value:
            raise RecipeError(
                f"{one.place}: {EXTENDS}: The name of a file or of a recipe that ships is needed, or a list of them, "
                f"but {one.plain!r} was given."
            )
        yield one


def _values(node: Node) -> dict[str, Node]:
    return node.value if isinstance(node.value, dict) else {}
