"""Numbers as values: arrays that can be compared, hashed, printed and read back."""

from __future__ import annotations

import functools
import hashlib
import io
from collections.abc import Sequence, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

import numpy as np
import torch
from numpy.typing import DTypeLike
from torch import Tensor

from lucidtorch.base.checks import is_dense
from lucidtorch.base.errors import BadInputError, ExpressionError
from lucidtorch.base.files import atomic_write_bytes, read_bytes, read_npy
from lucidtorch.base.shown import shown
from lucidtorch.base.trust import check_read

MOST_NUMBERS = 1 << 28  # of an array: 2 GiB
INLINE_NUMBERS = 64  # a longer array stands in a file of its own, and its text names that file


@dataclass(frozen=True, repr=False)
class Array:
    """An array of numbers that never changes."""

    data: bytes  # row by row, little-endian
    shape: tuple[int, ...]
    dtype: str  # as numpy writes it: "<f8" or "<f4"

    @classmethod
    def of(cls, numbers: object) -> Array:
        """Take numbers in whatever form they come."""
        if isinstance(numbers, Array):
            return numbers
        if isinstance(numbers, Tensor | np.ndarray) and not is_dense(numbers):
            raise BadInputError(f"An array of real numbers is needed, but {shown(numbers)} was given.")
        if isinstance(numbers, Sized) and not isinstance(numbers, Tensor | np.ndarray) and len(numbers) > MOST_NUMBERS:
            raise BadInputError(f"An array has at most {MOST_NUMBERS} numbers, but {shown(numbers)} was given.")
        if isinstance(numbers, Tensor):
            numbers = numbers.detach().cpu().to(torch.float64).numpy()
        try:
            array = np.asarray(numbers, dtype=np.float64)
        except (TypeError, ValueError, OverflowError) as error:
            raise BadInputError(f"An array of numbers is needed, but {shown(numbers)} was given.") from error
        if array.size == 0 or not np.isfinite(array).all():
            raise BadInputError("An array of finite numbers is needed, but it is empty or holds inf or nan.")
        dtype = "<f8" if array.size <= INLINE_NUMBERS else "<f4"
        return cls(np.ascontiguousarray(array, dtype=dtype).tobytes(), array.shape, dtype)

    @functools.cached_property
    def sha256(self) -> str:
        """The checksum of the file that holds this array."""
        return hashlib.sha256(self.file_bytes()).hexdigest()

    @functools.cached_property
    def span(self) -> tuple[float, float]:
        """The smallest and the largest number."""
        numbers = self.numpy()
        return float(numbers.min()), float(numbers.max())

    @property
    def is_inline(self) -> bool:
        """Whether the text of the array holds its numbers."""
        return int(np.prod(self.shape)) <= INLINE_NUMBERS

    @property
    def file_name(self) -> str:
        """The name of the file that holds this array, made from its content."""
        return f"{self.sha256[:16]}.npy"

    def numpy(self) -> np.ndarray:
        """Give the numbers as a numpy array that must not be written to."""
        return np.frombuffer(self.data, dtype=self.dtype).reshape(self.shape)

    def __array__(self, dtype: DTypeLike | None = None, copy: bool | None = None) -> np.ndarray:
        """Give the numbers to numpy's functions, in the dtype that they ask for."""
        return np.array(self.numpy(), dtype=dtype, copy=copy)

    def tensor(self, like: Tensor) -> Tensor:
        """Give the numbers as a tensor."""
        return torch.tensor(self.numpy(), dtype=like.dtype, device=like.device)

    def save(self, folder: Path) -> Path:
        """Write the array into a folder under its own name."""
        path = folder / self.file_name
        atomic_write_bytes(path, self.file_bytes())
        return path

    def __repr__(self) -> str:
        if self.is_inline:
            return repr(self.numpy().tolist())
        return f"array({self.file_name!r}, sha256={self.sha256!r})"

    def file_bytes(self) -> bytes:
        """Give the content of the file that holds this array."""
        stream = io.BytesIO()
        np.save(stream, self.numpy(), allow_pickle=False)
        return stream.getvalue()


class Pictured:
    """Marks an argument that is a picture, whose activations an objective looks up."""


Rows: TypeAlias = Sequence[Sequence[float]]
Nested: TypeAlias = (
    Sequence[float] | Rows | Sequence[Rows] | Sequence[Sequence[Rows]] | Sequence[Sequence[Sequence[Rows]]]
)
# Marked, so that it is known by its type and not by how an annotation is written.
ArrayLike: TypeAlias = Annotated[Tensor | np.ndarray | Nested | Array, Array]
ImageLike: TypeAlias = Annotated[ArrayLike, Pictured]  # `[C, H, W]`, or `[B, C, H, W]` for one per image, in [0, 1]


def load_array(path: Path, sha256: str | None = None) -> Array:
    """Read an array from a `.npy` file."""
    check_read(path)
    try:
        content = read_bytes(path)
    except OSError as error:
        raise ExpressionError(f"The array file {path} cannot be read: {error.strerror}.") from error
    found = hashlib.sha256(content).hexdigest()
    if sha256 is not None and found != sha256:
        raise ExpressionError(f"The array file {path} has changed: its sha256 is {found}, and {sha256} was expected.")
    try:
        array = read_npy(content)
    except ValueError as error:
        raise ExpressionError(f"The array file {path} holds no plain array of numbers: {error}.") from error
    return Array.of(array)
