"""From a line as it was typed to the words of a command."""

from __future__ import annotations

import re
import shlex
from collections.abc import Collection

from lucidtorch.base.errors import BadInputError, suggestion

RENDER, SET = "render", "set"
TAKES_MODEL = (RENDER, "layers", "gallery")
PLAIN_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
QUOTED = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")


def words_of(line: str, commands: Collection[str], options: Collection[str], spec: str) -> list[str]:
    """Split a line into the words of a command; an objective that stands alone becomes a `render`."""
    line = line.strip()
    if not line or line.startswith("#"):
        return []
    first, rest = _cut(line)
    if first not in commands:
        if PLAIN_WORD.fullmatch(first) and not rest.startswith("("):
            raise BadInputError(
                f"There is no command {first!r}. {suggestion(first, commands)} "
                f"`help` lists them; an objective is written LAYER:UNIT."
            )
        return [RENDER, *_render_words(line, options)]
    if first in TAKES_MODEL and _cut(rest)[0] == spec:
        rest = _cut(rest)[1]
    if first == RENDER:
        return [first, *_render_words(rest, options)]
    return [first, *(_setting_words(rest) if first == SET else _split(rest))]


def objective_part(text: str, options: Collection[str]) -> tuple[str, str]:
    """Cut what follows `render` where its first option stands; no objective holds a word that looks like one."""
    plain = QUOTED.sub(lambda found: "_" * len(found[0]), text)  # an option in quotes is none
    for found in re.finditer(r"(?:^|(?<=\s))--?[A-Za-z][\w-]*", plain):
        if found[0] in options:
            return text[: found.start()].rstrip(), text[found.start() :]
    return text.rstrip(), ""


def _render_words(text: str, options: Collection[str]) -> list[str]:
    """Split what follows `render`: an objective need not be quoted, since its own quotes and blanks are kept."""
    objective, rest = objective_part(text, options)
    if not objective:
        return _split(rest)
    words = _split(objective) if objective[0] in "'\"" else []
    return [*_split(rest), "--", *(words or [objective])]


def _setting_words(text: str) -> list[str]:
    """Split what follows `set`: all behind the name, which may be written as an option, is the value."""
    if text in ("-h", "--help"):
        return [text]
    name, value = _cut(text)
    words = _split(value) if value[:1] in ("'", '"') else []
    return ["--", *(one for one in (name.lstrip("-"), words[0] if len(words) == 1 else value) if one)]


def _cut(text: str) -> tuple[str, str]:
    first, *rest = text.split(maxsplit=1)[:2] or [""]
    return first, rest[0] if rest else ""


def _split(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError as error:
        raise BadInputError(f"This does not split into words ({error}): {text}") from error
