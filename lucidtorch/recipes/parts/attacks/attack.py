"""Attacks on a network's answer: a picture moved along the gradient of a loss, and how little of that is enough."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property

from torch import Tensor

from lucidtorch.analysis.adversarial_steps import Smallest, fgsm_step, held_near, smallest_enough
from lucidtorch.base.errors import RenderError
from lucidtorch.models.backward import backward
from lucidtorch.models.layers.directory import INPUT
from lucidtorch.models.model import Model
from lucidtorch.recipes.parts.attacks.aim import Aim, Moment, log_probabilities, look

FIRST_TRIED = 1 / 64 / 255  # far below the smallest difference that a file of 8 bits can hold


@dataclass(frozen=True)
class Reach:
    """How far an attack goes.

    Args:
        epsilon: The largest change of a pixel.
        steps: The number of iterations.
        step_size: The change of a pixel by one iteration.
    """

    epsilon: float
    steps: int
    step_size: float

    def scaled(self, epsilon: float) -> Reach:
        """Make the same attack for another epsilon."""
        return Reach(epsilon, self.steps, self.step_size * epsilon / self.epsilon)


@dataclass(frozen=True, eq=False)
class Attack:
    """An attack on one picture, in which the network is not changed; the picture's result depends on no other picture.

    Args:
        model: The network.
        head: The address of the layer with the network's values of the classes, before any softmax.
        clean: The picture, `[C, H, W]` in [0, 1].
        aim: What it is after.
        noise: Where it starts, in parts of epsilon from -1 to 1, of the picture's shape; from the picture where None.
    """

    model: Model
    head: str
    clean: Tensor
    aim: Aim
    noise: Tensor | None = None

    def iterated(self, reach: Reach) -> Iterator[Moment]:
        """Go step by step, as the basic iterative method."""
        moment, gradient = self._clean
        yield moment
        if self.noise is not None:
            start = self.clean + reach.epsilon * self.noise
            moment, gradient = self._seen(held_near(start, self.clean, reach.epsilon))
            yield moment
        for _ in range(reach.steps):
            moved = moment.image + fgsm_step(gradient, reach.step_size)
            moment, gradient = self._seen(held_near(moved, self.clean, reach.epsilon))
            yield moment

    def single(self, epsilon: float) -> Moment:
        """Go one step of the whole distance, as the fast gradient sign method."""
        moved = self.clean + fgsm_step(self._clean[1], epsilon)
        return look(self.model, self.head, moved.clamp(0, 1))

    def smallest_iterated(self, reach: Reach, largest: float) -> Smallest | None:
        """Search the smallest epsilon with which the iterated attack gets there, at whichever step."""

        def enough(epsilon: float) -> bool:
            moments = itertools.islice(self.iterated(reach.scaled(epsilon)), 1, None)
            return any(self.aim.reached(one.answer) for one in moments)

        return self._smallest(enough, largest)

    def smallest_single(self, largest: float) -> Smallest | None:
        """Search the smallest epsilon with which one step gets there."""
        return self._smallest(lambda epsilon: self.aim.reached(self.single(epsilon).answer), largest)

    def _smallest(self, enough: Callable[[float], bool], largest: float) -> Smallest | None:
        if self.aim.reached(self._clean[0].answer):
            return Smallest(0.0, 0.0)
        return smallest_enough(enough, largest, first=min(FIRST_TRIED, largest))

    @cached_property
    def _clean(self) -> tuple[Moment, Tensor]:
        return self._seen(self.clean)

    def _seen(self, image: Tensor) -> tuple[Moment, Tensor]:
        back = backward(self.model, image[None], self.aim.score(self.head), [self.head])
        gradient = back.gradients[INPUT][0].cpu().float()
        if not bool(gradient.isfinite().all()):
            raise RenderError(
                f"The gradient of {self.head!r} is not finite, so that no direction can be read from it; the network's "
                f"values are too large or not numbers."
            )
        return Moment(image, log_probabilities(back.activations[self.head])), gradient
