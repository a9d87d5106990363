"""How many images an expression speaks of."""

from __future__ import annotations

from dataclasses import dataclass

from lucidtorch.base.errors import ObjectiveError


@dataclass(frozen=True)
class Images:
    """What an expression says about the number of images.

    Args:
        exactly: The number it must be; None where it says nothing.
        at_least: The number that must be there for every image it names to exist.
    """

    exactly: int | None = None
    at_least: int = 0

    @property
    def number(self) -> int | None:
        """The number of images to make, or None where any number will do."""
        return self.exactly if self.exactly is not None else (self.at_least or None)

    def also(self, other: Images) -> Images:
        """Join what two parts of an expression say."""
        stated = {number for number in (self.exactly, other.exactly) if number is not None}
        least = max(self.at_least, other.at_least)
        if len(stated) > 1:
            raise ObjectiveError(f"One part speaks of {self.exactly} images and another of {other.exactly}.")
        exactly = stated.pop() if stated else None
        if exactly is not None and least > exactly:
            raise ObjectiveError(f"`.on({least - 1})` names an image that is not there: there are {exactly}.")
        return Images(exactly, least)
