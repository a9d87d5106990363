"""The words of the notation as the reference pages tell them: read from the vocabularies and their docstrings."""

from __future__ import annotations

import inspect
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from types import ModuleType
from typing import Any

import lucidtorch.constraints
import lucidtorch.objectives
import lucidtorch.param
import lucidtorch.transforms
from lucidtorch.base.notation import usage
from lucidtorch.base.parsing import Vocabulary
from lucidtorch.constraints.text import VOCABULARY as CONSTRAINTS
from lucidtorch.objectives.text import vocabulary as objective_vocabulary
from lucidtorch.param.text import VOCABULARY as PARAMS
from lucidtorch.transforms.text import VOCABULARY as TRANSFORMS

FORMULA, SOURCE = "Formula:", "Source:"


@dataclass(frozen=True)
class Word:
    """One word: its name, and the function or class behind it."""

    name: str
    meaning: Callable[..., Any]

    @property
    def usage(self) -> str:
        """How it is written, with all arguments and their defaults."""
        return usage(self.name, self.meaning)

    @property
    def first_line(self) -> str:
        """What it shows or does."""
        return self._lines[0]

    @property
    def formula(self) -> str:
        """What it computes; empty where its docstring does not say so."""
        return self._after(FORMULA)

    @property
    def source(self) -> str:
        """Where it comes from; empty where its docstring does not say so."""
        return self._after(SOURCE)

    @property
    def family(self) -> ModuleType:
        """The module that defines it, which holds what is akin."""
        return sys.modules[self.meaning.__module__]

    @property
    def _lines(self) -> list[str]:
        return (inspect.getdoc(self.meaning) or "").splitlines() or [""]

    def _after(self, label: str) -> str:
        """The text behind a label, with the indented lines that go on with it."""
        starts = [place for place, line in enumerate(self._lines) if line.startswith(label)]
        if not starts:
            return ""
        first, *rest = self._lines[starts[0] :]
        more = list(_indented(rest))
        return " ".join([first.removeprefix(label).strip(), *more]).strip()


@dataclass(frozen=True)
class Chapter:
    """A kind of word: the name of its page, its package, and the vocabulary of its texts."""

    name: str
    package: ModuleType
    vocabulary: Callable[[], Vocabulary]

    def words(self) -> dict[str, Word]:
        """All its words by name: those of texts, and the public ones that need Python but state a formula."""
        names: dict[str, Callable[..., Any]] = dict(self.vocabulary().names)
        known = {id(one) for one in names.values()}
        for name in self.package.__all__:
            meaning = getattr(self.package, name)
            if id(meaning) not in known and FORMULA in (inspect.getdoc(meaning) or ""):
                names[name] = meaning
        return {name: Word(name, meaning) for name, meaning in names.items()}


CHAPTERS = (
    Chapter("objectives", lucidtorch.objectives, objective_vocabulary),
    Chapter("params", lucidtorch.param, lambda: PARAMS),
    Chapter("transforms", lucidtorch.transforms, lambda: TRANSFORMS),
    Chapter("constraints", lucidtorch.constraints, lambda: CONSTRAINTS),
)


def _indented(lines: list[str]) -> Iterator[str]:
    for line in lines:
        if not line.startswith(" "):
            return
        yield line.strip()
