"""What a basis is: the numbers of a batch of images, and how they make pixels."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

import torch
from torch import Generator, Tensor, nn

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.sizes import Size


class Basis(nn.Module):
    """Numbers to pixels, before colour and bounds. A `Part` makes it; `fill` draws its numbers.

    Autocast is off around `forward` wherever a param calls it.

    Args:
        batch: The number of images.
        channels: The number of channels.
        size: The sides in pixels: two of an image, three of a clip or a volume.
    """

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
        """Make the pixels of the numbers.

        Returns:
            `[B, C, *size]` around 0, in float32 or better.
        """

    @property
    def invertible(self) -> bool:
        """Whether every picture has numbers that make it, so that `assign` works."""
        return False

    def assign(self, pixels: Tensor) -> None:
        """Set the numbers so that `forward` gives these pixels; it may stand in the place of `fill`.

        Args:
            pixels: `[B, C, *size]`, before colour and bounds.

        Raises:
            BadInputError: The basis cannot make every picture.
        """
        raise BadInputError(
            f"{type(self).__name__} cannot take on a given picture; the main part must be fft(), pixels() or pyramid()."
        )

    def put(self, name: str, numbers: Tensor) -> None:
        """Set a parameter: in place where it has numbers already, so that an optimizer goes on with them.

        Args:
            name: The parameter's name.
            numbers: What it shall hold; it comes to the device and the kind of number of `place`.
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
        """Make the same pictures at another size.

        Args:
            size: As many sides as the basis has.

        Returns:
            `[B, C, *size]`.

        Raises:
            BadInputError: The basis has one resolution.
        """
        raise BadInputError(f"{type(self).__name__} has one resolution; of the parts, only cppn(...) has any.")
