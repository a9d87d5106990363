"""The numbers of a picture that show what goes wrong in plain ascent."""

from __future__ import annotations

from dataclasses import asdict, dataclass

from torch import Tensor

from lucidtorch.analysis.picture_measures import (
    Repeat,
    autocorrelation,
    extreme_share,
    saturation,
    spectral_slope,
    strongest_repeat,
)
from lucidtorch.recipes.parts.measures import clipped_share, fine_share

DIGITS = 6


@dataclass(frozen=True)
class Measures:
    """What is measured on a picture.

    Args:
        fine: The share of the contrast in waves shorter than 4 pixels.
        slope: How fast waves fade as they get finer; None for an even picture.
        extreme: The share of the values within 0.05 of 0 or 1.
        clipped: The share of the values that are as dark or as bright as a file can hold.
        saturation: How far the colours are from grey.
        repeat: The shift at which it is most like itself again, or None.
    """

    fine: float
    slope: float | None
    extreme: float
    clipped: float
    saturation: float
    repeat: Repeat | None

    @classmethod
    def of(cls, image: Tensor) -> Measures:
        """Measure a picture."""
        return cls(
            fine_share(image),
            spectral_slope(image),
            extreme_share(image),
            clipped_share(image),
            saturation(image),
            strongest_repeat(autocorrelation(image)),
        )

    def facts(self) -> dict[str, float | None]:
        """Write them as plain numbers."""
        found = {name: value for name, value in asdict(self).items() if name != "repeat"}
        found["repeat"] = None if self.repeat is None else self.repeat.height
        found["repeat_distance"] = None if self.repeat is None else self.repeat.distance
        return {name: None if value is None else float(f"{value:.{DIGITS}g}") for name, value in found.items()}
