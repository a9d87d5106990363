"""Whether gradients arrive at the images: in the first step, and at the end, where units without any are dead."""

from __future__ import annotations

import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from lucidtorch.base.errors import LucidtorchError, LucidtorchWarning, RenderError, SizeError
from lucidtorch.base.notation import PRODUCT
from lucidtorch.models.running.capture import capture
from lucidtorch.models.running.redirect import redirected_relu, silenced_relu
from lucidtorch.objectives.algebra import Objective, On, Operation, Trace
from lucidtorch.objectives.images import Each, Interpolate
from lucidtorch.objectives.references import INPUT
from lucidtorch.objectives.term import Term
from lucidtorch.rendering.checks import terms_of
from lucidtorch.rendering.job import Job
from lucidtorch.rendering.networks import Forward, Networks
from lucidtorch.rendering.passes import ForwardInputs, PassResult, back_to_images, by_image, evaluate_views
from lucidtorch.rendering.rules import adam, parse_optimizer, sgd
from lucidtorch.rendering.settings import Schedule

# Functions of torch whose slope is zero wherever there is one; functions of the user's have no number at the end.
STEPWISE = re.compile(r"(Round|Floor|Ceil|Trunc|Sign)Backward\d+")
STILL = 0.5  # of Adam's step size, on the average over the numbers: below, the scale of the objective counts
ROUNDING = 1e-3  # of the largest gradient: far above what a Fourier transform in float32 leaves where there is none
FEW = 10  # times Adam's eps: where the root mean square of the gradients is above it, some numbers move in full
EDGE = 0.25  # of the gradient: half of what smooth rectifiers let through at zero, where their flat part is left
SPAN, VISIBLE = 512, 0.5 / 255  # the steps of a render by default, and what changes a pixel of 8 bits


@dataclass(frozen=True)
class CheckedForward:
    """Runs the networks, and refuses layers that no gradient comes back from."""

    networks: Networks
    goal: Objective
    forward: Forward

    def __call__(self, images: Tensor) -> dict[str, Tensor]:
        """Run them on images on the canvas, and check what comes out where gradients are taken."""
        found = self.forward(images)
        if not torch.is_grad_enabled() or not found:
            return found
        if not images.requires_grad:
            raise RenderError("No gradient arrives at the image: the transforms cut it off; leave out those that do.")
        for term in terms_of(self.goal):
            read = [layer for layer in term.own_layers if layer in found]
            if read and INPUT not in term.own_layers and not any(depends(found[layer], images) for layer in read):
                raise RenderError(
                    f"No gradient arrives at the image from {read[0]!r}: it ends at {self._end(read[0], images)!r} (by "
                    f"no_grad, detach, round, argmax, a threshold or whole numbers). Name a layer before it."
                )
        return found

    def _end(self, layer: str, images: Tensor) -> str:
        """Find the layer that cuts the gradient off: the first one after all that still have it."""
        name, own = self.networks.owner(layer)
        model = self.networks.models[name]
        image = images[:1].detach().to(model.dtype).requires_grad_(True)
        cut = layer
        for other in reversed([one for one in model.layers if model.layers.order(one) <= model.layers.order(own)]):
            try:
                addresses = model.addresses([other], image.shape[2:])
                with capture(model.module, addresses, model.feed.with_any_batch()) as run:
                    values = run(model.normalize(image))[other]
            except LucidtorchError:  # what cannot be read, such as several tensors
                continue
            if depends(values, image):
                return cut
            cut = self.networks.named(name, other)
        return cut


def depends(values: Tensor, images: Tensor) -> bool:
    """Say whether a gradient of values could come back to images."""
    if values is images:
        return True
    left: list[Any] = [values.grad_fn]
    met = set[Any]()
    while left:
        node = left.pop()
        if node is None or node in met or STEPWISE.fullmatch(node.name()):
            continue
        if node is images.grad_fn or getattr(node, "variable", None) is images:
            return True
        met.add(node)
        left += [one for one, _ in node.next_functions]
    return False


def warn_of_stillness(schedule: Schedule, gradients: Sequence[Tensor], reads: Sequence[Tensor]) -> None:
    """Warn where the first gradients are so small that the optimizer does not move what it would otherwise.

    Adam's steps do not depend on the size of gradients until its `eps` outweighs them: then it says how much of a step
    is left, on the average over all numbers that have a gradient. Steps along the gradient are too small where `SPAN`
    of them leave a number as it is in 8 bits.
    """
    rule = parse_optimizer(schedule.optimizer)
    sizes, moves = list[Tensor](), list[Tensor]()
    for one, reads_it in zip(gradients, reads, strict=True):
        rows = one.detach().flatten(1).abs().double()
        rows = torch.where(rows > ROUNDING * rows.amax(1, keepdim=True), rows, 0)
        some = (rows > 0).sum(1).clamp(min=1)
        if isinstance(rule, adam):
            share = (rows / (rows + rule.eps)).nan_to_num().sum(1) / some
            few = (rows.square().sum(1) / some).sqrt() > FEW * rule.eps  # numbers, which make the picture all the same
            moved = torch.where(few, 1, share / STILL)
        else:
            momentum = rule.momentum if isinstance(rule, sgd) else 0.0
            moved = rows.amax(1) * schedule.lr * SPAN / (1 - momentum) / VISIBLE
        for found, of_rows in ((sizes, rows.sum(1) / some), (moves, moved)):
            found.append((reads_it * of_rows[:, None]).amax(0).cpu())
    sizes_of, moves_of = torch.stack(sizes).amax(0), torch.stack(moves).amax(0)
    still = torch.nonzero((sizes_of > 0) & (moves_of < 1)).flatten().tolist()
    if still:
        message = (
            f"Little or nothing moves: the gradient of image {', '.join(map(str, still[:8]))} is about "
            f"{float(sizes_of[still].max()):.0e}, too small for {schedule.optimizer!r}. Unless it is at its best "
            f"already, multiply the objective by a large number."
        )
        warnings.warn(message, LucidtorchWarning, stacklevel=6)


def as_in_broken_networks(job: Job, result: PassResult, inputs: ForwardInputs, images: Tensor) -> PassResult:
    """Put what the networks themselves make of the images where a weight is not finite, which copies leave out."""
    broken = job.networks.broken()
    if broken is None:
        return result
    with torch.no_grad(), job.networks.capturing(job.addresses, job.engine) as forward:
        plain = ForwardInputs(forward, inputs.pipeline, inputs.draws, inputs.references)
        activations = plain.activations(images, torch.arange(len(images)))
        values = evaluate_views(job.goal, images, {**activations, **inputs.references}, Trace(0))
    _check_broken(broken, values)
    found = torch.where(values.isfinite(), result.values, values)
    return PassResult(found, result.gradient, by_image(activations, len(images)))


def _check_broken(broken: str, values: Tensor) -> None:
    """Refuse a render all of whose units a broken weight reaches, and warn where it is some."""
    reached = torch.nonzero(~values.isfinite()).flatten().tolist()
    if len(reached) == len(values):
        raise RenderError(
            f"{broken!r} of the network holds NaN or inf, which reaches every unit asked for; load sound weights, or "
            f"name a layer or channel that it does not reach."
        )
    if reached:
        message = f"{broken!r} of the network holds NaN or inf, which reaches image {', '.join(map(str, reached[:8]))}."
        warnings.warn(message, LucidtorchWarning, stacklevel=2)


def note_gradients(reached: Tensor, gradients: Sequence[Tensor], reads: Sequence[Tensor]) -> None:
    """Add the images one of whose numbers has a gradient to those that had one before, `[B]`; a GPU is not awaited."""
    for one, reads_it in zip(gradients, reads, strict=True):
        rows = (one.detach() != 0).flatten(1).any(1)
        reached |= (reads_it & rows[:, None]).any(0)


def warn_of_no_gradient(images: Tensor, goal: Objective) -> None:
    """Warn of images `[B]` that have had no gradient, but for those that no term of the objective is about."""
    places = [one for one in torch.nonzero(images).flatten().tolist() if is_followed(goal, one)]
    if places:
        which = ", ".join(map(str, places[:8]))
        message = (
            f"No gradient: that of image {which} is exactly zero, so nothing steers it. Unless it is at its best "
            f"already, write the layer before a clamp, the logit of a saturated probability, or a unit that no mask or "
            f"zero weight cuts off."
        )
        warnings.warn(message, LucidtorchWarning, stacklevel=4)


def is_followed(goal: Objective, image: int) -> bool:
    """Whether an image follows any term of an expression whose weight is not written as 0."""
    if not goal.objectives:
        return True
    if isinstance(goal, Operation) and goal.binding == PRODUCT and 0 in goal.parts:
        return False
    return any(_follows(goal, number, image) and is_followed(one, image) for number, one in enumerate(goal.objectives))


@dataclass(frozen=True)
class FinalResult:
    """What the finished pictures are, `[B]` each."""

    values: Tensor
    dead: Tensor  # nothing in the picture wakes its units
    stuck: Tensor  # its units have no gradient and have not risen, and whether they are dead is not known


def final_values(
    inputs: ForwardInputs, goal: Objective, images: Tensor, start: Callable[[], Tensor], batch: int
) -> FinalResult:
    """Evaluate the finished pictures as they are, and find those whose units are dead, given the images of the start.

    Units are blocked where the gradient of their sum is exactly zero, but for what flat parts of smooth rectifiers let
    through. They are dead where a rectifier blocks what would make them rise, which none does at their maximum, or
    where they are zero; not so where they have risen, unless a smooth rectifier blocks. Units that have not risen are
    dead as well at the edge of the flat part.
    """
    found: dict[str, Tensor] = {}
    rules: list[redirected_relu] = []

    def measure(leaf: Tensor, activations: Mapping[str, Tensor]) -> Tensor:
        if empty := [layer for layer, one in activations.items() if one.numel() == 0]:
            raise SizeError(f"The pictures are too small: nothing is left in {empty[0]!r}.")
        every = {**activations, **inputs.references, INPUT: leaf}
        found["values"] = goal(every).detach()
        activity = unit_activity(goal, every, len(images))
        found["activity"] = activity.detach()
        return -activity[0].sum()

    def measure_only(leaf: Tensor, activations: Mapping[str, Tensor]) -> None:
        measure(leaf, activations)

    def arrives(rule: Callable[[], redirected_relu]) -> Tensor:
        """Which images a gradient of their units arrives at."""

        def noted() -> redirected_relu:
            rules.append(rule())
            return rules[-1]

        gradient, _ = back_to_images(replace(inputs, rule=noted), images, measure, batch)
        return (gradient != 0).flatten(1).any(1)

    reached = arrives(silenced_relu)
    values, (total, size, count) = found["values"], found["activity"]
    blocked, moving = ~reached & (count > 0), reached & (count > 0)
    dead = torch.zeros_like(blocked)
    if not bool(blocked.any()) and not any(rule.smooth for rule in rules):
        return FinalResult(values, dead, dead)
    back_to_images(inputs, start(), measure_only, batch)
    risen = total > found["activity"][0]
    if bool(blocked.any()):
        still = ~risen & ((size == 0) | arrives(redirected_relu))
        dead = blocked & (still | arrives(lambda: redirected_relu(relus=False)))
    if bool((moving & ~risen).any()):
        dead |= moving & ~risen & ~arrives(lambda: silenced_relu(flat=EDGE))
    alike = total.abs() == size  # units of both signs may cancel each other out here, and not in the objective
    return FinalResult(values, dead, blocked & ~dead & ~risen & alike)


def unit_activity(goal: Objective, activations: Mapping[str, Tensor], batch: int, sign: int = 1) -> Tensor:
    """Add up, for each image, how active the units are that its objective is about, `[3, B]`.

    The rows are the sum of their activations, negative where the objective makes them small; the sum of their absolute
    values; and their number, 0 where the objective of an image is about no units.
    """
    found = torch.zeros(3, batch, device=activations[INPUT].device)
    for own, part in goal.terms(sign):
        if isinstance(part, Term):
            if part.definition.unit:
                values = part(activations)
                found = found + torch.stack([own * values, values.abs(), torch.ones_like(values)])
            continue
        for number, child in enumerate(part.objectives):
            follows = torch.tensor([_follows(part, number, image) for image in range(batch)], device=found.device)
            found = found + torch.where(follows, unit_activity(child, activations, batch, own), 0)
    return found


def _follows(goal: Objective, part: int, image: int) -> bool:
    """Whether an image follows a part of an expression."""
    if isinstance(goal, Each):
        return part == image
    if isinstance(goal, On):
        return image == goal.image
    if isinstance(goal, Interpolate):
        return image < goal.count - 1 if part == 0 else image > 0
    return True
