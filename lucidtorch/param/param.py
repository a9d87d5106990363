"""What a param is: numbers that make images, one seed per image."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence

from torch import Tensor, nn

from lucidtorch.base.arrays import Array
from lucidtorch.base.sizes import Size


class Param(nn.Module):
    """A parameterization: a module whose numbers make images in [0, 1].

    It holds arguments until `fill` draws its start; building one draws nothing. Every parameter's first axis is the
    image, so that one image can be stopped, or started from its own seed, without touching another.
    """

    @property
    @abstractmethod
    def batch(self) -> int:
        """The number of images it makes."""

    @property
    @abstractmethod
    def channels(self) -> int:
        """The number of channels of its images."""

    @property
    @abstractmethod
    def size(self) -> Size:
        """The height and width of its images; of clips and volumes, frames or slices before them."""

    @property
    @abstractmethod
    def arrays(self) -> tuple[Array, ...]:
        """The large arrays that its text names and that must stand beside a picture."""

    @property
    def held(self) -> tuple[int, ...]:
        """The channels that stay as they are while the others change; none unless the param says so."""
        return ()

    @abstractmethod
    def fill(self, seeds: Sequence[int]) -> None:
        """Draw the start of every image from its own seed.

        Args:
            seeds: One per image.

        Raises:
            BadInputError: There are not as many seeds as images.
        """

    @abstractmethod
    def forward(self) -> Tensor:
        """Make the images; a param that was never filled starts from seed 0.

        Returns:
            `[B, C, H, W]` in [0, 1], in float32 or better; `[B, C, T, H, W]` for clips and volumes.
        """

    @abstractmethod
    def resized(self, *, batch: int) -> Param:
        """Make the same param, unfilled, for another number of images.

        Args:
            batch: The number of images.

        Returns:
            A new param.
        """
