"""Constraints of published methods: decay, blur, clipping of pixels, norm balls, and presets."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

import torch
from torch import Tensor

from lucidtorch.base.arrays import Array, ArrayLike
from lucidtorch.base.checks import Count, NotNegative, Share, Within, checked
from lucidtorch.base.errors import BadInputError, ImageError
from lucidtorch.base.sizes import PLANE
from lucidtorch.constraints.constraint import Constraint, Constraints, Moment

WIDEST = 1000.0  # pixels; a wider blur makes every image uniform
TRUNCATE = 4  # standard deviations at which the Gaussian is truncated, as in scipy's `gaussian_filter`
PERCENT = 100


@dataclass(frozen=True, repr=False)
class decay(Constraint):  # noqa: N801  # a word of the notation
    """Decay towards the model's mean colour: only what the objective restores at every step remains.

    Formula: x' = zero + (1 - rate) * (x - zero).
    Source: Yosinski et al. 2015, L2 decay (the Deep Visualization Toolbox's `decay`).

    Args:
        rate: The share that is removed at every step, from 0 to 1; the toolbox's presets have 0.0001 and 0.3.
    """

    rate: Share

    def apply(self, images: Tensor, moment: Moment) -> Tensor:
        return images.lerp(moment.zero_of(images).expand_as(images), self.rate)


@dataclass(frozen=True, repr=False)
class blur(Constraint):  # noqa: N801  # a word of the notation
    """Blur the image every few steps, which removes high frequencies.

    The blur follows the first step and every `every`-th one after it, as in the source (with 4: after steps 1, 5, 9
    ...). Each frame of a clip is blurred separately.

    Formula: x' = x convolved with exp(-d² / (2 sigma²)), truncated at 4 sigma, its sum 1; edges are mirrored.
    Source: Yosinski et al. 2015, Gaussian blur (the toolbox's `blur_radius` and `blur_every`).

    Args:
        sigma: The width in pixels, from 0 (no blur); the toolbox advises at least 0.3.
        every: The interval between two blurs in steps, from 1.
    """

    sigma: Annotated[float, Within(0, WIDEST)]
    every: Count = 4

    def apply(self, images: Tensor, moment: Moment) -> Tensor:
        if self.sigma == 0 or (moment.step - 1) % self.every:
            return images
        return _blurred(images, self.sigma)


def _blurred(images: Tensor, sigma: float) -> Tensor:
    """Blur images, without autocast; each frame of a clip separately."""
    radius = int(TRUNCATE * sigma + 0.5)
    if radius == 0:
        return images
    from kornia.filters import gaussian_blur2d  # loads kornia, which only a blur needs

    side = 2 * radius + 1
    frames = images.flatten(1, -PLANE - 1)
    rows, columns = (_mirrored(length, radius).to(images.device) for length in frames.shape[-PLANE:])
    framed = frames[..., rows, :][..., columns]
    with torch.autocast(images.device.type, enabled=False):
        blurred: Tensor = gaussian_blur2d(framed, (side, side), (sigma, sigma), border_type="constant")
    return blurred[..., radius:-radius, radius:-radius].reshape_as(images).clamp(0, 1)


def _mirrored(length: int, margin: int) -> Tensor:
    """Indices along an axis with a margin at both ends, mirrored with the edge repeated."""
    places = torch.arange(-margin, length + margin) % (2 * length)
    return torch.minimum(places, 2 * length - 1 - places)


@dataclass(frozen=True, repr=False)
class Clipping(Constraint):
    """Clears the pixels whose importance is below a percentile of their image; 100 keeps the largest alone."""

    percentile: Annotated[float, Within(0, PERCENT)]

    @abstractmethod
    def importance(self, images: Tensor, moment: Moment) -> Tensor:
        """Compute the importance of each pixel, `[B, 1, *size]`, from images relative to the zero colour."""

    def apply(self, images: Tensor, moment: Moment) -> Tensor:
        zero = moment.zero_of(images)
        importance = self.importance(images - zero, moment)
        border = torch.stack([_percentile(one, self.percentile) for one in importance])
        return torch.where(importance < border.reshape(-1, *(1 for _ in images.shape[1:])), zero, images)


@dataclass(frozen=True, repr=False)
class clip_norm(Clipping):  # noqa: N801  # a word of the notation
    """Clear the pixels whose colour is close to the model's mean colour.

    Formula: x' = zero where n < percentile(n), else x; n = sqrt(sum over channels of (x - zero)²), per pixel.
    Source: Yosinski et al. 2015, clipping pixels with small norm (the toolbox's `small_norm_percentile`).

    Args:
        percentile: The share of pixels to clear, in per cent; the toolbox's presets have 20 and 50.
    """

    def importance(self, images: Tensor, moment: Moment) -> Tensor:
        norms: Tensor = torch.linalg.vector_norm(images, dim=1, keepdim=True)
        return norms


@dataclass(frozen=True, repr=False)
class clip_contribution(Clipping):  # noqa: N801  # a word of the notation
    """Clear the pixels that contribute least to the objective.

    The effect of clearing a pixel is predicted from the gradient before the step and the image after it. Only its
    absolute value counts.

    Formula: x' = zero where c < percentile(c), else x; c = abs(sum over channels of gradient * (zero - x)), per pixel.
    Source: Yosinski et al. 2015, clipping pixels with small contribution (the toolbox's `px_abs_benefit_percentile`).

    Args:
        percentile: The share of pixels to clear, in per cent; the toolbox's preset has 90.
    """

    needs_gradient: ClassVar[bool] = True

    def importance(self, images: Tensor, moment: Moment) -> Tensor:
        if moment.gradient is None:
            raise BadInputError(f"{self!r} needs the gradient to the images, and its moment has none.")
        return (moment.gradient * images).sum(1, keepdim=True).abs()


def _percentile(values: Tensor, percentile: float) -> Tensor:
    """Compute a percentile of one image's values with linear interpolation, as numpy does."""
    ordered = values.flatten().sort().values
    place = percentile / PERCENT * (len(ordered) - 1)
    lower = int(place)
    upper = min(lower + 1, len(ordered) - 1)
    return torch.lerp(ordered[lower], ordered[upper], place - lower)


@dataclass(frozen=True, repr=False)
class Ball(Constraint):
    """Projects every image onto a ball around a centre, which is the model's mean colour if None."""

    radius: NotNegative
    centre: ArrayLike | None = None

    def __post_init__(self) -> None:
        super().__post_init__()
        if self.centre is None:
            return
        centre = Array.of(self.centre)
        low, high = centre.span
        if len(centre.shape) < 3 or low < 0 or high > 1:
            raise ImageError(
                f"{type(self).__name__}(centre=) takes images [C, *size] or [B, C, *size] in [0, 1], but "
                f"{list(centre.shape)} from {low:.3g} to {high:.3g} was given."
            )
        object.__setattr__(self, "centre", centre)

    @abstractmethod
    def projected(self, offsets: Tensor) -> Tensor:
        """Project offsets from the centre onto the ball."""

    def apply(self, images: Tensor, moment: Moment) -> Tensor:
        self.check(images.shape)
        centre = moment.zero_of(images)
        if isinstance(self.centre, Array):
            centre = self.centre.tensor(images).expand_as(images)
        return (centre + self.projected(images - centre)).clamp(0, 1)

    def check(self, shape: Sequence[int]) -> None:
        wanted = tuple(shape)
        if isinstance(self.centre, Array) and self.centre.shape not in (wanted, wanted[1:], (1, *wanted[1:])):
            raise ImageError(
                f"{type(self).__name__}(centre=) is {list(self.centre.shape)} and the images are {list(wanted)}; "
                f"give {list(wanted[1:])}, or one such per image."
            )


@dataclass(frozen=True, repr=False)
class l2_ball(Ball):  # noqa: N801  # a word of the notation
    """Stay within a Euclidean distance of an image, over all its pixels and channels.

    Formula: x' = centre + (x - centre) * min(1, radius / n); n = sqrt(sum of (x - centre)²), per image.
    Source: projected gradient ascent on the L2 ball (Madry et al. 2018).

    Args:
        radius: The largest distance, from 0, of images in [0, 1]; a difference of d in each of n values is d sqrt(n).
        centre: The centre, `[C, *size]`, or `[B, C, *size]` for one per image, in [0, 1]; the model's mean colour if
            None. Start from the same with `image(..., init=...)`.
    """

    def projected(self, offsets: Tensor) -> Tensor:
        norms = torch.linalg.vector_norm(offsets.flatten(1), dim=1)
        factors = torch.where(norms > self.radius, self.radius / norms, 1)
        return offsets * factors.reshape(-1, *(1 for _ in offsets.shape[1:]))


@dataclass(frozen=True, repr=False)
class linf_ball(Ball):  # noqa: N801  # a word of the notation
    """Stay within a largest absolute difference of an image, in each pixel and channel.

    Formula: x' = min(max(x, centre - radius), centre + radius).
    Source: projected gradient ascent on the L-infinity ball (Madry et al. 2018).

    Args:
        radius: The largest difference, from 0, of images in [0, 1]; 8 / 255 is eight steps of an 8-bit picture.
        centre: The centre, `[C, *size]`, or `[B, C, *size]` for one per image, in [0, 1]; the model's mean colour if
            None. Start from the same with `image(..., init=...)`.
    """

    def projected(self, offsets: Tensor) -> Tensor:
        return offsets.clamp(-self.radius, self.radius)


PRESETS = {
    1: Constraints((blur(0.5), clip_norm(50))),
    2: Constraints((decay(0.3), clip_norm(20))),
    3: Constraints((decay(0.0001), blur(1.0))),
    4: Constraints((blur(0.5), clip_contribution(90))),
}


@checked
def yosinski(preset: Literal[1, 2, 3, 4]) -> Constraints:
    """Return the constraints of one of the four published presets of the Deep Visualization Toolbox.

    Most published pictures use the third. The presets also have 500, 750, 1000 and 1000 steps of plain gradient ascent
    from the mean colour plus N(0, 10), on pixels from 0 to 255. The learning rate is 100 in presets 2 and 3 (on pixels
    from 0 to 1, 100 / 255² = 0.0015). In 1 and 4 it is the rate that would raise the unit by 2 if the network were
    linear, at most 100 in 1 and 1e8 in 4. Plain gradient ascent on pixels is
    ``param.image(size, fft=False, decorrelate=False, bounds="clip")`` with ``optimizer="sgd"``.

    Formula: 1: blur(0.5) | clip_norm(50); 2: decay(0.3) | clip_norm(20); 3: decay(0.0001) | blur(1.0);
        4: blur(0.5) | clip_contribution(90).
    Source: Yosinski et al. 2015, table 1, and the toolbox's `doc/running-optimize-image.md`.

    Args:
        preset: 1 to 4, in the order of the publication.
    """
    return PRESETS[preset]
