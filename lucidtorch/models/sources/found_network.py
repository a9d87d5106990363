"""What a source of networks hands over."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from torch import nn

from lucidtorch.models.inputs.convention import InputConvention


@dataclass(frozen=True, slots=True)
class FoundNetwork:
    """A network with its weights in it, before the caller's own words about its input are heard.

    Args:
        name: What messages call it.
        module: The network.
        convention: What it expects of its input.
        labels: The names of its classes, or None.
        file: The weights file that was read, or None.
        size_known: Whether the convention's size is more than a guess.
        code: The caller's own file of Python code that built it, or None.
        note: What whoever asks for a layer that it does not have should know; empty where that is nothing.
        heads: The names of the classes of each head by the address of its layer, where there are several heads.
    """

    name: str
    module: nn.Module
    convention: InputConvention
    labels: tuple[str, ...] | None = None
    file: Path | None = None
    size_known: bool = True
    code: Path | None = None
    note: str = ""
    heads: Mapping[str, tuple[str, ...]] | None = None
