"""The front door: a network and an objective in, pictures out."""

from __future__ import annotations

import contextlib
import functools
import warnings
from collections.abc import Callable, Iterator, Sequence

import torch
from torch import Tensor

from lucidtorch.base.checks import checked
from lucidtorch.base.errors import LucidtorchWarning, noting
from lucidtorch.base.shown import shown
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.joins import without_of
from lucidtorch.rendering.job import ConstraintsLike, Job, ParamLike, TransformsLike, prepare
from lucidtorch.rendering.loop import Loop, Step
from lucidtorch.rendering.networks import ModelLike
from lucidtorch.rendering.progress import progress_bar
from lucidtorch.rendering.result import Rendering
from lucidtorch.rendering.settings import Engine, Schedule, takes_old_words

Callback = Callable[[Step], None]


@takes_old_words
@checked
def render(
    model: ModelLike,
    objective: Objective | str,
    *,
    param: ParamLike = None,
    transforms: TransformsLike = None,
    steps: int = Schedule.steps,
    snapshots: Sequence[int] = Schedule.snapshots,
    optimizer: str = Schedule.optimizer,
    lr: float = Schedule.lr,
    lr_schedule: str = Schedule.lr_schedule,
    stop: str = Schedule.stop,
    constraints: ConstraintsLike = (),
    seed: int | Sequence[int] = 0,
    engine: Engine = Engine(),
    progress: bool = True,
    callbacks: Sequence[Callback] = (),
) -> Rendering:
    """Make pictures that maximize an objective.

    The network is left as it was, whatever happens. An interrupt (Ctrl-C) after the first update gives what there is.

    Args:
        model: The network: a `Model`, a module, or a name for `load_model`; or several, by the names that `of` and
            addresses such as ``name/layer`` use.
        objective: What the pictures maximize, or its text; ``layer:unit`` is short for a channel.
        param: What makes the images, or its text; the network's size, Fourier, decorrelated, where None.
        transforms: What the images go through at each step; Lucid's standard pipeline where None.
        steps: The exact number of updates.
        snapshots: After how many updates a picture is kept.
        optimizer: ``adam`` or ``sgd``, with arguments where wanted: ``adam(beta1=0.5)``.
        lr: The step size; where it changes, the largest.
        lr_schedule: How it goes over the updates: ``constant``, ``cosine`` or ``trapezoid``, with arguments where
            wanted: ``trapezoid(warmup=0.1, cooldown=0.3)``.
        stop: When an image goes no further although there are steps left: ``plateau``, where its smoothed score has
            ceased to rise; never where empty.
        constraints: What the images are held to after each step, or its text, such as ``blur(0.5, every=4)``.
        seed: One number s (image i gets s + i), or one per image. An image's start and draws depend on its own seed
            alone.
        engine: How the network is executed: its precision, how many images at once, and in which form.
        progress: Whether a notebook or a terminal shows how far the render is; a notebook shows the pictures too.
        callbacks: Called after each update.

    Returns:
        The pictures, their history, and the recipe that makes them again.

    Raises:
        BadInputError: Anything does not fit; nothing was computed then.

    Example:
        >>> import lucidtorch as lt
        >>> lt.render("demo", "conv2_1:3", param=lt.param.image(64), steps=2, progress=False)
        <Rendering of channel('conv2_1', 3): 1 x 3 x 64 x 64, 2 steps>
    """
    schedule = Schedule(steps, lr, optimizer, snapshots, lr_schedule, stop)
    job = prepare(model, objective, param, transforms, schedule, seed, engine=engine, constraints=constraints)
    with progress_bar(steps, repr(job.objective), shown=progress) as advance:
        rendering = run_job(job, (*callbacks, advance))
    _report_dead(rendering)
    return rendering


@takes_old_words
@checked
def optimize(
    model: ModelLike,
    objective: Objective | str,
    *,
    param: ParamLike = None,
    transforms: TransformsLike = None,
    steps: int = Schedule.steps,
    optimizer: str = Schedule.optimizer,
    lr: float = Schedule.lr,
    lr_schedule: str = Schedule.lr_schedule,
    stop: str = Schedule.stop,
    constraints: ConstraintsLike = (),
    seed: int | Sequence[int] = 0,
    engine: Engine = Engine(),
) -> Iterator[Step]:
    """Run the loop of `render` from outside, one update at a time.

    Everything is checked before the iterator is given. While it runs, the network is held still; it is given back when
    the iterator ends or is closed (leaving a `for` loop closes it).

    Args:
        model: The network: a `Model`, a module, or a name for `load_model`; or several by name.
        objective: What the pictures maximize, or its text.
        param: What makes the images, or its text; the network's size, Fourier, decorrelated, where None.
        transforms: What the images go through; Lucid's standard pipeline where None.
        steps: The number of updates.
        optimizer: ``adam`` or ``sgd``, with arguments where wanted: ``adam(beta1=0.5)``.
        lr: The step size; where it changes, the largest.
        lr_schedule: How it goes over the updates: ``constant``, ``cosine`` or ``trapezoid``.
        stop: When an image goes no further: ``plateau``; never where empty.
        constraints: What the images are held to after each step, or its text.
        seed: One number (image i gets seed + i), or one per image.
        engine: How the network is executed.

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
    schedule = Schedule(steps, lr, optimizer, lr_schedule=lr_schedule, stop=stop)
    job = prepare(model, objective, param, transforms, schedule, seed, engine=engine, constraints=constraints)
    return _updates(Loop(job))


def _updates(loop: Loop) -> Iterator[Step]:
    yield from loop.run()
    loop.warn_of_no_gradient()


def run_job(job: Job, callbacks: Sequence[Callback] = ()) -> Rendering:
    """Make the pictures of a job."""
    loop, log, recipe = Loop(job), _Log(job), job.record()
    interrupted = False
    try:
        with contextlib.closing(loop.run()) as updates:
            for step in updates:
                log.note(step)
                for callback in callbacks:
                    with noting(functools.partial(_blamed, callback, step)):
                        callback(step)
    except KeyboardInterrupt:
        if loop.done == 0:  # nothing was made that could be shown, or made again
            raise
        interrupted = True
        snapshots = [one for one in recipe["snapshots"] if one <= loop.done]
        recipe |= {"steps": loop.done, "planned": job.schedule.horizon, "snapshots": snapshots}
    images, values, dead = loop.finish()
    if not interrupted:  # where all images have converged, no later update changes them
        log.snapshots |= {number: images for number in job.schedule.snapshots if number not in log.snapshots}
    recipe |= job.engine.with_batches(loop.batches).to_dict()
    return Rendering(
        images=images,
        values=values,
        dead=tuple(dead.tolist()),
        snapshots=log.snapshots,
        history=log.history(),
        recipe=recipe,
        stopped=dict(loop.guard.stops),
        converged=dict(loop.guard.converged),
        interrupted=interrupted,
        arrays=job.arrays,
        held=job.param.held,
        alpha=job.param.alpha,
        objective=repr(job.objective),
    )


class _Log:
    """What is kept of every update."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.wanted = frozenset(job.schedule.snapshots)
        self.snapshots: dict[int, Tensor] = {}
        self.values: list[Tensor] = []
        pairs = zip(without_of(job.objective).terms(), job.goal.terms(), strict=True)
        self.parts = {repr(asked): computed for (_, asked), (_, computed) in pairs}
        self.terms: dict[str, list[Tensor]] = {text: [] for text in self.parts}

    def note(self, step: Step) -> None:
        self.values.append(step.values)
        for text, part in self.parts.items():
            self.terms[text].append(step.terms[part])
        if step.number in self.wanted:
            self.snapshots[step.number] = step.coming()

    def history(self) -> dict[str, Tensor]:
        batch = self.job.param.batch
        rows = {**self.terms, "objective": self.values}
        return {text: torch.stack(one, 1).cpu() if one else torch.zeros(batch, 0) for text, one in rows.items()}


def _blamed(callback: Callback, step: Step) -> str:
    return f"raised by {shown(callback)} among the callbacks after step {step.number}"


def _report_dead(rendering: Rendering) -> None:
    dead = [str(place) for place, one in enumerate(rendering.dead) if one]
    if dead:
        what = f"image {', '.join(dead)} of {rendering.objective}"
        message = (
            f"Dead: {what}. The unit is zero or sleeps in the flat part of a rectifier, and nothing in the picture "
            f"wakes it; its picture is marked."
        )
        warnings.warn(message, LucidtorchWarning, stacklevel=5)
