"""Statistics of the user's own images: their colours, and the magnitude of each frequency."""

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

LARGEST = 256  # the largest default side for measuring frequencies
SMALLEST = 4
CONSTANT = 1e-12  # a variance below it is a rounding error
DEPENDENT = 1e-10  # the smallest variance of a colour axis, relative to the largest
NODES = 64  # of the radial curve; the most that are written into a text
PULL = 1e-3  # the weight of the power law at a node, relative to one measured frequency
DIGITS = 4  # of each number of the curve, which is written into texts
FIELDS = {"mean": 1, "colour": 2, "spectrum": 1, "magnitude": 3}  # with their numbers of axes


@dataclass(frozen=True)
class Statistics:
    """Statistics of images, for params; `fit_statistics` measures them.

    `image(128, colour=s.colour, spectrum=s.spectrum)` uses their colours and frequencies as preconditioner, and
    `image(128, spatial=maco(s.magnitude), colour=s.colour)` keeps the magnitude of each frequency.

    Args:
        mean: The mean colour, `[C]`.
        colour: The square root of the covariance of the colours, `[C, C]`. Its columns are the principal axes, scaled
            by the standard deviation along them, the longest first; the first number of each is not negative.
        spectrum: The radial amplitude spectrum, `[64]`, at equally spaced frequencies from 0 to the square root of .5
            cycles per pixel; the largest is 1.
        magnitude: The magnitude of each frequency, `[C, side, side // 2 + 1]`: the root mean square of `rfft2` of the
            decorrelated colours.

    Raises:
        BadInputError: A field has a wrong number of axes.
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
        """Save as a safetensors file with one array per field, and return its path.

        Args:
            path: The file, for example ``flowers.safetensors``; it is written atomically.

        Raises:
            OutputError: The file cannot be written.
        """
        target = Path(path)
        atomic_write_bytes(target, save({name: getattr(self, name).numpy() for name in FIELDS}))
        return target

    @classmethod
    def load(cls, path: Path | str) -> Statistics:
        """Load a file that `save` wrote; the values are exactly the same.

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
                f"{path} is no safetensors file ({error}); give one that Statistics.save wrote."
            ) from error
        if set(arrays) != set(FIELDS):
            raise BadInputError(
                f"{path} holds {sorted(arrays)}, not {sorted(FIELDS)}; give a file that Statistics.save wrote."
            )
        return cls(**{name: Array.of(array) for name, array in arrays.items()})


@checked
def fit_statistics(
    images: Annotated[Iterable[Tensor], ImageError],
    *,
    side: Annotated[int, Within(SMALLEST, LARGEST_SIDE)] | None = None,
) -> Statistics:
    """Measure the colours and frequencies of images, in one pass with little memory.

    Every image has the same weight, independently of its size. Colours are measured on all its pixels; frequencies on
    its central square, scaled to one side.

    Formula: colour = eigenvectors * sqrt(eigenvalues) of the covariance over pixels; magnitude = sqrt(mean over images
        of abs(rfft2(inverse of the colour root, its longest column 1, times image)) ** 2).
    Source: Lucid's `color_correlation_svd_sqrt`; the magnitudes of Fel et al. 2023, but the root mean square
        instead of the mean, which one pass allows.

    Args:
        images: Images `[C, H, W]` or batches of them `[B, C, H, W]` in [0, 1], of any one number of channels and any
            sizes: a list, a tensor `[B, C, H, W]`, a generator, a loader.
        side: The side of the square for measuring frequencies, in pixels, even; if None, the shorter side of the first
            image, at most 256. Smaller images lack its highest frequencies.

    Raises:
        ImageError: There is no image; or one is not such a tensor, has values outside [0, 1] or not finite, or another
            number of channels; or a channel is constant, or linearly dependent on others.
        BadInputError: The side is invalid.

    Example:
        >>> generator = torch.Generator().manual_seed(0)
        >>> found = fit_statistics(torch.rand(9, 3, 32, 32, generator=generator))
        >>> found.magnitude.shape
        (3, 32, 17)
    """
    if side is not None and side % 2:
        raise BadInputError(f"fit_statistics(side=) takes an even number, but {side} was given.")
    moments: ImageMoments | None = None
    for number, image in enumerate(_each(images)):
        if moments is None:
            moments = ImageMoments(len(image), _usual_side(image) if side is None else side)
        if len(image) != moments.channels:
            raise ImageError(f"Image {number} has {len(image)} channels, those before it {moments.channels}.")
        moments.add(image)
    if moments is None:
        raise ImageError("There is no image to measure; give some, [C, H, W] in [0, 1].")
    root = moments.root()
    magnitude = moments.magnitude(root)
    return Statistics(Array.of(moments.mean()), Array.of(root), Array.of(_radial_curve(magnitude)), Array.of(magnitude))


class ImageMoments:
    """First and second moments of images with equal weights, in float64 and constant memory."""

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
        """Compute the square root of the covariance of the colours."""
        mean = self.mean()
        covariance = np.asarray(self._products / self.count) - np.outer(mean, mean)
        constant = [channel for channel in range(self.channels) if covariance[channel, channel] < CONSTANT]
        if constant:
            raise ImageError(f"Channel {constant[0]} is constant in these images; leave it out.")
        variances, axes = np.linalg.eigh(covariance)
        if variances[0] < DEPENDENT * variances[-1]:
            raise ImageError(
                "The channels of these images repeat each other, as where grey pictures are stored in three colours; "
                "give each only once, for example image[:1]."
            )
        axes = axes * np.where(axes[0] < 0, -1, 1)
        return np.ascontiguousarray((axes * np.sqrt(variances))[:, ::-1])

    def magnitude(self, root: np.ndarray) -> np.ndarray:
        """Compute the magnitude of each frequency in decorrelated colours."""
        inverse = np.linalg.inv(root / np.linalg.norm(root, axis=0).max())
        powers = np.einsum("ki,kj,ijhw->khw", inverse, inverse, np.asarray(self._powers / self.count))
        strengths: np.ndarray = np.sqrt(np.maximum(powers, 0))
        return strengths


def _squared(image: Tensor, side: int) -> Tensor:
    """Crop the central square of an image, and scale it."""
    height, width = image.shape[-PLANE:]
    shorter = min(height, width)
    top, left = (height - shorter) // 2, (width - shorter) // 2
    square = image[:, top : top + shorter, left : left + shorter]
    if shorter == side:
        return square
    return interpolate(square[None], (side, side), mode="bilinear", antialias=True)[0]


def _radial_curve(magnitude: np.ndarray) -> np.ndarray:
    """Fit a piecewise linear curve to the magnitudes over the frequency.

    Errors are relative to the power law that fits best. Where frequencies are rare, especially below one cycle per
    picture, the curve follows that law.
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
    """Evaluate the best power law at the nodes; at 0, so that the line to the next node has it at its centre."""
    slope, height = np.polyfit(np.log(lengths), np.log(measured), 1)
    law: np.ndarray = np.exp(height) * np.maximum(nodes, nodes[1] / 2) ** slope
    law[0] = max(2 * law[0] - law[1], law[1])
    return law


def _usual_side(image: Tensor) -> int:
    shorter = min(int(image.shape[-2]), int(image.shape[-1]), LARGEST)
    return max(SMALLEST, shorter - shorter % 2)


def _each(images: Iterable[Tensor]) -> Iterator[Tensor]:
    """Iterate over the images, checked, in float64 on the CPU."""
    number = 0
    if isinstance(images, Tensor) and images.ndim == 0:
        raise ImageError("Images are several tensors [C, H, W] or one [B, C, H, W], but a single number was given.")
    for given in images:
        if not isinstance(given, Tensor) or given.ndim not in (PLANE + 1, PLANE + 2):
            shape = list(given.shape) if isinstance(given, Tensor | np.ndarray) else type(given).__name__
            raise ImageError(
                f"Image {number} is no tensor [C, H, W] or [B, C, H, W], but {shape}; of images with labels, give the "
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
        raise ImageError(f"Image {number} is empty or contains inf or nan.")
    low, high = float(values.min()), float(values.max())
    if low < 0 or high > 1:
        raise ImageError(
            f"Image {number} must lie in [0, 1], but it runs from {low:.3g} to {high:.3g}; bytes are divided by 255."
        )
    return values
