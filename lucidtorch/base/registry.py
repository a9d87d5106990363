"""Named things of one kind, each with the module that defined it: the words that a text may use."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any, Self, TypeVar

from lucidtorch.base.errors import BadInputError

Entry = TypeVar("Entry")


class Registry(dict[str, Entry]):
    """Entries by name, and which module defined each."""

    def __init__(self, what: str, error: type[BadInputError] = BadInputError) -> None:
        super().__init__()
        self.what = what  # an entry is, for messages
        self.error = error
        self._modules: dict[str, str] = {}

    @classmethod
    def of(cls, what: str, words: Iterable[Callable[..., Any]]) -> Self:
        """Register functions and classes under their own names."""
        found = cls(what)
        for word in words:
            found.add(word.__name__, word, word.__module__)  # type: ignore[arg-type]  # entries are callables here
        return found

    def add(self, name: str, entry: Entry, module: str) -> None:
        """Register an entry; a module may define its own names anew, and no other module's."""
        if name in self and self.module_of(name) != module:
            article = "an" if self.what[0] in "aeiou" else "a"
            taken = f"There is {article} {self.what} {name!r} already, in {self.module_of(name)}"
            raise self.error(f"{taken}; choose another name.")
        self[name] = entry
        self._modules[name] = module

    def __missing__(self, name: str) -> Entry:
        raise self.error(f"No {self.what} {name!r} is defined here; import the module that defines it.")

    def module_of(self, name: str) -> str:
        """Say which module defined an entry."""
        return self._modules[name]
