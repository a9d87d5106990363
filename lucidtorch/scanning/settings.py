"""How much a scan keeps, and how it is cut into pieces."""

from __future__ import annotations

from dataclasses import dataclass

from lucidtorch.base.checks import check_number

FEWEST_BINS = 4
# What tables of a thousand units still fit into memory with, from the smallest to the largest number.
BOUNDS = {
    "top": (1, 100_000),
    "bottom": (0, 100_000),
    "ranked": (0, 100_000),
    "batch": (1, 65_536),
    "chunk": (1, 1_000_000_000),
    "bins": (FEWEST_BINS, 65_536),
    "samples": (0, 1_000_000),
}
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
        for word, (low, high) in BOUNDS.items():
            check_number(getattr(self, word), f"scan({word}=)", low=low, high=high, whole=True)
        check_number(self.seed, "scan(seed=)", low=0, high=LARGEST_SEED, whole=True)

    @property
    def depth(self) -> int:
        """How many of a unit's most exciting images are kept."""
        return max(self.top, self.ranked)
