"""The one optimization loop."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lucidtorch.base.seeds import OwnRandomState, derive_seed, generators
from lucidtorch.constraints.constraint import Moment
from lucidtorch.models.running.redirect import STEPS, redirected_relu
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.references import INPUT
from lucidtorch.objectives.trace import Memory, Trace
from lucidtorch.param.param import Param
from lucidtorch.rendering.dead import final_values
from lucidtorch.rendering.guard import Guard, Stop
from lucidtorch.rendering.job import Job
from lucidtorch.rendering.networks import ModelLike
from lucidtorch.rendering.preparation import ConstraintsLike, ParamLike, TransformsLike, prepare
from lucidtorch.rendering.schedule import OPTIMIZERS, Schedule
from lucidtorch.rendering.seeing import Comparisons, Eyes, by_image, evaluate_views, still, zero_colour


@dataclass(frozen=True)
class Step:
    """One update that was made.

    Args:
        number: How many updates there are now, from 1.
        steps: How many there will be.
        values: The objective of each image before this update, `[B]`.
        terms: The values of the parts that arithmetic joins, `[B]` each, by part.
        param: What makes the images; calling it gives them as they are now.
        stops: The images that stopped because a value was no number, by place.
    """

    number: int
    steps: int
    values: Tensor
    terms: Mapping[Objective, Tensor]
    param: Param
    stops: Mapping[int, Stop]

    @property
    def images(self) -> Tensor:
        """The images after this update, `[B, C, *size]` in [0, 1], on the CPU."""
        with torch.no_grad():
            images: Tensor = self.param()
        return images.detach().cpu()


def optimize(
    model: ModelLike,
    objective: Objective | str,
    *,
    param: ParamLike = None,
    transforms: TransformsLike = None,
    steps: int = 512,
    optimizer: str = "adam",
    lr: float = 0.05,
    constraints: ConstraintsLike = (),
    seed: int | Sequence[int] = 0,
    precision: str = "float32",
) -> Iterator[Step]:
    """Run the loop of `render` from outside, one update at a time.

    Everything is checked before the iterator is given. While it runs, the network is held still; it is given back when
    the iterator ends or is closed (leaving a `for` loop closes it).

    Args:
        model: The network: a `Model`, a module, or a name for `load_model`; or several by name.
        objective: What the pictures shall show, or its text.
        param: What makes the images, or its text; the network's size, Fourier, decorrelated, where None.
        transforms: What the images go through; Lucid's standard pipeline where None.
        steps: The number of updates.
        optimizer: ``adam`` or ``sgd``.
        lr: The step size.
        constraints: What the images are held to after each step, or its text.
        seed: One number (image i gets seed + i), or one per image.
        precision: What the network computes in: ``float32``, ``bfloat16`` or ``float16``.

    Returns:
        An iterator over the updates.

    Raises:
        BadInputError: Anything does not fit; nothing was computed then.

    Example:
        >>> import lucidtorch as lt
        >>> for step in lt.optimize("demo", "conv2_1:3", param=lt.param.image(64), steps=3):
        ...     print(step.number, tuple(step.images.shape))
        1 (1, 3, 64, 64)
        2 (1, 3, 64, 64)
        3 (1, 3, 64, 64)
    """
    schedule = Schedule(steps, lr, optimizer)
    job = prepare(model, objective, param, transforms, schedule, seed, precision=precision, constraints=constraints)
    return Loop(job).run()


@dataclass
class Loop:
    """A run of the loop over one job.

    Args:
        job: What to do.
        param: The filled copy of the job's param that the loop changes.
        guard: Watches for values that are no numbers.
        done: How many updates were made.
    """

    job: Job
    param: Param = field(init=False)
    guard: Guard = field(init=False)
    done: int = field(init=False, default=0)

    def __post_init__(self) -> None:
        self.param = copy.deepcopy(self.job.param).to(self.job.networks.device)
        self.param.fill(self.job.seeds)
        self.guard = Guard(self.param)
        self._dice = generators(self.job.seeds, "transforms")
        self._foreign_dice = OwnRandomState(derive_seed(self.job.seeds[0], "global"))
        self._memories: dict[Hashable, Memory] = {}
        self._zero = zero_colour(self.job.networks.first, self.param)

    def run(self) -> Generator[Step, None, None]:
        """Make every update in turn.

        Yields:
            Each update after it was made.
        """
        rate = OPTIMIZERS[self.job.schedule.optimizer]
        optimizer = rate(self.param.parameters(), lr=self.job.schedule.lr)
        with self._looking() as eyes:
            for number in range(1, self.job.schedule.steps + 1):
                trace = Trace(number - 1, self._memories)
                values, towards = self._gradients(eyes, number, trace)
                with self.guard:
                    optimizer.step()
                    self._constrain(number, towards)
                self.done = number
                yield Step(
                    number, self.job.schedule.steps, values, self._terms(trace), self.param, dict(self.guard.stops)
                )

    def finish(self) -> tuple[Tensor, Tensor, Tensor]:
        """Look at the pictures as they are now, without transforms.

        Returns:
            The pictures `[B, C, *size]`, their objective `[B]`, and whether their units are dead `[B]`, all on the CPU.
        """
        with torch.no_grad():
            images = self.param()
        with torch.enable_grad(), self._foreign_dice(), self._looking() as eyes:
            pipeline = still(self.job)
            draws = pipeline.sample(images.shape, self._dice)
            references = eyes.references(pipeline, draws)
            seen = pipeline.apply(images, draws).detach().requires_grad_(True)
            values, dead = final_values(eyes.look, self.job.goal, images, seen, references)
        return images.cpu(), values.cpu(), dead.cpu()

    @contextlib.contextmanager
    def _looking(self) -> Iterator[Eyes]:
        networks, precision = self.job.networks, self.job.precision
        comparisons = Comparisons(self.job)
        with contextlib.ExitStack() as held:
            look = held.enter_context(networks.looking(self.job.addresses, precision))
            if not comparisons.pictures:
                yield Eyes(look, lambda pipeline, draws: {})
                return
            glance = held.enter_context(networks.looking(comparisons.addresses, precision))
            yield Eyes(look, lambda pipeline, draws: comparisons.activations(glance, pipeline, draws))

    def _gradients(self, eyes: Eyes, number: int, trace: Trace) -> tuple[Tensor, Tensor | None]:
        """Evaluate the objective and leave each parameter's gradient in its `grad`.

        Gives the values, and the objective's gradient to the images where a constraint asks for it.
        """
        with self._foreign_dice(), torch.enable_grad():
            images = self.param()
            activations = self._activations(eyes, number, images)
            values = evaluate_views(self.job.goal, images, activations, trace)
            parameters = list(self.param.parameters())
            wanted = [*parameters, images] if self.job.constraints.needs_gradient else parameters
            enlarged = self.job.precision.loss_scale
            gradients = _gradients_of(-enlarged * values.sum(), wanted)
        filled = [one / enlarged for one in gradients] if enlarged != 1 else gradients
        towards = -filled.pop() if self.job.constraints.needs_gradient else None
        self.guard.check(number, values.detach(), filled, {INPUT: images, **by_image(activations, len(images))})
        for parameter, gradient in zip(parameters, filled, strict=True):
            parameter.grad = gradient
        return values.detach(), towards

    def _activations(self, eyes: Eyes, number: int, images: Tensor) -> dict[str, Tensor]:
        """What the networks make of every view of the images, and of the pictures that are compared with."""
        pipeline = self.job.pipeline.at((number - 1) / self.job.schedule.steps)
        views = pipeline.views
        dice = [one for one in self._dice for _ in range(views)]
        seen = images if views == 1 else images.repeat_interleave(views, 0)
        draws = pipeline.sample(seen.shape, dice)
        references = eyes.references(pipeline, draws)
        with redirected_relu() if number <= STEPS else contextlib.nullcontext():
            return {**eyes.look(pipeline.apply(seen, draws)), **references}

    def _constrain(self, number: int, towards: Tensor | None) -> None:
        if self.job.constraints.steps:
            with torch.no_grad():
                moment = Moment(number, self._zero, towards)
                self.param.assign(self.job.constraints.apply(self.param(), moment))

    def _terms(self, trace: Trace) -> dict[Objective, Tensor]:
        parts: Iterable[Objective] = (part for _, part in self.job.goal.terms())
        return {part: trace[part].detach() for part in parts}


def _gradients_of(loss: Tensor, wanted: Sequence[Tensor]) -> list[Tensor]:
    """Take gradients; zero where the loss does not depend on something, or at this step on nothing at all."""
    if not loss.requires_grad:
        return [torch.zeros_like(one) for one in wanted]
    found = torch.autograd.grad(loss, wanted, allow_unused=True)
    return [
        torch.zeros_like(one) if gradient is None else gradient for gradient, one in zip(found, wanted, strict=True)
    ]
