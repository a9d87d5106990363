"""The names of a classifier's classes: reading them from a file, and finding a class by its name."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path

from lucidtorch.base.checks import is_whole
from lucidtorch.base.errors import BadInputError, UnitError, UnknownLabelError, suggestion
from lucidtorch.base.files import read_text, user_path
from lucidtorch.base.shown import cut
from lucidtorch.base.trust import check_read

WORDNET_NUMBER = re.compile(r"^n\d{8}\s+")  # ImageNet's label files often begin each line with it

MOST_DIGITS = 10  # of the number of a class
JSON_ADVICE = 'Write a list of names, {"0": "name"}, {"0": ["n01440764", "name"]} or {"name": 0}.'


def read_labels(labels: Sequence[str] | str | Path) -> list[str]:
    """Take labels as they are, or read them from a file.

    A `.json` file holds a list of names, a mapping of class number to name, as ``{"0": "tench"}`` or
    ``{"0": ["n01440764", "tench"]}``, or one of name to class number, as ``{"tench": 0}``.
    """
    if isinstance(labels, str | Path):
        return _labels_of_file(Path(labels))
    names = list(labels)
    if not all(isinstance(name, str) for name in names):
        raise BadInputError("labels are texts, or the path of a file with one label a line.")
    return names


def find_label(label: int | str, labels: Sequence[str] | None, count: int | None, name: str) -> int:
    """Find the number of a class."""
    if isinstance(label, str):
        return _number_of(label, labels, name)
    if label < 0 or (count is not None and label >= count):
        known = "" if count is None else f": it has {count}, 0 to {count - 1}"
        raise UnitError(f"{name} has no class {label}{known}.")
    return label


def short_label(label: str) -> str:
    """Shorten the name of a class to the first of its names."""
    return WORDNET_NUMBER.sub("", label).split(",")[0].strip()


def _number_of(label: str, labels: Sequence[str] | None, name: str) -> int:
    if labels is None:
        raise UnknownLabelError(
            f"{name} has no labels, so {label!r} names no class; write the class's number, or load it with labels=FILE."
        )
    for names_of in (_whole, _synonyms):
        found = [number for number, line in enumerate(labels) if label.casefold() in names_of(line)]
        if len(found) == 1:
            return found[0]
        if found:
            numbers = ", ".join(str(number) for number in found)
            raise UnknownLabelError(f"{name} has {len(found)} classes {label!r}: write one of the numbers {numbers}.")
    known = [synonym for line in labels for synonym in _synonyms(line)]
    raise UnknownLabelError(f"{name} has no class {label!r}. {suggestion(label.casefold(), known)}".rstrip())


def _whole(line: str) -> tuple[str, ...]:
    return line.casefold(), WORDNET_NUMBER.sub("", line.casefold())


def _synonyms(line: str) -> list[str]:
    return [synonym.strip() for synonym in WORDNET_NUMBER.sub("", line.casefold()).split(",")]


def _labels_of_file(path: Path) -> list[str]:
    check_read(path)
    try:
        text = read_text(user_path(path), "utf-8-sig")
    except OSError as error:
        raise BadInputError(
            f"Cannot read the labels {path}: {error.strerror}. Give a file with one label a line."
        ) from error
    except UnicodeDecodeError as error:
        raise BadInputError(f"The labels {path} are no UTF-8 text; give a text file with one label a line.") from error
    if path.suffix.lower() == ".json":
        return _labels_of_json(text, path)
    return [line.strip() for line in text.rstrip("\n").split("\n")]


def _labels_of_json(text: str, path: Path) -> list[str]:
    try:
        held = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise BadInputError(f"The labels {path} are broken JSON ({cut(str(error))}). {JSON_ADVICE}") from error
    names = _in_order(held, path) if isinstance(held, dict) else held
    if not isinstance(names, list) or not names:
        raise BadInputError(f"The labels {path} hold no list of names. {JSON_ADVICE}")
    return [_name_in(item, path) for item in names]


def _in_order(held: dict[str, object], path: Path) -> list[object]:
    """Sort a mapping by class number, its keys or its values."""
    backwards = all(is_whole(value) for value in held.values())
    numbers = list(held.values()) if backwards else [_number_in(key) for key in held]
    names = list(held) if backwards else list(held.values())
    ordered: dict[object, object] = dict(zip(numbers, names, strict=True))
    if set(numbers) != set(range(len(held))):
        raise BadInputError(f"The labels {path} do not name each class from 0 to {len(held) - 1} once. {JSON_ADVICE}")
    return [ordered[number] for number in range(len(held))]


def _number_in(key: str) -> object:
    return int(key) if key.isdecimal() and len(key) < MOST_DIGITS else key


def _name_in(item: object, path: Path) -> str:
    """A name, or the last of a list such as ["n01440764", "tench"]."""
    name = item[-1] if isinstance(item, list) and item else item
    if not isinstance(name, str):
        raise BadInputError(f"The labels {path} hold {item!r:.40} in the place of a name. {JSON_ADVICE}")
    return name
