"""A word that says how a render steps: a value whose arguments are its attributes and its text."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from typing import TypeVar

from lucidtorch.base.errors import BadInputError, suggestion
from lucidtorch.base.notation import format_call
from lucidtorch.base.parsing import Vocabulary, parse_text
from lucidtorch.base.shown import shown

NO_ARGUMENTS = "()"


class Rule:
    """A word of a schedule, such as ``adam(beta1=0.5)``; without arguments it is its name alone.

    Write one as a frozen dataclass in lower case that checks its own arguments.
    """

    def __repr__(self) -> str:
        text = format_call(type(self).__name__, inspect.signature(type(self)), vars(self))
        return text.removesuffix(NO_ARGUMENTS)


OneRule = TypeVar("OneRule", bound=Rule)


def parse_rule(text: object, what: str, words: Mapping[str, type[OneRule]]) -> OneRule:
    """Read a rule from its text, without running any Python."""
    known = ", ".join(words)
    if not isinstance(text, str):
        raise BadInputError(f"{what} is a text, one of {known}, but {shown(text)} was given.")
    name = text.strip()
    if name.isidentifier() and name not in words:
        raise BadInputError(f"{what} is one of {known}, but {shown(text)} was given. {suggestion(name, words)}")
    call = f"{name}{NO_ARGUMENTS}" if name.isidentifier() else name
    found = parse_text(call, Vocabulary(what=what, names=words, operators=frozenset()))
    for word in words.values():
        if isinstance(found, word):
            return found
    raise BadInputError(f"{what} is one of {known}, but {shown(text)} was given.")
