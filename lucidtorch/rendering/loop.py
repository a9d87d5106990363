"""The one optimization loop."""

from __future__ import annotations

import contextlib
import copy
import warnings
from collections.abc import Callable, Generator, Hashable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import TypeVar

import torch
from torch import Tensor

from lucidtorch.base.errors import LucidtorchError, LucidtorchWarning
from lucidtorch.base.machine import fetched, free_memory, is_out_of_memory
from lucidtorch.base.seeds import OwnRandomState, derive_seed, generators
from lucidtorch.base.surroundings import pinned
from lucidtorch.constraints.constraint import Moment
from lucidtorch.models.running.frozen import Attempt
from lucidtorch.models.running.redirect import STEPS, redirected_relu
from lucidtorch.objectives.algebra import Memory, Objective, Trace
from lucidtorch.objectives.references import INPUT
from lucidtorch.param.param import Param
from lucidtorch.rendering.arrival import CheckedLook, as_in_broken_networks, warn_of_stillness
from lucidtorch.rendering.coupling import Coupling, looks_inside
from lucidtorch.rendering.dead import final_values
from lucidtorch.rendering.guard import Guard, Stop
from lucidtorch.rendering.job import Job
from lucidtorch.rendering.passes import Scene, Sight, passed_on, step_back
from lucidtorch.rendering.rules import Plateaus
from lucidtorch.rendering.seeing import Comparisons, Eyes, bare, zero_colour
from lucidtorch.rendering.settings import evenly
from lucidtorch.transforms.transform import Pipeline

Found = TypeVar("Found")


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
        rests: The images that go no further, since their score has ceased to rise, by place: their last update.
    """

    number: int
    steps: int
    values: Tensor
    terms: Mapping[Objective, Tensor]
    param: Param
    stops: Mapping[int, Stop]
    rests: Mapping[int, int] = field(default_factory=dict)

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


@dataclass
class Loop:
    """A run of the loop over one job.

    Args:
        job: What to do.
        param: The filled copy of the job's param that the loop changes.
        guard: Watches for values that are no numbers.
        done: How many updates were made.
        batches: How many images went through the networks at once, by the first update that it held for.
    """

    job: Job
    param: Param = field(init=False)
    guard: Guard = field(init=False)
    done: int = field(init=False, default=0)
    batches: dict[int, int] = field(init=False)

    def __post_init__(self) -> None:
        engine = self.job.engine
        self.batches = engine.batches
        self.networks = self.job.networks.private(self.job.addresses, engine)
        self.param = copy.deepcopy(self.job.param).to(self.job.networks.device)
        self.param.fill(self.job.seeds)
        self.guard = Guard(self.param)
        self._dice = generators(self.job.seeds, "transforms")
        own_seed = derive_seed(self.job.seeds[0], "global")
        self._foreign_dice = OwnRandomState(own_seed, torch_alone=self.job.draws_from_torch_alone)
        self._memories: dict[Hashable, Memory] = {}
        self._last: dict[Objective | None, Tensor] = {}  # the values of the last update, the whole under None
        self._rule = redirected_relu()  # of the last pass
        self._zero = zero_colour(self.job.networks.first, self.param)

    def run(self) -> Generator[Step, None, None]:
        """Make every update in turn."""
        with contextlib.ExitStack() as held:
            with pinned():
                eyes = held.enter_context(self._looking(self.job, fast=self._compiles()))
                optimizer = self.job.schedule.build_optimizer(self.param.parameters())
                rates, plateaus = self.job.schedule.rates(), self.job.schedule.plateaus(self.job.param.batch)
            for number in range(1, self.job.schedule.steps + 1):
                with pinned():  # whoever iterates computes between the updates as they like
                    for group in optimizer.param_groups:
                        group["lr"] = rates[number - 1]
                    step = self._update(eyes, number, optimizer, plateaus)
                yield step
                if plateaus is not None and len(self.guard.held) == self.job.param.batch:
                    return

    def _update(self, eyes: Eyes, number: int, optimizer: torch.optim.Optimizer, plateaus: Plateaus | None) -> Step:
        trace = Trace(number - 1, self._memories)
        values, towards = self._gradients(eyes, number, trace)
        with self.guard:
            optimizer.step()
            self._constrain(number, towards)
        self.done = number
        if plateaus is not None:
            self.guard.rest(number, plateaus.note(number, values))
        return self._step(number, values, trace)

    def finish(self) -> tuple[Tensor, Tensor, Tensor]:
        """Evaluate the pictures as they are: without transforms, and at their own size where the networks take it."""
        with torch.no_grad():
            images = self.param()
        as_they_are, on_canvas = bare(self.job.pipeline, self.job.param)
        if as_they_are != on_canvas:
            with contextlib.suppress(LucidtorchError), Attempt():  # the network or the objective may need the canvas
                return images.cpu(), *self._last_look(as_they_are, images)
        return images.cpu(), *self._last_look(on_canvas, images)

    def _last_look(self, pipeline: Pipeline, images: Tensor) -> tuple[Tensor, Tensor]:
        addresses = self.job.networks.addresses(list(self.job.addresses), pipeline.output_size(self.job.param.size))
        with torch.enable_grad(), self._foreign_dice(), self._looking(replace(self.job, addresses=addresses)) as eyes:
            scene = self._scene(eyes, pipeline, images)
            number = self.done + 1  # what is found out here holds for no update that was made
            values, dead = self._remembering(number, lambda batch: final_values(scene, self.job.goal, images, batch))
        return values.cpu(), dead.cpu()

    @contextlib.contextmanager
    def _looking(self, job: Job, *, fast: bool = False) -> Iterator[Eyes]:
        engine, looking = self.job.engine, self.networks.looking
        comparisons = Comparisons(job)
        with contextlib.ExitStack() as held:
            held.enter_context(self.job.networks.still(self.networks))
            look = held.enter_context(looking(job.addresses, engine))
            quick = held.enter_context(looking(job.addresses, engine, fast=True)) if fast else None
            if not comparisons.pictures:
                yield Eyes(look, lambda pipeline, draws: {}, quick)
                return
            glance = held.enter_context(looking(comparisons.addresses, engine))
            yield Eyes(look, lambda pipeline, draws: comparisons.activations(glance, pipeline, draws), quick)

    def _compiles(self) -> bool:
        """Whether the networks are compiled once no ReLU is redirected any longer."""
        if self.job.engine.compile and looks_inside(self.job.goal):
            message = "The network is not compiled, since the objective takes gradients inside of it; it runs as it is."
            warnings.warn(message, LucidtorchWarning, stacklevel=2)
            return False
        return self.job.engine.compile and self.job.schedule.steps > STEPS

    def _gradients(self, eyes: Eyes, number: int, trace: Trace) -> tuple[Tensor, Tensor | None]:
        """Evaluate the objective and leave each parameter's gradient in its `grad`.

        Gives the values, and the objective's gradient to the images where a constraint asks for it.
        """
        enlarged = self.job.engine.computing.loss_scale
        parameters = self.guard.parameters
        with self._foreign_dice(), torch.enable_grad():
            images = self.param()
            pipeline = self.job.pipeline.at((number - 1) / self.job.schedule.horizon)
            scene = self._scene(eyes, pipeline, images, number)
            apart = self.job.coupling is Coupling.APART
            memories = {part: dict(memory) for part, memory in self._memories.items()}

            def look(batch: int) -> Sight:
                self._memories.clear()  # a pass for which memory did not suffice leaves nothing in them
                self._memories.update({part: dict(memory) for part, memory in memories.items()})
                return step_back(
                    scene, self.job.goal, images, trace, enlarged, batch, apart=apart, rests=self.guard.rests
                )

            sight = self._remembering(number, look)
            towards_images = sight.gradient / enlarged if enlarged != 1 else sight.gradient
            gradients = passed_on(images, parameters, towards_images)
        if number == 1:
            warn_of_stillness(self.job.schedule, gradients, self.guard.reads)
            sight = as_in_broken_networks(self.job, sight, scene, images.detach())
        self.guard.check(number, sight.values, gradients, {INPUT: images.detach(), **sight.activations})
        for parameter, gradient in zip(parameters, gradients, strict=True):
            parameter.grad = gradient
        return sight.values, -towards_images if self.job.constraints.needs_gradient else None

    def _scene(self, eyes: Eyes, pipeline: Pipeline, images: Tensor, number: int | None = None) -> Scene:
        """Draw how all images are looked at, every view of them and of the pictures that are compared with.

        At an update they are seen with redirected gradients: in the first ones, and through smooth rectifiers in all.
        """
        dice = [one for one in self._dice for _ in range(pipeline.views)]
        draws = pipeline.sample((len(dice), *images.shape[1:]), dice)
        scene = Scene(eyes.look, pipeline, draws, eyes.references(pipeline, draws))
        if number is None:
            return scene
        if number > STEPS and eyes.compiled is not None:
            return replace(scene, look=eyes.compiled)
        if number == 1:
            scene = replace(scene, look=CheckedLook(self.networks, self.job.goal, scene.look))
        return replace(scene, rule=self._redirected) if number <= STEPS or self._rule.smooth else scene

    def _redirected(self) -> redirected_relu:
        self._rule = redirected_relu(relus=self.done < STEPS)
        return self._rule

    def _remembering(self, number: int, work: Callable[[int], Found]) -> Found:
        """Do a pass; where memory runs out, halve how many images go through at once, say so, and do it again."""
        while True:
            batch = self._batch(number)
            try:
                return work(batch)
            except (RuntimeError, MemoryError) as error:
                if not is_out_of_memory(error) or batch == 1 or self.job.coupling is Coupling.UNDIVIDED:
                    raise
            self.batches[number] = evenly(batch // 2, len(self.job.seeds))
            free_memory(self.job.networks.device)
            message = f"Out of memory with {batch} images at once; going on with {self.batches[number]} at once."
            warnings.warn(message, LucidtorchWarning, stacklevel=2)

    def _batch(self, number: int) -> int:
        """How many images go through the networks at once at an update."""
        return self.batches[max(start for start in self.batches if start <= number)]

    def _constrain(self, number: int, towards: Tensor | None) -> None:
        if self.job.constraints.steps:
            with torch.no_grad():
                moment = Moment(number, self._zero, towards)
                self.param.assign(self.job.constraints.apply(self.param(), moment))

    def _step(self, number: int, values: Tensor, trace: Trace) -> Step:
        """What is told of an update; images that rest keep the values of their last one."""
        found: dict[Objective | None, Tensor] = {part: trace[part].detach() for _, part in self.job.goal.terms()}
        found[None] = values
        resting = [image for image, since in self.guard.rests.items() if since < number]
        for part, value in found.items() if resting else ():
            found[part] = value.clone()
            found[part][resting] = self._last[part][resting]
        self._last = found
        terms = {part: value for part, value in found.items() if part is not None}
        stops, rests = dict(self.guard.stops), dict(self.guard.rests)
        return Step(number, self.job.schedule.steps, found[None], terms, self.param, stops, rests)
