"""Which output of a network is right for an image of a class, and whether it was given."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

import numpy as np

from lucidtorch.base.errors import BadInputError
from lucidtorch.models.model import Model
from lucidtorch.models.sources.labels import WORDNET_NUMBER

NO_ANSWER = -1
NOT_WORDS = re.compile(r"[\W_]+")

Words: TypeAlias = tuple[str, ...]


def right_answers(model: Model, classes: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Match the classes of data with those of a network, as `scan(answers=)` takes them.

    A class is matched with the class of a head that has its name, in any case, or has it as one of its names between
    commas; otherwise with the only class of the head whose name is a part of its own, word by word, as `red` is of
    `short thin rising red`. Where no class of any head matches and the network's only head has as many classes as the
    data, they are matched by their numbers, as in folders named by numbers or by WordNet.

    Args:
        model: The network.
        classes: The names of the classes of the data.

    Returns:
        By the address of each head, for each class of the data the number of the head's class, or -1 for none; without
        the heads of which no class matches.
    """
    found = {}
    for head, names in model.heads.items():
        known = [_synonyms(line) for line in names]
        answers = tuple(_match(_words(one), known) for one in classes)
        if any(answer != NO_ANSWER for answer in answers):
            found[head] = answers
    if not found and len(model.heads) == 1:
        head = next(iter(model.heads))
        if model.layers[head].channels == len(classes):
            found[head] = tuple(range(len(classes)))
    return found


def checked_answers(
    answers: Mapping[str, Sequence[int]] | None, model: Model, classes: Sequence[str]
) -> dict[str, list[int]]:
    """Refuse right answers that do not fit the network or the data."""
    found = {head: [int(one) for one in numbers] for head, numbers in (answers or {}).items()}
    for head, numbers in found.items():
        shape = model.layers[head].shape
        if len(shape or ()) != 1 or not all(NO_ANSWER <= one < (shape or (0,))[0] for one in numbers):
            raise BadInputError(f"The answers of {head!r} are numbers of its units, or -1, but its shape is {shape}.")
        if len(numbers) != len(classes):
            raise BadInputError(f"{head!r} has {len(numbers)} answers for the {len(classes)} classes of the data.")
    return found


def are_right(answers: Mapping[str, Sequence[int]], given: Mapping[str, np.ndarray], labels: np.ndarray) -> np.ndarray:
    """Say which images `[B]` are of a class that some head has, and are classified so by all heads that have it.

    Args:
        answers: By head, the right output for each class, or -1.
        given: By head, the output of the network for each image.
        labels: The classes of the images; -1 where they have none.
    """
    right = np.ones(len(labels), dtype=bool)
    known = np.zeros(len(labels), dtype=bool)
    for head, numbers in answers.items():
        wanted = np.append(np.asarray(numbers, dtype=np.int64), NO_ANSWER)
        wanted = wanted[np.where((labels >= 0) & (labels < len(numbers)), labels, len(numbers))]
        known |= wanted != NO_ANSWER
        right &= (wanted == NO_ANSWER) | (wanted == given[head])
    return right & known


def _match(words: Words, known: Sequence[Sequence[Words]]) -> int:
    if not words:
        return NO_ANSWER
    found = [number for number, names in enumerate(known) if words in names]
    if not found:
        found = [number for number, names in enumerate(known) if any(one and _within(one, words) for one in names)]
    return found[0] if len(found) == 1 else NO_ANSWER


def _synonyms(line: str) -> list[Words]:
    """All names of a class in a label: the whole line, and each of the names between commas."""
    return [_words(one) for one in (line, *WORDNET_NUMBER.sub("", line).split(","))]


def _words(text: str) -> Words:
    return tuple(one for one in NOT_WORDS.split(text.casefold()) if one)


def _within(part: Words, whole: Words) -> bool:
    return any(whole[start : start + len(part)] == part for start in range(len(whole) - len(part) + 1))
