"""What all attacks of a run have in common, and how a page speaks of it."""

from __future__ import annotations

from dataclasses import dataclass

from lucidtorch.recipes.parts.attacks.attack import Reach

LEVELS = 255  # between black and white in a file of 8 bits


@dataclass(frozen=True)
class Terms:
    """What all attacks of a run have in common.

    Args:
        reach: How far they go.
        largest: The largest epsilon of the search; None where none is made.
        given: Whether the labels are the user's, and not the clean answers.
        target: The name of the class that they aim at; empty where any other will do.
        noisy: Whether they start at a random place.
        rows: Of how many iterations pictures are shown at most.
    """

    reach: Reach
    largest: float | None
    given: bool
    target: str
    noisy: bool
    rows: int

    @property
    def label(self) -> str:
        """What the label of a picture is called: real only where the user said it."""
        return "real label" if self.given else "clean answer"

    @property
    def times(self) -> str:
        """How often larger changes are drawn than they are."""
        return f"{1 / (2 * self.reach.epsilon):.3g} times"


def levels(value: float) -> str:
    """Write a change of pixels as papers do."""
    return f"{LEVELS * value:.3g}/{LEVELS}"
