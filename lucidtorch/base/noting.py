"""Errors of the user's own code: they pass as they are, with a note that says what raised them."""

from __future__ import annotations

import contextlib
import os
import sysconfig
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from lucidtorch.base.errors import LucidtorchError

if TYPE_CHECKING:
    from torch import nn  # the commands load this module before they need torch

PACKAGE = Path(__file__).resolve().parents[1]
LIBRARIES = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib"))


@contextlib.contextmanager
def noting(note: str) -> Iterator[None]:
    """Add a note to whatever the user's code raises in the block; lucidtorch's own errors need none."""
    try:
        yield
    except Exception as error:
        if not isinstance(error, LucidtorchError):
            error.add_note(note)
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
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        path = Path(frame.filename).resolve()
        if os.access(path, os.R_OK) and not any(path.is_relative_to(folder) for folder in (PACKAGE, *LIBRARIES)):
            return f"{frame.filename}, line {frame.lineno}"
    return None
