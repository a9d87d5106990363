"""How much a scan keeps, and how it is cut into pieces."""

from __future__ import annotations

from dataclasses import dataclass

from lucidtorch.base.checks import check_number

FEWEST_BINS = 4
LARGEST_SEED = 2**63 - 1


@dataclass(frozen=True, slots=True)
class Settings:
    """How much a scan keeps of each unit and layer, and how it is cut into pieces.

    Args:
        top: How many of the images that excite a unit most.
        bottom: How many of those that excite it least.
        ranked: How many of the most exciting images are counted by class.
        batch: How many images go through the network together.
        chunk: After how many images the state is written.
        bins: How many bins the histogram of a unit has.
        samples: How many places of all images are drawn for each layer.
        seed: What the sample is drawn from.

    Raises:
        BadInputError: One is no whole number, or too small.
    """

    top: int
    bottom: int
    ranked: int
    batch: int
    chunk: int
    bins: int
    samples: int
    seed: int

    def __post_init__(self) -> None:
        for word in ("top", "batch", "chunk"):
            check_number(getattr(self, word), f"scan({word}=)", low=1, whole=True)
        for word in ("bottom", "ranked", "samples"):
            check_number(getattr(self, word), f"scan({word}=)", low=0, whole=True)
        check_number(self.bins, "scan(bins=)", low=FEWEST_BINS, whole=True)
        check_number(self.seed, "scan(seed=)", low=0, high=LARGEST_SEED, whole=True)

    @property
    def depth(self) -> int:
        """How many of a unit's most exciting images are kept."""
        return max(self.top, self.ranked)
