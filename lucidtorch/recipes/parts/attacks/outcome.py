"""What came of an attack on a picture, as plain values."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from lucidtorch.analysis.adversarial_steps import Smallest
from lucidtorch.recipes.story import Figure

DIGITS = 6  # that numbers in ``data.json`` have


@dataclass(frozen=True)
class Look:
    """What the network says of one state of a picture.

    Args:
        name: Which state it is, such as ``clean`` or ``3``.
        answer: The number of the answer.
        probability: Of the answer.
        of_label: The probability of the label.
        loss: The cross entropy of the label.
        of_target: The probability of the target; None where there is none.
        reached: Whether the attack is where it wants to be.
        picture: The picture's file, or empty.
        change: The file of the change, or empty.
    """

    name: str
    answer: int
    probability: float
    of_label: float
    loss: float
    of_target: float | None
    reached: bool
    picture: str = ""
    change: str = ""


@dataclass(frozen=True)
class Outcome:
    """What came of an attack.

    Args:
        name: The picture's name.
        head: The address of the head.
        classes: The short names of its classes.
        label: The number of the label.
        looks: The clean picture, the random start if any, and every iteration.
        single: One step of the whole epsilon.
        saved: The last iteration's picture as it is read back from its file; None where a file cannot hold it.
        first: The first iteration that got there; None where none did.
        still: Whether nothing in the picture changed.
        smallest: The smallest epsilon of the iterated attack, if any was found.
        smallest_single: The smallest epsilon of one step, if any was found.
    """

    name: str
    head: str
    classes: Sequence[str]
    label: int
    looks: tuple[Look, ...]
    single: Look
    saved: Look | None
    first: int | None
    still: bool
    smallest: Smallest | None
    smallest_single: Smallest | None

    @property
    def clean(self) -> Look:
        """The clean picture."""
        return self.looks[0]

    @property
    def last(self) -> Look:
        """The picture after the last iteration."""
        return self.looks[-1]

    @property
    def facts(self) -> dict[str, Any]:
        """All of it as plain values; labels by their numbers."""
        return {
            "picture": self.name,
            "head": self.head,
            "label": self.label,
            "iterations": [_plain(one) for one in self.looks],
            "fgsm": _plain(self.single),
            "saved": None if self.saved is None else _plain(self.saved),
            "first_changed": self.first,
            "smallest_epsilon": _span(self.smallest),
            "smallest_epsilon_fgsm": _span(self.smallest_single),
        }

    def says(self, look: Look) -> str:
        """Write an answer."""
        return f"{self.classes[look.answer]} ({look.probability:.1%})"

    def picture(self, look: Look) -> Figure:
        """Describe the picture of a state."""
        name = f"iteration {look.name}" if look.name.isdecimal() else look.name
        return Figure(look.picture, f"{self.name}, {name}: {self.says(look)}", f"{self.name}, {name}")


def _plain(look: Look) -> dict[str, Any]:
    names = ("name", "answer", "probability", "of_label", "loss", "of_target", "picture")
    values = {name: getattr(look, name) for name in names}
    return {name: _rounded(one) for name, one in values.items() if one is not None and one != ""}


def _rounded(value: Any) -> Any:
    return float(f"{value:.{DIGITS}g}") if isinstance(value, float) else value


def _span(found: Smallest | None) -> dict[str, float] | None:
    return None if found is None else {"enough": found.enough, "too_little": found.too_little}
