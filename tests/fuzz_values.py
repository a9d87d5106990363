"""Odd and hostile values, each made anew, that stand in the place of an argument or behind an option."""

from __future__ import annotations

import datetime
import warnings
from collections.abc import Callable, Iterator
from decimal import Decimal
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

import lucidtorch as lt

HUGE = 10**4000  # more digits than Python turns into text
LONG = 5000


class Hostile:
    """An object that fails wherever it is asked for something."""

    class Own(Exception):  # noqa: N818
        """What it raises, which passes through as it is."""

    def __repr__(self) -> str:
        raise TypeError("nobody needs the text of a stranger's object")

    def __len__(self) -> int:
        raise self.Own


def _quantized() -> Tensor:
    with warnings.catch_warnings():  # torch says that quantized tensors will go
        warnings.simplefilter("ignore")
        return torch.quantize_per_tensor(torch.rand(3, 4), 0.1, 0, torch.qint8)


def _objects() -> np.ndarray:
    made = np.empty(2, dtype=object)
    made[:] = [Hostile(), None]
    return made


def _endless() -> Iterator[int]:
    while True:
        yield 1


PLAIN: dict[str, Any] = {
    "none": None,
    "true": True,
    "false": False,
    "zero": 0,
    "minus one": -1,
    "one": 1,
    "2**31": 2**31,
    "2**63": 2**63,
    "2**64": 2**64,
    "10**12": 10**12,
    "minus 10**12": -(10**12),
    "huge": HUGE,
    "1.5": 1.5,
    "nan": float("nan"),
    "inf": float("inf"),
    "1e308": 1e308,
    "1e-320": 1e-320,
    "complex": 1j,
    "empty text": "",
    "text": "a",
    "layer": "conv1_1",
    "parent": "../a",
    "null byte": "a\0b",
    "surrogate": "a\ud800",
    "long text": "x" * LONG,
    "digits": "9" * LONG,
    "lines": "a\n" * 9,
    "brackets": "[" * LONG,
    "bytes": b"bytes",
    "empty list": [],
    "list": [1],
    "four numbers": (1, 2, 3, 4),
    "nested list": [[1, 2], [3, 4]],
    "ragged list": [[1], [2, 3]],
    "list of texts": ["a"],
    "list of huge": [HUGE, 10**12],
    "list of none": [None],
    "empty dict": {},
    "dict": {"a": 1},
    "dict by number": {1: object},
    "set": {1},
    "range": range(3),
    "long range": range(10**12),
    "class": int,
    "decimal": Decimal("1.5"),
    "fraction": Fraction(3, 2),
    "date": datetime.date(2020, 1, 1),
    "numpy int": np.int64(3),
    "numpy float": np.float32(0.5),
    "numpy bool": np.bool_(True),
    "path": Path("a"),
    "path with null byte": Path("a\0b"),
    "long path": Path("x" * LONG),
}
MADE: dict[str, Callable[[], Any]] = {
    "object": object,
    "hostile": Hostile,
    "function": lambda: lambda *args: None,
    "generator": lambda: iter([1, 2]),
    "endless": _endless,
    "numpy array": lambda: np.array([1.0, 2.0]),
    "numpy texts": lambda: np.array(["a"]),
    "numpy objects": _objects,
    "tensor": lambda: torch.rand(3, 4),
    "image": lambda: torch.rand(3, 32, 32),
    "images": lambda: torch.rand(2, 3, 32, 32),
    "whole numbers": lambda: torch.arange(12).reshape(3, 4),
    "0-dim tensor": lambda: torch.tensor(0.5),
    "empty tensor": lambda: torch.zeros(0, 3, 4),
    "tensor of nan": lambda: torch.full((3, 4), float("nan")),
    "image of inf": lambda: torch.full((1, 3, 8, 8), float("inf")),
    "complex tensor": lambda: torch.zeros(3, 4, dtype=torch.complex64),
    "bool tensor": lambda: torch.ones(3, 4, dtype=torch.bool),
    "half tensor": lambda: torch.ones(1, 3, 8, 8, dtype=torch.float16),
    "meta tensor": lambda: torch.zeros(3, 4, device="meta"),
    "meta images": lambda: torch.zeros(1, 3, 32, 32, device="meta"),
    "sparse tensor": lambda: torch.eye(3).to_sparse(),
    "quantized tensor": _quantized,
    "module": nn.Identity,
    "param": lambda: lt.param.image(8),
    "transform": lambda: lt.transforms.jitter(1),
    "constraint": lambda: lt.constraints.decay(0.1),
    "objective": lambda: lt.parse("conv1_1:0"),
}
VALUES: dict[str, Callable[[], Any]] = {name: (lambda value=value: value) for name, value in PLAIN.items()} | MADE
WORDS: dict[str, str] = {
    "empty": "",
    "text": "a",
    "layer": "conv1_1",
    "zero": "0",
    "one": "1",
    "minus one": "-1",
    "2**31": str(2**31),
    "2**64": str(2**64),
    "10**12": str(10**12),
    "digits": "9" * LONG,
    "fraction": "1.5",
    "nan": "nan",
    "inf": "inf",
    "1e308": "1e308",
    "numbers": "1,2",
    "four numbers": "1,2,3,4",
    "size": "8x8",
    "huge size": f"{10**9}x{10**9}",
    "long text": "x" * LONG,
    "brackets": "[" * LONG,
    "dots": "a." * LONG,
    "lines": "a\nb",
    "surrogate": "a\udc80",
    "parent": "../a",
    "option": "--seed",
    "dash": "-",
    "star": "*",
    "quote": "'",
    "call": "image(8)",
    "equals": "steps=1",
    "colon": "a.py:b",
    "url": "https://example.invalid/a",
    "folder": ".",
    "device file": "/dev/null",
    "true": "true",
}
