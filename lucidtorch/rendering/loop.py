"""The one optimization loop, in which an image stops by itself where its value or gradient is NaN or infinite."""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Callable, Generator, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch
from torch import Tensor

from lucidtorch.base.errors import BadInputError, LucidtorchError, LucidtorchWarning
from lucidtorch.base.machine import fetched, free_memory, is_out_of_memory
from lucidtorch.base.seeds import OwnRandomState, derive_seed, generators
from lucidtorch.base.surroundings import pinned
from lucidtorch.constraints.constraint import Moment
from lucidtorch.models.running.frozen import Attempt
from lucidtorch.models.running.redirect import STEPS, redirected_relu
from lucidtorch.objectives.algebra import Memory, Objective, Trace
from lucidtorch.objectives.references import INPUT
from lucidtorch.param.param import Param
from lucidtorch.rendering.checks import BatchDependence, takes_inner_gradients
from lucidtorch.rendering.gradients import (
    CheckedForward,
    FinalResult,
    as_in_broken_networks,
    final_values,
    note_gradients,
    warn_of_no_gradient,
    warn_of_stillness,
)
from lucidtorch.rendering.job import Job
from lucidtorch.rendering.passes import ForwardInputs, ForwardPasses, PassResult, References, bare, gradients, step_back
from lucidtorch.rendering.rules import Plateaus
from lucidtorch.rendering.settings import evenly, renamed
from lucidtorch.transforms.transform import Pipeline

Found = TypeVar("Found")


@dataclass(frozen=True)
class Stop:
    """Why an image stopped."""

    image: int  # its place in the batch
    step: int  # the update that was not made, from 1
    layer: str  # of the first value that is NaN or infinite; "objective" or "gradient" where no layer has one


class Guard:
    """Watches over the images of one render and keeps the last good numbers of each; an update runs inside it.

    Images that share numbers stop together: what one of them makes of a shared row reaches the others.
    """

    def __init__(self, param: Param) -> None:
        named = list(param.named_parameters())
        for name, one in named:
            rows = one.shape[0] if one.ndim else 0
            if tuple(param.reads(name).shape) != (rows, param.batch):
                raise BadInputError(
                    f"The first axis of {name!r} of {param!r:.80} is not the image: it has {rows} rows for "
                    f"{param.batch} images. Give it a row per image, or say in reads(name) which images read each row."
                )
        self.parameters = [one for _, one in named]
        self.reads = [param.reads(name).to(one.device) for name, one in named]  # `[rows, B]` of each
        self.stops: dict[int, Stop] = {}
        self.converged: dict[int, int] = {}  # the last update of an image that goes no further, by its place
        self._waiting: dict[int, int] = {}  # those that converge as soon as all that share numbers with them do
        self.good = [one.detach().clone() for one in self.parameters]
        self.batch = param.batch

    def check(self, step: int, values: Tensor, gradients: Sequence[Tensor], activations: Mapping[str, Tensor]) -> None:
        """Stop every image that has a value or gradient that is NaN or infinite, and zero its gradient."""
        total = sum((one.sum() for one in gradients), start=values.sum())
        if not bool(total.isfinite()):  # one NaN makes the sum NaN; large numbers may, too
            self._find(step, values.isfinite(), gradients, activations)
        if self.held:
            for gradient, rows in zip(gradients, self._rows(self.held), strict=True):
                gradient[rows] = 0

    @property
    def held(self) -> tuple[int, ...]:
        """The images that no longer change: those that stopped and those that have converged."""
        return tuple(dict.fromkeys((*self.stops, *self.converged)))

    def converge(self, step: int, images: Iterable[int]) -> None:
        """Let images stay as they are from here on; those that share numbers, once all of them have converged."""
        self._waiting |= dict.fromkeys(images, step)
        for image in self._waiting.keys() - self.converged.keys() - self.stops.keys():
            alone = torch.zeros(self.batch, dtype=torch.bool, device=self.reads[0].device)
            alone[image] = True
            together = torch.nonzero(self._sharing(alone)).flatten().tolist()
            if all(one in self._waiting or one in self.stops for one in together):
                self.converged[image] = step
        self._copy(self.parameters, self.good, self._rows([one for one, at in self.converged.items() if at == step]))

    def __enter__(self) -> None:
        """Remember the numbers of the images that still run, before an update."""
        with torch.no_grad():
            if not self.held:  # every step of nearly every render: one copy, no gathering
                for saved, now in zip(self.good, self.parameters, strict=True):
                    saved.copy_(now)
                return
            self._copy(self.parameters, self.good, [~rows for rows in self._rows(self.held)])

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Give the images that stopped their last good numbers back; all of them, where the update did not finish."""
        images = range(self.batch) if kind is not None else self.held
        if images:
            self._copy(self.good, self.parameters, self._rows(images))

    def _find(self, step: int, sound: Tensor, gradients: Sequence[Tensor], activations: Mapping[str, Tensor]) -> None:
        """Stop the images whose value is not sound, or whose gradient is not finite."""
        smooth = torch.ones_like(sound)
        for gradient, reads in zip(gradients, self.reads, strict=True):
            broken = ~gradient.isfinite().flatten(1).all(1)
            smooth &= ~(broken[:, None] & reads).any(0)
        unsound = self._sharing(~sound)
        for image in torch.nonzero(self._sharing(~(sound & smooth))).flatten().tolist():
            self._stop(image, step, not bool(unsound[image]), activations)

    def _sharing(self, images: Tensor) -> Tensor:
        """Which images share a row with some, directly or through others, `[B]`; those are among them."""
        while True:
            found = images
            for reads in self.reads:
                found = found | (reads & (reads & found).any(1)[:, None]).any(0)
            if torch.equal(found, images):
                return found
            images = found

    def _rows(self, images: Sequence[int] | Mapping[int, object]) -> list[Tensor]:
        """Which rows of each parameter some images read, `[rows]` each."""
        return [reads[:, list(images)].any(1) for reads in self.reads]

    def _copy(self, sources: Sequence[Tensor], targets: Sequence[Tensor], rows: Sequence[Tensor]) -> None:
        with torch.no_grad():
            for source, target, chosen in zip(sources, targets, rows, strict=True):
                target[chosen] = source.detach()[chosen]

    def _stop(self, image: int, step: int, sound: bool, activations: Mapping[str, Tensor]) -> None:
        if image in self.stops:
            return
        broken = [name for name, values in activations.items() if not bool(values[image].isfinite().all())]
        layer = broken[0] if broken else ("gradient" if sound else "objective")
        if sound:  # the picture is good, and only the way on from it is not
            self._copy(self.parameters, self.good, self._rows([image]))
        self.stops[image] = Stop(image, step, layer)
        message = (
            f"Image {image} stopped before step {step}: {layer!r} is no longer a number. Its last good picture is kept."
        )
        warnings.warn(message, LucidtorchWarning, stacklevel=2)


@dataclass(frozen=True)
class Step:
    """One update that was made.

    Args:
        number: How many updates there are now, from 1.
        steps: How many there will be.
        values: The objective of each image before this update, `[B]`.
        terms: The values of the parts that arithmetic joins, `[B]` each, by part.
        param: What makes the images; calling it gives them as they are now.
        stops: The images that stopped because a value was NaN or infinite, by place.
        converged: The last update of each image that goes no further, since its score has ceased to rise, by place.
    """

    number: int
    steps: int
    values: Tensor
    terms: Mapping[Objective, Tensor]
    param: Param
    stops: Mapping[int, Stop]
    converged: Mapping[int, int] = field(default_factory=dict)

    rests = renamed("rests", "converged")

    @property
    def images(self) -> Tensor:
        """The images after this update, `[B, C, *size]` in [0, 1], on the CPU."""
        return self._now().cpu()

    def coming(self) -> Tensor:
        """Give the images after this update without waiting for a GPU that is still at work on them."""
        return fetched(self._now())

    @pinned()
    def _now(self) -> Tensor:
        with torch.no_grad():
            images: Tensor = self.param()
        return images.detach()


class Loop:
    """A run of the loop over one job."""

    def __init__(self, job: Job) -> None:
        self.job = job
        self.done = 0  # updates that were made
        self.batches = job.engine.batches  # how many images at once, by the first update that it held for
        self.networks = job.networks.private(job.addresses, job.engine)
        self.param = self._filled()
        self.guard = Guard(self.param)
        self.reached = torch.zeros(job.param.batch, dtype=torch.bool, device=job.networks.device)  # by any gradient
        self._dice = generators(job.seeds, "transforms")
        own_seed = derive_seed(job.seeds[0], "global")
        self._foreign_dice = OwnRandomState(own_seed, torch_alone=job.draws_from_torch_alone)
        self._memories: dict[Hashable, Memory] = {}
        self._last: dict[Objective | None, Tensor] = {}  # the values of the last update, the whole under None
        self._rule = redirected_relu()  # of the last pass
        model = job.networks.first  # its mean colour is the zero of constraints
        zero = [*model.convention.mean_colour, *[0.0] * (self.param.channels - model.convention.channels)]
        self._zero = torch.tensor(zero, device=model.device)

    def _filled(self) -> Param:
        """The param as it is at the start."""
        param = copy.deepcopy(self.job.param).to(self.job.networks.device)
        param.fill(self.job.seeds)
        return param

    def run(self) -> Generator[Step, None, None]:
        """Make every update in turn."""
        schedule, batch = self.job.schedule, self.job.param.batch
        with contextlib.ExitStack() as held:
            with pinned():
                passes = held.enter_context(self._passes(self.job, compiled=self._compiles()))
                optimizer = schedule.build_optimizer(self.param.parameters())
                rates, plateaus = schedule.rates(), schedule.plateaus(batch)
            for number in range(1, schedule.steps + 1):
                with pinned():  # between the updates the caller computes as they like
                    for group in optimizer.param_groups:
                        group["lr"] = rates[number - 1]
                    step = self._update(passes, number, optimizer, plateaus)
                yield step
                if plateaus is not None and len(self.guard.held) == batch:
                    return

    def _update(
        self, passes: ForwardPasses, number: int, optimizer: torch.optim.Optimizer, plateaus: Plateaus | None
    ) -> Step:
        trace = Trace(number - 1, self._memories)
        values, towards = self._gradients(passes, number, trace)
        with self.guard:
            optimizer.step()
            self._constrain(number, towards)
        self.done = number
        if plateaus is not None:
            self.guard.converge(number, plateaus.note(number, values))
        return self._step(number, values, trace)

    def _gradients(self, passes: ForwardPasses, number: int, trace: Trace) -> tuple[Tensor, Tensor | None]:
        """Evaluate the objective and leave each parameter's gradient in its `grad`.

        Gives the values, and the objective's gradient to the images where a constraint asks for it.
        """
        scale = self.job.engine.computing.loss_scale
        parameters = self.guard.parameters
        with self._foreign_dice(), torch.enable_grad():
            images = self.param()
            pipeline = self.job.pipeline.at((number - 1) / self.job.schedule.horizon)
            inputs = self._inputs(passes, pipeline, images, number)
            converged = self.guard.converged if self.job.dependence is BatchDependence.INDEPENDENT else None
            memories = {part: dict(memory) for part, memory in self._memories.items()}

            def attempt(batch: int) -> PassResult:
                self._memories.clear()  # a pass for which memory did not suffice leaves nothing in them
                self._memories.update({part: dict(memory) for part, memory in memories.items()})
                return step_back(inputs, self.job.goal, images, trace, scale, batch, converged)

            result = self._within_memory(number, attempt)
            towards_images = result.gradient / scale if scale != 1 else result.gradient
            found = gradients(images, parameters, towards_images)
        note_gradients(self.reached, found, self.guard.reads)
        if number == 1:
            warn_of_stillness(self.job.schedule, found, self.guard.reads)
            result = as_in_broken_networks(self.job, result, inputs, images.detach())
        self.guard.check(number, result.values, found, {INPUT: images.detach(), **result.activations})
        for parameter, gradient in zip(parameters, found, strict=True):
            parameter.grad = gradient
        return result.values, -towards_images if self.job.constraints.needs_gradient else None

    def _constrain(self, number: int, towards: Tensor | None) -> None:
        if self.job.constraints.steps:
            with torch.no_grad():
                moment = Moment(number, self._zero, towards)
                self.param.assign(self.job.constraints.apply(self.param(), moment))

    def _step(self, number: int, values: Tensor, trace: Trace) -> Step:
        """Describe an update; images that have converged keep the values of their last one."""
        found: dict[Objective | None, Tensor] = {part: trace[part].detach() for _, part in self.job.goal.terms()}
        found[None] = values
        before = [image for image, last in self.guard.converged.items() if last < number]
        for part, value in found.items() if before else ():
            found[part] = value.clone()
            found[part][before] = self._last[part][before]
        self._last = found
        terms = {part: value for part, value in found.items() if part is not None}
        stops, converged = dict(self.guard.stops), dict(self.guard.converged)
        return Step(number, self.job.schedule.steps, found[None], terms, self.param, stops, converged)

    def finish(self) -> tuple[Tensor, Tensor, Tensor]:
        """Evaluate the pictures as they are: without transforms, and at their own size where the networks take it."""
        with torch.no_grad():
            images = self.param()
        found = self._final(images)
        self.warn_of_no_gradient(found)
        return images.cpu(), found.values.cpu(), found.dead.cpu()

    def warn_of_no_gradient(self, found: FinalResult | None = None) -> None:
        """Warn of images that nothing has steered, but for those that are dead or stopped."""
        none = ~self.reached if found is None else (~self.reached | found.stuck) & ~found.dead
        none[list(self.guard.stops)] = False
        if self.done:
            warn_of_no_gradient(none, self.job.goal)

    def _final(self, images: Tensor) -> FinalResult:
        as_they_are, on_canvas = bare(self.job.pipeline, self.job.param)
        if as_they_are != on_canvas:
            with contextlib.suppress(LucidtorchError), Attempt():  # the network or the objective may need the canvas
                return self._final_through(as_they_are, images)
        return self._final_through(on_canvas, images)

    def _final_through(self, pipeline: Pipeline, images: Tensor) -> FinalResult:
        addresses = self.job.networks.addresses(list(self.job.addresses), pipeline.output_size(self.job.param.size))
        job = replace(self.job, addresses=addresses)
        with torch.enable_grad(), self._foreign_dice(), self._passes(job) as passes:
            inputs = self._inputs(passes, pipeline, images)
            number = self.done + 1  # what is found out here holds for no update that was made
            return self._within_memory(number, lambda batch: final_values(inputs, job.goal, images, self._start, batch))

    def _start(self) -> Tensor:
        """The images before the first update."""
        with torch.no_grad():
            images: Tensor = self._filled()()
        return images

    @contextlib.contextmanager
    def _passes(self, job: Job, *, compiled: bool = False) -> Iterator[ForwardPasses]:
        """Hold the networks still, and run them, while the block runs."""
        references, capturing = References(job), self.networks.capturing
        with contextlib.ExitStack() as held:
            held.enter_context(self.job.networks.still(self.networks))
            forward = held.enter_context(capturing(job.addresses, job.engine))
            fast = held.enter_context(capturing(job.addresses, job.engine, fast=True)) if compiled else None
            if not references.pictures:
                yield ForwardPasses(forward, lambda pipeline, draws: {}, fast)
                return
            own = held.enter_context(capturing(references.addresses, job.engine))
            yield ForwardPasses(forward, lambda pipeline, draws: references.activations(own, pipeline, draws), fast)

    def _compiles(self) -> bool:
        """Whether the networks are compiled once no ReLU is redirected any longer."""
        if self.job.engine.compile and takes_inner_gradients(self.job.goal):
            message = "The network is not compiled, since the objective takes gradients inside of it; it runs as it is."
            warnings.warn(message, LucidtorchWarning, stacklevel=2)
            return False
        return self.job.engine.compile and self.job.schedule.steps > STEPS

    def _inputs(
        self, passes: ForwardPasses, pipeline: Pipeline, images: Tensor, number: int | None = None
    ) -> ForwardInputs:
        """Draw the transforms of all images, and of the pictures that are compared with, for one pass.

        At an update gradients are redirected: in the first ones at every ReLU, and through smooth rectifiers in all.
        """
        dice = [one for one in self._dice for _ in range(pipeline.views)]
        draws = pipeline.sample((len(dice), *images.shape[1:]), dice)
        inputs = ForwardInputs(passes.forward, pipeline, draws, passes.references(pipeline, draws))
        if number is None:
            return inputs
        if number > STEPS and passes.compiled is not None:
            return replace(inputs, forward=passes.compiled)
        if number == 1:
            inputs = replace(inputs, forward=CheckedForward(self.networks, self.job.goal, inputs.forward))
        return replace(inputs, rule=self._redirected) if number <= STEPS or self._rule.smooth else inputs

    def _redirected(self) -> redirected_relu:
        self._rule = redirected_relu(relus=self.done < STEPS)
        return self._rule

    def _within_memory(self, number: int, attempt: Callable[[int], Found]) -> Found:
        """Do a pass; where memory runs out, halve how many images go through at once, say so, and do it again."""
        while True:
            batch = self.batches[max(start for start in self.batches if start <= number)]
            try:
                return attempt(batch)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or batch == 1 or self.job.dependence is BatchDependence.INSEPARABLE:
                    raise
            self.batches[number] = evenly(batch // 2, len(self.job.seeds))
            free_memory(self.job.networks.device)
            message = f"Out of memory with {batch} images at once; going on with {self.batches[number]} at once."
            warnings.warn(message, LucidtorchWarning, stacklevel=2)
