"""Galleries that tests make, stop in the middle, and compare file by file."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

import lucidtorch as lt
from lucidtorch.galleries import Gallery
from lucidtorch.models.model import Model

VARIANTS = ("channel", "negative", "diversity")
SMALL: dict[str, Any] = {"layers": ["conv1_1"], "units": "0-2", "batch": 2, "variants": ["channel"], "steps": 2}
LARGE: dict[str, Any] = SMALL | {"layers": ["conv1_1", "relu2_1"], "units": "0-4", "batch": 3, "variants": VARIANTS}
LARGE_BATCHES = 2 * (2 + 2 + 5)


class Killed(BaseException):
    """Stands for the end of the process."""


def made(model: Model | str, folder: Path, settings: dict[str, Any] = SMALL, **changes: Any) -> Gallery:
    return lt.gallery(model, folder, **({"param": lt.param.image(24)} | settings | changes))


def contents(folder: Path) -> dict[str, bytes]:
    """Every file by its name in the folder, but for what never got its final name."""
    files = (path for path in sorted(folder.rglob("*")) if path.is_file() and path.suffix != ".part")
    return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}


def pictures(folder: Path) -> dict[str, bytes]:
    return {name: data for name, data in contents(folder).items() if name.endswith(".png")}


def stopping(after: int, error: BaseException) -> Callable[[int, int, object], None]:
    """A report that raises when so many batches are done."""

    def report(done: int, total: int, batch: object) -> None:
        if done == after:
            raise error

    return report


class Steps:
    """Counts the forward passes that are made for an update, and may raise at one of them."""

    def __init__(self, model: Model) -> None:
        self.count = 0
        self.error: tuple[int, BaseException] | None = None
        self.handle = model.module.register_forward_pre_hook(self._count)

    def _count(self, module: object, inputs: tuple[Tensor, ...]) -> None:
        if torch.is_grad_enabled() and inputs[0].requires_grad:
            self.count += 1
            if self.error is not None and self.count == self.error[0]:
                raise self.error[1]


def recorded(folder: Path) -> set[str]:
    """The pictures of all batches that are finished."""
    records = (json.loads(path.read_text()) for path in folder.glob("batches/*.json"))
    return {picture["file"] for record in records for picture in record["pictures"]}


def count_of(folder: Path) -> int:
    return len(list(folder.glob("batches/*.json")))
