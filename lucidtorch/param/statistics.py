"""Statistics of the user's own images: their colours, and how strong each frequency is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import numpy as np
import torch
from safetensors import SafetensorError
from safetensors.numpy import load, save
from torch import Tensor
from torch.nn.functional import interpolate

from lucidtorch.base.arrays import Array
from lucidtorch.base.checks import Within, checked, is_dense
from lucidtorch.base.errors import BadInputError, ImageError
from lucidtorch.base.files import atomic_write_bytes
from lucidtorch.base.natural_images import HIGHEST, frequencies
from lucidtorch.base.records import LARGEST_SIDE
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import PLANE

LARGEST = 256  # the side that frequencies are looked at where none is given and images are larger
SMALLEST = 4
CONSTANT = 1e-12  # a variance below it is rounding
DEPENDENT = 1e-10  # the least share of the largest variance that an axis of colour may have
NODES = 64  # of the radial curve; as many as a text still holds
PULL = 1e-3  # how much a node holds to the power law, against one measured frequency
DIGITS = 4  # of each number of the curve: it goes into texts
FIELDS = {"mean": 1, "colour": 2, "spectrum": 1, "magnitude": 3}  # and how many axes each has


@dataclass(frozen=True)
class Statistics:
    """What a param needs to know of images to look like them; `fit_statistics` measures it.

    `image(128, colour=s.colour, spectrum=s.spectrum)` starts and steps in their colours and frequencies,
    `image(128, spatial=maco(s.magnitude), colour=s.colour)` keeps the strength of each frequency.

    Args:
        mean: The mean colour, `[C]`.
        colour: The root of the covariance of the colours, `[C, C]`. Its columns are the independent axes, each as long
            as the deviation along it, the longest first; the first number of each is not negative.
        spectrum: How strong frequencies are by their length, `[64]`, at equally spaced ones from 0 to the square root
            of .5 cycles per pixel; the largest is 1.
        magnitude: How strong each frequency is, `[C, side, side // 2 + 1]`: the root of the mean square of what `rfft2`
            gives of decorrelated colours.

    Raises:
        BadInputError: A field has another number of axes.
    """

    mean: Array
    colour: Array
    spectrum: Array
    magnitude: Array

    def __post_init__(self) -> None:
        for name, axes in FIELDS.items():
            array = Array.of(getattr(self, name))
            object.__setattr__(self, name, array)
            if len(array.shape) != axes:
                raise BadInputError(
                    f"Statistics(...) needs {axes} axes of {name}, but its shape is {list(array.shape)}."
                )

    def save(self, path: Path | str) -> Path:
        """Write them into one file of safetensors, an array for each field under its name, and return its path.

        Args:
            path: The file, for example ``flowers.safetensors``; it appears whole or not at all.

        Raises:
            OutputError: It cannot be written.
        """
        target = Path(path)
        atomic_write_bytes(target, save({name: getattr(self, name).numpy() for name in FIELDS}))
        return target

    @classmethod
    def load(cls, path: Path | str) -> Statistics:
        """Read what `save` wrote: the same statistics, bit for bit.

        Args:
            path: The file.

        Raises:
            BadInputError: The file is missing, broken, or holds something else.
        """
        try:
            arrays = load(Path(path).read_bytes())
        except OSError as error:
            raise BadInputError(f"The statistics {path} cannot be read: {error.strerror}.") from error
        except SafetensorError as error:
            raise BadInputError(
                f"{path} is no file of safetensors ({error}); give what Statistics.save wrote."
            ) from error
        if set(arrays) != set(FIELDS):
            raise BadInputError(
                f"{path} holds {sorted(arrays)}, not {sorted(FIELDS)}; give what Statistics.save wrote."
            )
        return cls(**{name: Array.of(array) for name, array in arrays.items()})


@checked
def fit_statistics(
    images: Annotated[Iterable[Tensor], ImageError],
    *,
    side: Annotated[int, Within(SMALLEST, LARGEST_SIDE)] | None = None,
) -> Statistics:
    """Measure the colours and frequencies of images, in one pass and little memory.

    Every image counts the same, however large it is. Colours are taken from all its pixels; frequencies from its middle
    square, scaled to one side.

    Formula: colour = eigenvectors * sqrt(eigenvalues) of the covariance over pixels; magnitude = sqrt(mean over images
        of abs(rfft2(inverse of the colour root, its longest column 1, times image)) ** 2).
    Source: Lucid's `color_correlation_svd_sqrt`; the magnitudes of Fel et al. 2023, but the root of the mean square in
        the place of the mean, as one pass allows.

    Args:
        images: Images `[C, H, W]` or batches of them `[B, C, H, W]` in [0, 1], of any one number of channels and any
            sizes: a list, a tensor `[B, C, H, W]`, a generator, a loader.
        side: The side of the square that frequencies are looked at, in pixels, even; the shorter side of the first
            image where None, but at most 256. Images that are smaller lack its finest frequencies.

    Returns:
        The statistics.

    Raises:
        ImageError: There is no image; or one is no such tensor, leaves [0, 1], is not finite or has another number of
            channels; or a channel is the same everywhere, or repeats others.
        BadInputError: The side is none.

    Example:
        >>> dice = torch.Generator().manual_seed(0)
        >>> found = fit_statistics(torch.rand(9, 3, 32, 32, generator=dice))
        >>> found.magnitude.shape
        (3, 32, 17)
    """
    if side is not None and side % 2:
        raise BadInputError(f"fit_statistics(side=) takes an even number, but {side} was given.")
    moments: Moments | None = None
    for number, image in enumerate(_each(images)):
        if moments is None:
            moments = Moments(len(image), _usual_side(image) if side is None else side)
        if len(image) != moments.channels:
            raise ImageError(f"Image {number} has {len(image)} channels, those before it {moments.channels}.")
        moments.add(image)
    if moments is None:
        raise ImageError("There is no image to measure; give some, [C, H, W] in [0, 1].")
    root = moments.root()
    magnitude = moments.magnitude(root)
    return Statistics(Array.of(moments.mean()), Array.of(root), Array.of(_radial_curve(magnitude)), Array.of(magnitude))


class Moments:
    """First and second moments of images, each of which counts the same whatever its size, in float64.

    The memory that they take depends on the number of channels and the side alone.
    """

    def __init__(self, channels: int, side: int) -> None:
        self.channels = channels
        self.side = side
        self.count = 0
        self._sums = torch.zeros(channels, dtype=torch.float64)
        self._products = torch.zeros(channels, channels, dtype=torch.float64)
        self._powers = torch.zeros(channels, channels, side, side // 2 + 1, dtype=torch.float64)

    def add(self, image: Tensor) -> None:
        """Add one image."""
        pixels = image.flatten(1)
        self.count += 1
        self._sums += pixels.mean(1)
        self._products += pixels @ pixels.T / pixels.shape[1]
        spectrum = torch.fft.rfft2(_squared(image, self.side))
        self._powers += (spectrum[:, None] * spectrum[None].conj()).real

    def mean(self) -> np.ndarray:
        """The mean colour, `[C]`."""
        return np.asarray(self._sums / self.count)

    def root(self) -> np.ndarray:
        """The root of the covariance of the colours."""
        mean = self.mean()
        covariance = np.asarray(self._products / self.count) - np.outer(mean, mean)
        constant = [channel for channel in range(self.channels) if covariance[channel, channel] < CONSTANT]
        if constant:
            raise ImageError(f"Channel {constant[0]} is the same everywhere in these images; leave it out.")
        variances, axes = np.linalg.eigh(covariance)
        if variances[0] < DEPENDENT * variances[-1]:
            raise ImageError(
                "The channels of these images repeat each other, as where grey pictures are stored in three colours; "
                "give each only once, for example image[:1]."
            )
        axes = axes * np.where(axes[0] < 0, -1, 1)
        return np.ascontiguousarray((axes * np.sqrt(variances))[:, ::-1])

    def magnitude(self, root: np.ndarray) -> np.ndarray:
        """How strong each frequency is in decorrelated colours."""
        inverse = np.linalg.inv(root / np.linalg.norm(root, axis=0).max())
        powers = np.einsum("ki,kj,ijhw->khw", inverse, inverse, np.asarray(self._powers / self.count))
        strengths: np.ndarray = np.sqrt(np.maximum(powers, 0))
        return strengths


def _squared(image: Tensor, side: int) -> Tensor:
    """Cut the middle square out of an image and scale it."""
    height, width = image.shape[-PLANE:]
    shorter = min(height, width)
    top, left = (height - shorter) // 2, (width - shorter) // 2
    square = image[:, top : top + shorter, left : left + shorter]
    if shorter == side:
        return square
    return interpolate(square[None], (side, side), mode="bilinear", antialias=True)[0]


def _radial_curve(magnitude: np.ndarray) -> np.ndarray:
    """Fit a curve of straight pieces to how strong frequencies are, by their length.

    Errors count by their share of the power law that fits the whole best. Where frequencies are few, below one cycle
    per picture above all, the curve follows that law.
    """
    side = magnitude.shape[1]
    lengths = frequencies((side, side)).numpy().ravel()[1:]
    measured = np.sqrt(np.square(magnitude).mean(0)).ravel()[1:]
    measured = np.maximum(measured, measured.max() * 1e-9)
    nodes = np.linspace(0, HIGHEST, NODES)
    law = _power_law(lengths, measured, nodes)
    expected = np.interp(lengths, nodes, law)
    shares = np.stack([np.interp(lengths, nodes, one) for one in np.diag(law)], 1) / expected[:, None]
    rows = np.concatenate([shares, PULL * np.eye(NODES)])
    wanted = np.concatenate([measured / expected, PULL * np.ones(NODES)])
    curve = law * np.linalg.lstsq(rows, wanted, rcond=None)[0]
    curve = np.maximum(curve, curve.max() * 10.0**-DIGITS)
    return np.array([float(f"{one:.{DIGITS}g}") for one in curve / curve.max()])


def _power_law(lengths: np.ndarray, measured: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """The power law that fits best, at the nodes; at 0, so that the line to the next node has it in its middle."""
    slope, height = np.polyfit(np.log(lengths), np.log(measured), 1)
    law: np.ndarray = np.exp(height) * np.maximum(nodes, nodes[1] / 2) ** slope
    law[0] = max(2 * law[0] - law[1], law[1])
    return law


def _usual_side(image: Tensor) -> int:
    shorter = min(int(image.shape[-2]), int(image.shape[-1]), LARGEST)
    return max(SMALLEST, shorter - shorter % 2)


def _each(images: Iterable[Tensor]) -> Iterator[Tensor]:
    """Go through the images one by one, checked, in float64 on the CPU."""
    number = 0
    if isinstance(images, Tensor) and images.ndim == 0:
        raise ImageError("Images are several tensors [C, H, W] or one [B, C, H, W], but a single number was given.")
    for given in images:
        if not isinstance(given, Tensor) or given.ndim not in (PLANE + 1, PLANE + 2):
            shape = list(given.shape) if isinstance(given, Tensor | np.ndarray) else type(given).__name__
            raise ImageError(
                f"Image {number} is no tensor [C, H, W] or [B, C, H, W], but {shape}; of images with classes, give the "
                "images alone: fit_statistics(image for image, _ in data)."
            )
        for image in given if given.ndim == PLANE + 2 else given[None]:
            yield _checked(image, number)
            number += 1


def _checked(image: Tensor, number: int) -> Tensor:
    if not is_dense(image):
        raise ImageError(f"Image {number} must hold real numbers, but {shown(image)} was given.")
    values = image.detach().to("cpu", torch.float64)
    if values.numel() == 0 or not bool(values.isfinite().all()):
        raise ImageError(f"Image {number} is empty or holds inf or nan.")
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 1:
        raise ImageError(
            f"Image {number} must lie in [0, 1], but it runs from {low:.3g} to {high:.3g}; bytes are divided by 255."
        )
    return values
