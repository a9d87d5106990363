"""What an attack is after, and what a network says of a picture."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from lucidtorch.models.backward import Score
from lucidtorch.models.model import Model
from lucidtorch.objectives.algebra import Activations


@dataclass(frozen=True)
class Aim:
    """What an attack is after: any answer but a label, or one answer.

    Args:
        label: The number of the class whose loss shall rise.
        target: The number of the class that shall be the answer; any other than the label where None.
    """

    label: int
    target: int | None = None

    def score(self, head: str) -> Score:
        """Write what each step makes rise: the cross entropy of the label, or minus that of the target."""

        def rising(activations: Activations) -> Tensor:
            logs = activations[head].float().log_softmax(1)
            return -logs[:, self.label] if self.target is None else logs[:, self.target]

        return rising

    def reached(self, answer: int) -> bool:
        """Say whether an answer is what the attack is after."""
        return answer != self.label if self.target is None else answer == self.target


@dataclass(frozen=True, eq=False)
class Moment:
    """A picture on its way, and what the network says of it.

    Args:
        image: `[C, H, W]` in [0, 1].
        logs: The logarithms of the classes' probabilities, `[K]`, in float64.
    """

    image: Tensor
    logs: Tensor

    @property
    def answer(self) -> int:
        """The number of the most probable class; the first of several."""
        return int(self.logs.argmax())

    def probability(self, label: int) -> float:
        """Give how probable a class is."""
        return float(self.logs[label].exp())

    def loss(self, label: int) -> float:
        """Give the cross entropy of a class."""
        return float(-self.logs[label]) + 0.0


def look(model: Model, head: str, image: Tensor) -> Moment:
    """Ask a network what a picture is."""
    return Moment(image, log_probabilities(model.activations(image[None], head)[head]))


def log_probabilities(values: Tensor) -> Tensor:
    """Take the softmax of a head's values."""
    return values[0].detach().cpu().double().log_softmax(0)
