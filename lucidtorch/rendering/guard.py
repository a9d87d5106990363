"""What happens to an image whose value or gradient is no longer a number: it stops, and the others go on."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor, nn

from lucidtorch.base.errors import LucidtorchWarning


@dataclass(frozen=True)
class Stop:
    """Why an image stopped.

    Args:
        image: Its place in the batch.
        step: The update that was not made, from 1.
        layer: Where the first value stood that is no number; ``objective`` or ``gradient`` where every layer was sound.
    """

    image: int
    step: int
    layer: str


class Guard:
    """Watches over the images of one render and keeps the last good numbers of each; an update runs inside it.

    Args:
        parameters: The numbers of the param; the first axis of each is the image.
        batch: The number of images.
    """

    def __init__(self, parameters: Sequence[nn.Parameter], batch: int) -> None:
        self.parameters = parameters
        self.stops: dict[int, Stop] = {}
        self.good = [one.detach().clone() for one in parameters]
        self.batch = batch

    def check(self, step: int, values: Tensor, gradients: Sequence[Tensor], activations: Mapping[str, Tensor]) -> None:
        """Stop every image that has a value or gradient that is no number, and silence its gradient.

        Args:
            step: The update that comes next, from 1.
            values: The objective, `[B]`.
            gradients: Of the parameters; changed in place.
            activations: What the objective read, to name the layer.
        """
        sound = values.isfinite()
        smooth = torch.stack([one.isfinite().flatten(1).all(1) for one in gradients]).all(0)
        if not bool((sound & smooth).all()):
            for image in torch.nonzero(~(sound & smooth)).flatten().tolist():
                self._stop(image, step, bool(sound[image]), activations)
        for image in self.stops:
            for gradient in gradients:
                gradient[image] = 0

    def __enter__(self) -> None:
        """Remember the numbers of the images that still run, before an update."""
        running = [image for image in range(self.batch) if image not in self.stops]
        with torch.no_grad():
            for saved, now in zip(self.good, self.parameters, strict=True):
                if self.stops:
                    saved[running] = now[running]
                else:  # every step of nearly every render: one copy, no gathering
                    saved.copy_(now)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        """Give the images that stopped their last good numbers back; all of them, where the update did not finish."""
        images = range(self.batch) if kind is not None else self.stops
        with torch.no_grad():
            for image in images:
                for saved, now in zip(self.good, self.parameters, strict=True):
                    now[image] = saved[image]

    def _stop(self, image: int, step: int, sound: bool, activations: Mapping[str, Tensor]) -> None:
        if image in self.stops:
            return
        broken = [name for name, values in activations.items() if not bool(values[image].isfinite().all())]
        layer = broken[0] if broken else ("gradient" if sound else "objective")
        self.stops[image] = Stop(image, step, layer)
        if sound:  # the picture is good, and only the way on from it is not
            for saved, now in zip(self.good, self.parameters, strict=True):
                saved[image] = now.detach()[image]
        message = (
            f"Image {image} stopped before step {step}: {layer!r} is no longer a number. Its last good picture is kept."
        )
        warnings.warn(message, LucidtorchWarning, stacklevel=2)
