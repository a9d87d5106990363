"""Which output of a network is right for an image of a class."""

from __future__ import annotations

import re
from collections.abc import Sequence

from lucidtorch.models.model import Model

NO_ANSWER = -1
NOT_WORDS = re.compile(r"[\W_]+")
WORDNET_NUMBER = re.compile(r"^n\d{8}\s+")  # ImageNet's label files often begin each line with it


def right_answers(model: Model, classes: Sequence[str]) -> dict[str, tuple[int, ...]]:
    """Match the classes of data with those of a network.

    A class is matched with the class of a head that has its name, in any case, or has it as one of its names between
    commas; otherwise with the only class of the head whose name is a part of its own, word by word, as `red` is of
    `short thin rising red`. Where no class of any head matches and the network's only head has as many classes as the
    data, they are matched by their numbers, as in folders named by numbers or by WordNet.

    Args:
        model: The network.
        classes: The names of the data's classes.

    Returns:
        By the address of each head that has at least one match, for each class of the data the number of the head's
        class; -1 where it has none.
    """
    found = {}
    for head, names in model.heads.items():
        answers = tuple(_match(one, names) for one in classes)
        if any(answer != NO_ANSWER for answer in answers):
            found[head] = answers
    if not found and len(model.heads) == 1:
        head = next(iter(model.heads))
        if model.layers[head].channels == len(classes):
            found[head] = tuple(range(len(classes)))
    return found


def _match(name: str, known: Sequence[str]) -> int:
    words = _words(name)
    if not words:
        return NO_ANSWER
    synonyms = [[_words(one) for one in (line, *WORDNET_NUMBER.sub("", line).split(","))] for line in known]
    exact = [number for number, own in enumerate(synonyms) if words in own]
    if not exact:
        exact = [number for number, own in enumerate(synonyms) if any(one and _within(one, words) for one in own)]
    return exact[0] if len(exact) == 1 else NO_ANSWER


def _words(text: str) -> tuple[str, ...]:
    return tuple(one for one in NOT_WORDS.split(text.casefold()) if one)


def _within(part: tuple[str, ...], whole: tuple[str, ...]) -> bool:
    return any(whole[start : start + len(part)] == part for start in range(len(whole) - len(part) + 1))
