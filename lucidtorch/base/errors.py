"""The errors that lucidtorch raises: each says what is wrong, what was given and what to write instead."""

from __future__ import annotations

import contextlib
import difflib
import os
import re
import sysconfig
import traceback
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import nn  # the commands load this module before they need torch

LONGEST = 299  # letters of the first line of a message
MOST_LINES = 3  # below it, such as a text and a caret
CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f]")  # what a terminal would obey; lines stay
CLOSE = 0.5  # how alike two words must be for one to be suggested for the other
PACKAGE = Path(__file__).resolve().parents[1]
LIBRARIES = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib"))


def _escaped(found: re.Match[str]) -> str:
    return repr(found[0])[1:-1]


class LucidtorchError(Exception):
    """Anything that lucidtorch refuses or cannot finish; the command exits with 1 unless it is a `BadInputError`.

    Args:
        message: What is wrong, what was given and what to write instead. Of a first line that is too long the middle is
            left out: values are shortened where they are named, but names of layers and other libraries' words add up.
    """

    def __init__(self, message: object = "") -> None:
        first, *others = CONTROL.sub(_escaped, str(message)).split("\n")
        if len(others) > MOST_LINES:  # of another library, or in a value that was given
            first, others = " ".join([first, *others]), []
        if len(first) > LONGEST:
            first = f"{first[: LONGEST - 122]} ... {first[-117:]}"
        super().__init__("\n".join([first, *others]))


class BadInputError(LucidtorchError, ValueError):
    """The input is wrong and was refused before any work; the command line exits with 2."""


class UnknownModelError(BadInputError):
    """No network has that name, or the file or factory it names does not give one."""


class UnknownLayerError(BadInputError):
    """The network has no layer at that address, or the address needs the number of the call."""


class UnitError(BadInputError):
    """The layer has no such channel, position or direction."""


class UnknownLabelError(BadInputError):
    """The network's labels hold no such class."""


class ExpressionError(BadInputError):
    """A text in lucidtorch's notation does not parse; the message carries a caret under the column."""


class ObjectiveError(BadInputError):
    """An objective is put together in a way that has no meaning."""


class SizeError(BadInputError):
    """A size is no positive size, or too small or too large for the network."""


class WeightsError(BadInputError):
    """A weights file is missing, broken, unsafe, or of another architecture."""


class DownloadError(BadInputError):
    """Pretrained weights would have to be downloaded and cannot be."""


class OutputError(BadInputError):
    """The place to write to cannot be written to."""


class RecipeError(BadInputError):
    """A picture or file carries no recipe, or one that cannot be run here."""


class UntrustedError(BadInputError):
    """A file from elsewhere asks to run code, to download, or to open files outside of its folder; nothing was done."""


class ImageError(BadInputError):
    """An image, or a file that should be one, does not fit."""


class RenderError(LucidtorchError):
    """A render that began could not go on."""


class WriteError(LucidtorchError):
    """Writing failed although the place is right: the disk is full or broken, or the folder was removed meanwhile."""


class LucidtorchWarning(UserWarning):
    """Something that the user should know and that does not stop the work."""


def nearest(word: str, known: Iterable[str], count: int = 3) -> tuple[str, ...]:
    """Find the known words that look most like a misspelt one."""
    words = list(dict.fromkeys(known))
    likeness = {known_word: difflib.SequenceMatcher(None, word, known_word).ratio() for known_word in words}
    close = sorted((one for one in words if likeness[one] >= CLOSE), key=lambda one: -likeness[one])
    return tuple(close[:count] or words[:count])


def suggestion(word: str, known: Iterable[str]) -> str:
    """Write the closest known words as a question that ends an error message."""
    names = [repr(name) for name in nearest(word, known)]
    return f"Did you mean {either(names)}?" if names else ""


def either(words: Sequence[str]) -> str:
    """Write words as a choice: a, b or c."""
    return words[0] if len(words) == 1 else f"{', '.join(words[:-1])} or {words[-1]}"


@contextlib.contextmanager
def noting(note: str | Callable[[], str]) -> Iterator[None]:
    """Add a note to whatever the user's code raises in the block; lucidtorch's own errors need none.

    A note that takes time to write is given as a function, since nearly every block raises nothing.
    """
    try:
        yield
    except Exception as error:
        if not isinstance(error, LucidtorchError):
            error.add_note(note if isinstance(note, str) else note())
        raise


@contextlib.contextmanager
def noting_layer(module: nn.Module) -> Iterator[None]:
    """Add the innermost layer of a network that was running to whatever its forward pass raises in the block."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, LucidtorchError):
            names = {id(part): name for name, part in module.named_modules()}
            owners = [id(frame.f_locals.get("self")) for frame, _ in traceback.walk_tb(error.__traceback__)]
            layers = [names[owner] for owner in owners if owner in names]
            place = f"layer {layers[-1]!r}" if layers and layers[-1] else "the network"
            error.add_note(f"raised in the forward pass of {place} ({type(module).__name__})")
        raise


def users_line(error: BaseException) -> str | None:
    """Find the last line of the user's own files that an error passed through."""
    places = [(frame.filename, frame.lineno) for frame in traceback.extract_tb(error.__traceback__)]
    if isinstance(error, SyntaxError) and error.filename:  # of a file that did not begin to run
        places.append((error.filename, error.lineno))
    for file, line in reversed(places):
        path = Path(file).resolve()
        if os.access(path, os.R_OK) and not any(path.is_relative_to(folder) for folder in (PACKAGE, *LIBRARIES)):
            return f"{file}, line {line}"
    return None
