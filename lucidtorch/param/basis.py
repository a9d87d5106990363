"""What a part of a param is: a word with arguments, and the basis that it stands for, which makes pixels of numbers."""

from __future__ import annotations

import dataclasses
import inspect
from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.notation import bind, format_call
from lucidtorch.base.sizes import Size


class Basis(nn.Module):
    """Numbers to pixels, before colour and bounds. A `Part` makes it; `fill` draws its numbers.

    Autocast is off around `forward` wherever a param calls it.

    Args:
        batch: The number of images.
        channels: The number of channels.
        size: The sides in pixels: two of an image, three of a clip or a volume.
    """

    invertible: bool = False  # whether every image has numbers that make it, so that `assign` works
    place: Tensor

    def __init__(self, batch: int, channels: int, size: Size) -> None:
        super().__init__()
        self.batch = batch
        self.channels = channels
        self.size = size
        self.register_buffer("place", torch.zeros(()), persistent=False)  # `fill` puts the numbers on its device

    @abstractmethod
    def fill(self, generators: Sequence[Generator]) -> None:
        """Draw the start and register its numbers as parameters, by `put`.

        Args:
            generators: One per image, on the CPU. What belongs to an image is drawn from its own.
        """

    @abstractmethod
    def forward(self) -> Tensor:
        """Make the pixels of the numbers: `[B, C, *size]` around 0, in float32 or better."""

    def assign(self, pixels: Tensor) -> None:
        """Set the numbers so that `forward` gives these pixels; it may be called instead of `fill`.

        Args:
            pixels: `[B, C, *size]`, before colour and bounds.

        Raises:
            BadInputError: The basis cannot make every image.
        """
        raise BadInputError(
            f"{type(self).__name__} cannot take on a given picture; the main part must be fft(), pixels() or pyramid()."
        )

    def put(self, name: str, numbers: Tensor) -> None:
        """Set a parameter: in place where it has numbers already, so that an optimizer goes on with them.

        Args:
            name: The parameter's name.
            numbers: Its new values; they are converted to the device and dtype of `place`.
        """
        known = getattr(self, name, None)
        numbers = numbers.detach().to(self.place)
        if known is None:
            self.register_parameter(name, nn.Parameter(numbers))
            return
        with torch.no_grad():
            known.copy_(numbers)

    def reads(self, name: str) -> Tensor:
        """Say which images depend on which row of a parameter; each on its own row, unless rows are shared.

        Args:
            name: The parameter's name in this module.

        Returns:
            Truth values `[rows, B]`, on the CPU.
        """
        return torch.eye(self.batch, dtype=torch.bool)

    def at(self, size: Size) -> Tensor:
        """Make the same images at another size, `[B, C, *size]`.

        Args:
            size: As many sides as the basis has.

        Raises:
            BadInputError: The basis has one resolution.
        """
        raise BadInputError(f"{type(self).__name__} has one resolution; of the parts, only cppn(...) has any.")


class Part(ABC):
    """The word for a basis: a value whose arguments are its attributes and its text.

    Write a part as a frozen dataclass in lower case, such as `pyramid(levels=4)`. Its arguments are frozen when it is
    made (sequences become tuples, tensors become arrays), so that it can be compared, pickled and printed; one that
    checks them does so in its own `__post_init__`, after `super().__post_init__()`.
    """

    is_text = True  # whether its text says all of it, so that it can be read back

    def __post_init__(self) -> None:
        """Freeze the arguments."""
        for name, value in bind(type(self), (), self._fields()).items():
            object.__setattr__(self, name, value)

    @abstractmethod
    def basis(self, batch: int, channels: int, size: Size) -> Basis:
        """Make the basis that this word stands for, not filled: nothing is drawn.

        Args:
            batch: The number of images.
            channels: The number of channels that are made; the opacity counts, what is held does not.
            size: The sides in pixels: two of an image, three of a clip or a volume.

        Raises:
            BadInputError: The arguments do not fit these images.
        """

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays among its arguments."""
        return tuple(value for value in self._fields().values() if isinstance(value, Array))

    def _fields(self) -> dict[str, object]:
        return {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return format_call(type(self).__name__, inspect.signature(type(self)), self._fields())


def normal(shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
    """Draw from N(0, 1), each image from its own generator."""
    return torch.stack([torch.randn(shape, generator=one) for one in generators])
