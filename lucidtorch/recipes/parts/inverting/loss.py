"""What an inversion makes as small as it can: the distance in a layer, and two sizes that keep the picture natural."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.matching import inversion
from lucidtorch.objectives.penalties import alpha_norm, tv_beta


@dataclass(frozen=True)
class InversionLoss:
    """The loss of Mahendran and Vedaldi 2015, with the mean of each regularizer over the picture in place of its sum.

    The distance in the layer is relative, so that it does not depend on the size of the picture; with means, the
    weights do not either. In the objective itself stand the sums, with the weights divided by the number of numbers.

    Args:
        numbers: How many numbers a picture has: channels times height times width.
        alpha: The power of each number's distance from grey.
        alpha_weight: What the mean of those powers is multiplied by.
        tv_beta: The power of the steepness at each pixel and channel.
        tv_weight: What the mean of those powers is multiplied by.
    """

    numbers: int
    alpha: float
    alpha_weight: float
    tv_beta: float
    tv_weight: float

    def objective(self, layer: str, pictures: Tensor) -> Objective:
        """Write what is maximized: the loss with a minus before it."""
        goal = -inversion(layer, pictures)
        if self.alpha_weight:
            goal = goal - self.alpha_weight / self.numbers * alpha_norm(alpha=self.alpha)
        if self.tv_weight:
            goal = goal - self.tv_weight / self.numbers * tv_beta(beta=self.tv_beta)
        return goal

    @property
    def text(self) -> str:
        """The loss in words and signs, for a page."""
        parts = ["feature error"]
        if self.alpha_weight:
            parts.append(f"{self.alpha_weight:g} * mean of |x - 0.5|^{self.alpha:g}")
        if self.tv_weight:
            parts.append(f"{self.tv_weight:g} * mean of (dx^2 + dy^2)^{self.tv_beta / 2:g}")
        return " + ".join(parts)
