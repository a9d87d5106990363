"""The parts of a param: a `Part` holds arguments, and its `Basis` computes pixels from parameters."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.notation import Word
from lucidtorch.base.sizes import Size


class Basis(nn.Module):
    """A map from parameters to pixels, before colour and bounds. A `Part` creates it; `fill` initializes it.

    Params call `forward` with autocast disabled.

    Args:
        batch: The number of images.
        channels: The number of channels.
        size: The sides in pixels: two of an image, three of a clip or a volume.
    """

    invertible: bool = False  # whether `assign` works, for every image
    place: Tensor

    def __init__(self, batch: int, channels: int, size: Size) -> None:
        super().__init__()
        self.batch = batch
        self.channels = channels
        self.size = size
        self.register_buffer(
            "place", torch.zeros(()), persistent=False
        )  # its device and dtype are those of the parameters

    @abstractmethod
    def fill(self, generators: Sequence[Generator]) -> None:
        """Draw the initial values and register them as parameters, by `put`.

        Args:
            generators: One per image, on the CPU; the values of an image are drawn from its own.
        """

    @abstractmethod
    def forward(self) -> Tensor:
        """Compute the pixels, `[B, C, *size]` around 0, in float32 or float64."""

    def assign(self, pixels: Tensor) -> None:
        """Set the parameters so that `forward` returns these pixels; it may be called instead of `fill`.

        Args:
            pixels: `[B, C, *size]`, before colour and bounds.

        Raises:
            BadInputError: The basis is not invertible.
        """
        raise BadInputError(f"{type(self).__name__} has no inverse; use fft(), pixels() or pyramid() as main part.")

    def put(self, name: str, numbers: Tensor) -> None:
        """Set a parameter, in place if it exists, so that its optimizer state stays valid.

        Args:
            name: The parameter's name.
            numbers: Its new values, which are converted to the device and dtype of `place`.
        """
        known = getattr(self, name, None)
        numbers = numbers.detach().to(self.place)
        if known is None:
            self.register_parameter(name, nn.Parameter(numbers))
            return
        with torch.no_grad():
            known.copy_(numbers)

    def reads(self, name: str) -> Tensor:
        """Return which images depend on which row of a parameter; each on its own row, unless rows are shared.

        Args:
            name: The parameter's name in this module.

        Returns:
            Booleans `[rows, B]`, on the CPU.
        """
        return torch.eye(self.batch, dtype=torch.bool)

    def at(self, size: Size) -> Tensor:
        """Compute the same pixels at another size, `[B, C, *size]`.

        Args:
            size: As many sides as the basis has.

        Raises:
            BadInputError: The basis has one resolution.
        """
        raise BadInputError(f"{type(self).__name__} has one resolution; of the parts, only cppn(...) has any.")


class Part(Word, ABC):
    """The word for a basis: a value whose arguments are its attributes and its text.

    Write a part as a frozen dataclass in lower case, such as `pyramid(levels=4)`. Its arguments are checked against
    their annotations (`BadInputError`) and frozen (sequences become tuples, tensors become arrays), so that parts can
    be compared, pickled and printed; a part that checks more does so in its own `__post_init__`, after
    `super().__post_init__()`.
    """

    is_text = True  # whether its text is complete, so that it can be parsed

    @abstractmethod
    def basis(self, batch: int, channels: int, size: Size) -> Basis:
        """Create the basis, without initial values: nothing is drawn.

        Args:
            batch: The number of images.
            channels: The number of channels, with the opacity and without those that are held.
            size: The sides in pixels: two of an image, three of a clip or a volume.

        Raises:
            BadInputError: The arguments do not fit these images.
        """


def normal(shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
    """Draw from N(0, 1), each image from its own generator."""
    return torch.stack([torch.randn(shape, generator=one) for one in generators])
