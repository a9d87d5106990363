"""Whether gradients arrive at the images at all: looked at in the first step, before more work."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from lucidtorch.base.errors import LucidtorchError, LucidtorchWarning, RenderError
from lucidtorch.models.running.capture import capture
from lucidtorch.objectives.algebra import Objective, Trace
from lucidtorch.objectives.references import INPUT
from lucidtorch.objectives.term import Term
from lucidtorch.rendering.guard import check_reached
from lucidtorch.rendering.job import Job
from lucidtorch.rendering.networks import Look, Networks
from lucidtorch.rendering.passes import Scene, Sight
from lucidtorch.rendering.rules import adam, parse_optimizer, sgd
from lucidtorch.rendering.seeing import by_image, evaluate_views
from lucidtorch.rendering.settings import Schedule

STEPWISE = ("Round", "Floor", "Ceil", "Trunc", "Sign")  # their slope is zero wherever there is one
STILL = 0.5  # of Adam's step size, on the average over the numbers: below, the scale of the objective counts
ROUNDING = 1e-3  # of the largest gradient: far above what a Fourier transform in float32 leaves where there is none
FEW = 10  # times Adam's eps: where the root mean square of the gradients is above it, some numbers move in full
SPAN, VISIBLE = 512, 0.5 / 255  # the steps of a render by default, and what changes a pixel of 8 bits


@dataclass(frozen=True)
class CheckedLook:
    """Looks at images, and refuses layers that no gradient comes back from.

    Args:
        networks: The networks.
        goal: The objective.
        look: From images on the canvas to activations by address.
    """

    networks: Networks
    goal: Objective
    look: Look

    def __call__(self, seen: Tensor) -> dict[str, Tensor]:
        """Look, and check what is seen with gradients."""
        found = self.look(seen)
        if not torch.is_grad_enabled() or not found:
            return found
        if not seen.requires_grad:
            raise RenderError("No gradient arrives at the image: the transforms cut it off; leave out those that do.")
        terms = [node for node in self.goal.walk() if isinstance(node, Term)]
        for term in terms:
            read = [layer for layer in term.own_layers if layer in found]
            if read and INPUT not in term.own_layers and not any(depends(found[layer], seen) for layer in read):
                raise RenderError(
                    f"No gradient arrives at the image from {read[0]!r}: it ends at {self._end(read[0], seen)!r} (by "
                    f"no_grad, detach, round, argmax, a threshold or whole numbers). Name a layer before it."
                )
        return found

    def _end(self, layer: str, seen: Tensor) -> str:
        """Find the layer that cuts the gradient off: the first one after all that still have it."""
        name, own = self.networks.owner(layer)
        model = self.networks.models[name]
        image = seen[:1].detach().to(model.dtype).requires_grad_(True)
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
        if node is None or node in met or node.name().startswith(STEPWISE):
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


def as_in_broken_networks(job: Job, sight: Sight, scene: Scene, images: Tensor) -> Sight:
    """Put what the networks themselves make of the images where a weight is not finite, which copies leave out."""
    broken = job.networks.broken()
    if broken is None:
        return sight
    with torch.no_grad(), job.networks.looking(job.addresses, job.engine) as look:
        plain = Scene(look, scene.pipeline, scene.draws, scene.references)
        activations = plain.activations(images, torch.arange(len(images)))
        values = evaluate_views(job.goal, images, {**activations, **scene.references}, Trace(0))
    check_reached(broken, values)
    found = torch.where(values.isfinite(), sight.values, values)
    return Sight(found, sight.gradient, by_image(activations, len(images)))
