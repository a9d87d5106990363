"""Going through all public names, and calling each with one argument changed."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from fuzz_calls import CALLS, IMAGE, METHODS, PACKAGES, Arguments, model, rendering

import lucidtorch as lt


@dataclass(frozen=True)
class Call:
    """A valid call, of which one argument is changed."""

    name: str
    function: Callable[..., Any]
    arguments: Arguments

    def parameters(self) -> list[inspect.Parameter]:
        return list(inspect.signature(self.function).parameters.values())

    def __call__(self, changes: Arguments) -> Any:
        given = {**self.arguments, **changes}
        starred = [one.name for one in self.parameters() if one.kind is inspect.Parameter.VAR_POSITIONAL]
        first = [given.pop(name) for name in starred if name in given]
        return self.function(*first, **given)


def public() -> Iterator[tuple[str, Any]]:
    """All public names that are no packages, with what they stand for."""
    for package in ("", *PACKAGES):
        module = importlib.import_module(f"lucidtorch.{package}".rstrip("."))
        for name in module.__all__:
            if not inspect.ismodule(getattr(module, name)):
                yield f"{package}.{name}".lstrip("."), getattr(module, name)


def calls() -> Iterator[Call]:
    """All calls of functions and methods."""
    late = {"models.expectation": "model", "models.findings": "model", "models.load_source": "source"}
    for name, one in public():
        if name in CALLS:
            held = {late[name]: model() if late[name] == "model" else model().source} if name in late else {}
            yield Call(name, one, {**CALLS[name], **held})
    for owner, (make, methods) in METHODS.items():
        for method, arguments in methods.items():
            yield Call(f"{owner}.{method}", getattr(make(), method), arguments)


def furnish(folder: Path) -> None:
    """Put the files that valid calls read into a folder."""
    rendering().save(folder / "photo.png")
    rendering().save(folder / "picture.png")
    (folder / "photos").mkdir()
    rendering().save(folder / "photos" / "one.png")
    lt.datasets.scan(model(), [IMAGE, IMAGE], folder / "scan", layers=["conv1_1"])
    np.save(folder / "numbers.npy", np.zeros(3))
