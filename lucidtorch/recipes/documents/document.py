"""A recipe as it is written: values with their places."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lucidtorch.base.trust import following, trusting
from lucidtorch.recipes.blame import Key
from lucidtorch.recipes.documents.origins import Origin
from lucidtorch.recipes.reading.nodes import Node


@dataclass(frozen=True)
class Document:
    """A recipe as it is written.

    Args:
        root: Its values with their places.
        origin: Its file.
    """

    root: Node
    origin: Origin

    @property
    def values(self) -> dict[str, Any]:
        """The fields by name, as plain data."""
        found: dict[str, Any] = self.root.plain
        return found

    @property
    def base(self) -> Path:
        """The folder that relative paths start from; the current one for a recipe that ships."""
        return Path.cwd() if self.origin.shipped else self.origin.folder

    @property
    def folder(self) -> Path:
        """Where a run of it is written to unless somebody says otherwise: its `output`, or the name of its file."""
        said = self.values.get("output")
        return Path(said) if isinstance(said, str) else Path(self.origin.short_name)

    @property
    def typed(self) -> tuple[Path, ...]:
        """The files and folders that the command line names, and not the file."""
        texts = [one.value for one in self.root.walk() if one.place.typed and isinstance(one.value, str)]
        files = [one.rpartition(":")[0] for one in texts]  # of FILE.py:FUNCTION
        return tuple(Path(one) for one in (*texts, *files) if one)

    @property
    def typed_network(self) -> tuple[str, ...]:
        """Which of ``spec`` and ``weights`` of the network the command line names, and not the file."""
        places = {"spec": self.root.find(("model", "spec"))[0].place, "weights": self.root.find(("weights",))[0].place}
        return tuple(name for name, place in places.items() if place.typed)

    @contextlib.contextmanager
    def followed(self, *, trust: bool) -> Iterator[None]:
        """Follow what the recipe says: a file of a stranger's may name nothing outside of its folder."""
        scope = following(
            self.origin.path,
            self.origin.folder,
            typed=self.typed,
            downloads="spec" in self.typed_network,
            plugins=True,  # who runs a recipe has installed them
        )
        with trusting(trust), contextlib.nullcontext() if self.origin.shipped else scope:
            yield

    def place(self, key: Key, *, name: bool = False) -> str:
        """Say where a field was written."""
        node, count = self.root.find(key)
        if count == 0:
            return self.origin.name
        return str(node.key_place if name and count == len(key) and node.key_place else node.place)
