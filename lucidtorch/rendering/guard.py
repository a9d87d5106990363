"""What happens to an image whose value or gradient is NaN or infinite: it stops, and the others go on."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from lucidtorch.base.errors import BadInputError, LucidtorchWarning
from lucidtorch.param.param import Param


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
