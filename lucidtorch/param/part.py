"""What a part of a param is: a basis for its images, as a value that prints."""

from __future__ import annotations

import dataclasses
import inspect
from abc import ABC, abstractmethod

from lucidtorch.base.arrays import Array
from lucidtorch.base.notation import bind, format_call
from lucidtorch.base.sizes import Size
from lucidtorch.param.basis import Basis


class Part(ABC):
    """The word for a basis: a value whose arguments are its attributes and its text.

    Write a part as a frozen dataclass in lower case, such as `pyramid(levels=4)`. Its arguments are frozen when it is
    made (sequences become tuples, tensors become arrays), so that it can be compared, pickled and printed; one that
    checks them does so in its own `__post_init__`, after `super().__post_init__()`.
    """

    def __post_init__(self) -> None:
        """Freeze the arguments."""
        for name, value in bind(type(self), (), self._fields()).items():
            object.__setattr__(self, name, value)

    @abstractmethod
    def basis(self, batch: int, channels: int, size: Size) -> Basis:
        """Make the basis that this word stands for; nothing is drawn.

        Args:
            batch: The number of images.
            channels: The number of channels that are made; the opacity counts, what is held does not.
            size: The sides in pixels: two of an image, three of a clip or a volume.

        Returns:
            The basis, not filled.

        Raises:
            BadInputError: The arguments do not fit these images.
        """

    @property
    def arrays(self) -> tuple[Array, ...]:
        """The arrays among its arguments."""
        return tuple(value for value in self._fields().values() if isinstance(value, Array))

    @property
    def is_text(self) -> bool:
        """Whether its text says all of it, so that it can be read back."""
        return True

    def _fields(self) -> dict[str, object]:
        return {one.name: getattr(self, one.name) for one in dataclasses.fields(self)}  # type: ignore[arg-type]

    def __repr__(self) -> str:
        return format_call(type(self).__name__, inspect.signature(type(self)), self._fields())
