"""The one optimization loop."""

from __future__ import annotations

import contextlib
import copy
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field

import torch
from torch import Tensor

from lucidtorch.base.seeds import OwnRandomState, derive_seed, generators
from lucidtorch.base.sizes import PLANE
from lucidtorch.models.running.capture import Run, capture
from lucidtorch.models.running.frozen import frozen
from lucidtorch.models.running.precision import widened
from lucidtorch.models.running.redirect import STEPS, redirected_relu
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.picture import INPUT
from lucidtorch.objectives.trace import Trace
from lucidtorch.param.param import Param
from lucidtorch.rendering.dead import final_values
from lucidtorch.rendering.guard import Guard, Stop
from lucidtorch.rendering.job import Job, ModelLike, ParamLike, TransformsLike, prepare
from lucidtorch.rendering.schedule import OPTIMIZERS, Schedule
from lucidtorch.transforms.geometry import crop_or_pad_to


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
    seed: int | Sequence[int] = 0,
    precision: str = "float32",
) -> Iterator[Step]:
    """Run the loop of `render` from outside, one update at a time.

    Everything is checked before the iterator is given. While it runs, the network is held still; it is given back when
    the iterator ends or is closed (leaving a `for` loop closes it).

    Args:
        model: The network: a `Model`, a module, or a name for `load_model`.
        objective: What the pictures shall show, or its text.
        param: What makes the images, or its text; the network's size, Fourier, decorrelated, where None.
        transforms: What the images go through; Lucid's standard pipeline where None.
        steps: The number of updates.
        optimizer: ``adam`` or ``sgd``.
        lr: The step size.
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
    return Loop(prepare(model, objective, param, transforms, schedule, seed, precision=precision)).run()


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
        self.param = copy.deepcopy(self.job.param).to(self.job.model.device)
        self.param.fill(self.job.seeds)
        self.guard = Guard(list(self.param.parameters()), self.param.batch)
        self._dice = generators(self.job.seeds, "transforms")
        self._foreign_dice = OwnRandomState(derive_seed(self.job.seeds[0], "global"))

    def run(self) -> Generator[Step, None, None]:
        """Make every update in turn.

        Yields:
            Each update after it was made.
        """
        rate = OPTIMIZERS[self.job.schedule.optimizer]
        optimizer = rate(self.param.parameters(), lr=self.job.schedule.lr)
        with self._network() as run:
            for number in range(1, self.job.schedule.steps + 1):
                trace = Trace()
                values = self._gradients(run, number, trace)
                with self.guard:
                    optimizer.step()
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
        resize = crop_or_pad_to(*self.job.canvas[-PLANE:])
        draws = resize.sample(images.shape, self._dice)
        seen = resize.apply_run(images, [resize], [draws], self.job.pipeline.fill)
        with torch.enable_grad(), self._foreign_dice(), self._network() as run:
            values, dead = final_values(self.job.model, run, self.job.goal, images, seen)
        return images.cpu(), values.cpu(), dead.cpu()

    @contextlib.contextmanager
    def _network(self) -> Iterator[Run]:
        module = self.job.model.module
        with frozen(module), capture(module, self.job.addresses, self.job.model.feed) as run:
            yield lambda seen: self._activations(run, seen)

    def _activations(self, run: Run, seen: Tensor) -> dict[str, Tensor]:
        """Run the network in the precision that was asked for, and come back to float32."""
        with self.job.precision.on(self.job.model.device):
            found = run(self.job.model.normalize(seen))
        return {layer: widened(values) for layer, values in found.items()}

    def _gradients(self, run: Run, number: int, trace: Trace) -> Tensor:
        """Evaluate the objective and leave each parameter's gradient in its `grad`."""
        with self._foreign_dice(), torch.enable_grad():
            images = self.param()
            draws = self.job.pipeline.sample(images.shape, self._dice)
            seen = self.job.pipeline.apply(images, draws).to(self.job.model.dtype)
            with redirected_relu() if number <= STEPS else contextlib.nullcontext():
                activations = {INPUT: images, **run(seen)}
            values = self.job.goal.evaluate(activations, trace)
            parameters = list(self.param.parameters())
            enlarged = self.job.precision.loss_scale
            gradients = torch.autograd.grad(-enlarged * values.sum(), parameters, allow_unused=True)
        filled = [_or_zero(one, parameter) for one, parameter in zip(gradients, parameters, strict=True)]
        if enlarged != 1:
            filled = [one / enlarged for one in filled]
        self.guard.check(number, values.detach(), filled, activations)
        for parameter, gradient in zip(parameters, filled, strict=True):
            parameter.grad = gradient
        return values.detach()

    def _terms(self, trace: Trace) -> dict[Objective, Tensor]:
        parts: Iterable[Objective] = (part for _, part in self.job.goal.terms())
        return {part: trace[part].detach() for part in parts}


def _or_zero(gradient: Tensor | None, parameter: Tensor) -> Tensor:
    return torch.zeros_like(parameter) if gradient is None else gradient
