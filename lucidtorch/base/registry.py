"""Named things of one kind, each with the module that defined it: the words that a text may use."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeAlias, TypeVar

from lucidtorch.base.errors import BadInputError, LucidtorchWarning, RecipeError
from lucidtorch.base.plugins import (
    OWN,
    PROGRAM,
    Origin,
    entry_point_names,
    find_entry_point,
    import_named,
    import_recorded,
    load,
    name_to_import,
)
from lucidtorch.base.shown import shown
from lucidtorch.base.trust import check_import

if TYPE_CHECKING:
    from lucidtorch.base.records import WordRecord  # its schema is loaded where records are read

Entry = TypeVar("Entry")
Word = TypeVar("Word", bound=Callable[..., Any])
ForeignWord: TypeAlias = tuple[str, str, str | None]
"""The group of a word, its name, and the module that a worker imports; None where it runs the program anyway."""

CALL = re.compile(r"[^\W\d]\w*(?=\()")  # a word that is called in a text


class Registry(dict[str, Entry]):
    """Entries by name, and which module defined each; those of a group are found by entry points, too."""

    groups: ClassVar[dict[str, Registry[Any]]] = {}  # all that other distributions can add to

    def __init__(self, what: str, error: type[BadInputError] = BadInputError, group: str = "") -> None:
        super().__init__()
        self.what = what  # an entry is, for messages
        self.error = error
        self.group = group  # of entry points; empty where only this process adds words
        self.adopt: Callable[[Any], object] = self.register  # takes what an entry point leads to
        self._modules: dict[str, str] = {}
        self._origins: dict[str, Origin] = {}
        if group:
            self.groups[group] = self

    @classmethod
    def of(cls, what: str, words: Iterable[Callable[..., Any]], group: str = "") -> Self:
        """Register functions and classes under their own names."""
        found = cls(what, group=group)
        for word in words:
            found.register(word)
        return found

    def add(self, name: str, entry: Entry, module: str) -> None:
        """Register an entry; a module may define its own names anew, and no other module's."""
        if name in self and self.module_of(name) != module:
            taken = f"There is {self._article} {self.what} {name!r} already, in {self.module_of(name)}"
            raise self.error(f"{taken}; choose another name.")
        self[name] = entry
        self._modules[name] = module
        self._origins.pop(name, None)

    def register(self, word: Word) -> Word:
        """Give a function or a class of yours its place in the notation: a decorator.

        Texts, the command line and recipes know it under its own name from then on. What it gives must print as a call
        of it, as frozen dataclasses on the base classes do.

        Args:
            word: The function or class.

        Returns:
            The same.

        Raises:
            BadInputError: It has no name of its own, or the name is taken by another module.
        """
        name = getattr(word, "__name__", "") if callable(word) else ""
        if not name.isidentifier():
            raise self.error(f"A word is a function or class with a name, but {shown(word)} was given.")
        self.add(name, word, word.__module__)  # type: ignore[arg-type]  # entries are the words themselves here
        return word

    def find(self, name: str) -> Entry | None:
        """Give an entry; one that an installed distribution declares is imported when it is first asked for."""
        point = find_entry_point(self.group, name) if self.group and name not in self else None
        if point is not None:
            check_import(f"the {self.what} {name!r} of {Origin.of_entry_point(point)}", installed=True)
            value = load(point)
            if getattr(value, "__name__", None) != name:
                raise self.error(f"The entry point {name!r} leads to {shown(value)}; it bears the name of its word.")
            if name not in self:
                self.adopt(value)
        return self.get(name)

    @property
    def declared(self) -> tuple[str, ...]:
        """The names that installed distributions declare and that nobody imported yet."""
        return tuple(name for name in entry_point_names(self.group) if name not in self) if self.group else ()

    def __missing__(self, name: str) -> Entry:
        found = self.find(name)
        if found is None:
            raise self.error(f"No {self.what} {name!r} is defined here; import the module that defines it.")
        return found

    def module_of(self, name: str) -> str:
        """Say which module defined an entry."""
        return self._modules[name]

    def origin_of(self, name: str) -> Origin:
        """Say where an entry comes from, with its version."""
        if name not in self._origins:
            self._origins[name] = Origin.of_module(self.module_of(name))
        return self._origins[name]

    def foreign(self, called: Iterable[str]) -> Iterator[str]:
        """Find those of some words that other packages defined."""
        return (name for name in called if name in self and self.module_of(name).partition(".")[0] != OWN)

    @property
    def _article(self) -> str:
        return "an" if self.what[0] in "aeiou" else "a"


def defined_by(*texts: str | None) -> dict[str, Any]:
    """Say where the words of some texts come from that other packages define: a field of a record, or none."""
    found = {name: known.origin_of(name).to_dict() for known, name in _foreign(texts)}
    return {"defined_by": found} if found else {}


def words_of(*texts: str | None) -> tuple[ForeignWord, ...]:
    """List the words in some texts that other packages define, for `import_words` in a worker."""
    return tuple((known.group, name, name_to_import(known.module_of(name))) for known, name in _foreign(texts))


def import_words(words: Sequence[ForeignWord]) -> None:
    """Import words as another process knows them; an entry point gives a word its place that its module does not."""
    for module in dict.fromkeys(module for _, _, module in words if module is not None):
        import_named(module)
    for group, name, _ in words:
        Registry.groups[group].find(name)


def follow_words(recorded: Mapping[str, WordRecord] | None, folder: Path) -> None:
    """Import the words of a record that are not known yet, where that is allowed, and compare versions.

    Args:
        recorded: The field `defined_by` of the record.
        folder: Where files of modules stand.

    Raises:
        UntrustedError: The record comes from elsewhere, so that nothing is imported on its word.

    Warns:
        LucidtorchWarning: A word has another version here.
    """
    others: dict[Origin, Origin] = {}
    for name, one in (recorded or {}).items():
        said = Origin(**dict(one))
        if not _knowing(name):
            _import_word(name, said, folder)
        for known in _knowing(name):
            here = known.origin_of(name)
            if (said.version, said.sha256) != (here.version, here.sha256):
                others[said] = here
    for said, here in others.items():
        message = f"The words of {said} come from {here} now, so that the new picture can differ."
        warnings.warn(message, LucidtorchWarning, stacklevel=3)


def _foreign(texts: Iterable[str | None]) -> Iterator[tuple[Registry[Any], str]]:
    called = dict.fromkeys(word for text in texts if text for word in CALL.findall(text))
    return ((known, name) for known in Registry.groups.values() for name in known.foreign(called))


def _knowing(name: str) -> list[Registry[Any]]:
    return [known for known in Registry.groups.values() if name in known]


def _import_word(name: str, said: Origin, folder: Path) -> None:
    """Import a word by its entry points; where it has none, by the module that a record names."""
    if said.module == PROGRAM:
        raise RecipeError(f"The word {name!r} was defined by a program; name its file, such as --import program.py.")
    points = [found for group in Registry.groups if (found := find_entry_point(group, name))]
    installed = {str(Origin.of_entry_point(point)) for point in points} - {str(said)}
    here = f" ({', '.join(sorted(installed))} is installed)" if installed else ""
    check_import(f"the word {name!r} of {said}{here}", installed=bool(points))
    for point in points:
        Registry.groups[point.group].find(name)
    if not points:
        import_recorded(said, folder)
