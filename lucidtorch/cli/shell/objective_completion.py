"""What the Tab key offers inside an objective: objectives, layers, channels and classes."""

from __future__ import annotations

import functools
import inspect
import re
from collections.abc import Iterator
from dataclasses import dataclass

from prompt_toolkit.completion import Completion

from lucidtorch.base.errors import UnknownLayerError
from lucidtorch.base.notation import usage
from lucidtorch.models.model import Model
from lucidtorch.objectives.term import DEFINITIONS
from lucidtorch.objectives.text import vocabulary

LAYER = r"[\w./@]+(?:\[\w+\])*"
SHORT_UNIT = re.compile(rf"(?P<layer>{LAYER}):(?:\[[\d,\s]*)?(?P<typed>\d*)$")
UNIT = re.compile(
    rf"(?P<name>\w+)\(\s*(?P<quote>['\"])(?P<layer>{LAYER})(?P=quote)\s*,\s*(?:\[(?:\s*\d+\s*,)*\s*)?(?P<typed>\d*)$"
)
CLASS = re.compile(r"logit\(\s*(?:label\s*=\s*)?(?:\[(?:\s*\d+\s*,)*\s*)?(?P<typed>\d*)$")
TEXT = re.compile(r"(?P<name>\w+)\((?P<before>[^()]*)$")
WORD = re.compile(r"[\w./@\[\]]*$")
SCORES = ("logits", "prob")


@dataclass(frozen=True)
class _Open:
    """A text in quotes that does not end before the cursor."""

    quote: str
    before: str
    typed: str


def complete_objective(text: str, model: Model) -> Iterator[Completion]:
    """Offer what may stand at the end of the beginning of an objective."""
    text = text[1:] if text[:1] in ("'", '"') else text
    opened = _open_text(text)
    if opened is not None:
        yield from _complete_text(opened, model)
        return
    for pattern in (SHORT_UNIT, UNIT):
        found = pattern.search(text)
        if found is not None:
            yield from _units(found["layer"], found["typed"], model)
            return
    found = CLASS.search(text)
    if found is not None:
        yield from _units("logits", found["typed"], model)
    yield from _names(text, model)


def complete_layers(typed: str, model: Model, end: str = "") -> Iterator[Completion]:
    """Offer layers and their aliases: those that begin with what was typed, then those that hold it."""
    table = model.layers
    words = [*table.aliases, *table, *(word for word in SCORES if word in table)]
    fitting = [word for word in dict.fromkeys(words) if typed.casefold() in word.casefold()]
    for word in sorted(fitting, key=lambda one: not one.startswith(typed)):
        record = table[word]
        what = record.refused or f"{record.kind}, {record.channels} channels"
        yield Completion(word + end, -len(typed), display=word, display_meta=what)


def _complete_text(opened: _Open, model: Model) -> Iterator[Completion]:
    call = TEXT.search(opened.before)
    if call is not None and call["name"] == "logit" and "layer" not in call["before"]:
        for label in model.labels or ():
            if opened.typed.casefold() in label.casefold():
                written = label.replace("\\", "\\\\").replace(opened.quote, f"\\{opened.quote}")
                yield Completion(f"{written}{opened.quote}", -len(opened.typed), display=label)
        return
    yield from complete_layers(opened.typed, model, opened.quote)


def _units(layer: str, typed: str, model: Model) -> Iterator[Completion]:
    try:
        record = model.layers[layer]
        scores = layer in SCORES or record == model.layers[SCORES[0]]
    except UnknownLayerError:
        return
    labels = model.labels or [] if scores else []
    for unit in range(record.channels or 0):
        if str(unit).startswith(typed):
            label = labels[unit] if unit < len(labels) else f"of {record.channels}"
            yield Completion(str(unit), -len(typed), display_meta=label)


def _names(text: str, model: Model) -> Iterator[Completion]:
    typed = WORD.search(text)
    begun = typed[0] if typed is not None else ""
    call = TEXT.search(text)
    words = vocabulary().names
    if call is not None and call["name"] in words:
        for name in inspect.signature(words[call["name"]]).parameters:
            if name.startswith(begun) and "," in call["before"]:
                yield Completion(f"{name}=", -len(begun))
    for name, function in words.items():
        if name.startswith(begun):
            yield Completion(f"{name}(", -len(begun), display=name, display_meta=usage(name, function))
    for name in _declared():
        if name.startswith(begun) and name not in words:
            yield Completion(f"{name}(", -len(begun), display=name, display_meta="of an installed distribution")
    if call is None:
        yield from complete_layers(begun, model, ":")


@functools.cache  # each key that is pressed asks
def _declared() -> tuple[str, ...]:
    return DEFINITIONS.declared


def _open_text(text: str) -> _Open | None:
    quote, start = "", 0
    for place, letter in enumerate(text):
        if not quote and letter in "'\"":
            quote, start = letter, place
        elif letter == quote and text[place - 1] != "\\":
            quote = ""
    return _Open(quote, text[:start], text[start + 1 :]) if quote else None
