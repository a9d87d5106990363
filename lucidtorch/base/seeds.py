"""Seeds and generators: one per image, so that an image's start and draws depend on its own seed alone."""

from __future__ import annotations

import contextlib
import hashlib
from collections.abc import Iterator, Sequence

import torch

from lucidtorch.base.errors import BadInputError

SEED_BITS = 63  # what torch.Generator.manual_seed takes without wrapping


def derive_seed(*parts: int | str) -> int:
    """Make a seed from words and numbers, the same on every machine.

    Args:
        parts: What the seed stands for, for example ``(7, "conv3_1", 12, "negative", 0)``.

    Returns:
        A whole number in ``[0, 2**63)``; different parts give independent seeds (BLAKE2b).
    """
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - SEED_BITS)


def image_seeds(seed: int | Sequence[int], batch: int) -> tuple[int, ...]:
    """Give each image of a batch its seed.

    Args:
        seed: One number s (image i gets s + i), or one number per image.
        batch: The number of images.

    Returns:
        One seed per image.

    Raises:
        BadInputError: A sequence is not as long as the batch, or a seed is negative or no whole number.
    """
    seeds = tuple(range(seed, seed + batch)) if isinstance(seed, int) else tuple(seed)
    if len(seeds) != batch:
        raise BadInputError(f"{len(seeds)} seeds were given for {batch} images; write one number, or one per image.")
    for one in seeds:
        if isinstance(one, bool) or not isinstance(one, int) or one < 0:
            raise BadInputError(f"A seed is a whole number from 0, but {one!r} was given.")
    return seeds


def generators(seeds: Sequence[int], purpose: str) -> list[torch.Generator]:
    """Open one random stream per image for one purpose.

    Args:
        seeds: One seed per image.
        purpose: What the numbers are for; each purpose has streams of its own.

    Returns:
        Generators on the CPU, so that draws are the same whatever device the network is on.
    """
    return [torch.Generator().manual_seed(derive_seed(seed, purpose)) for seed in seeds]


class OwnRandomState:
    """A private copy of torch's global random state, for code that insists on using the global one.

    Args:
        seed: Where the private state starts.
    """

    def __init__(self, seed: int) -> None:
        self._state = torch.Generator().manual_seed(seed).get_state()

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        """Let the block draw from the private state; the user's own is back afterwards, after an error too."""
        users = torch.get_rng_state()
        torch.set_rng_state(self._state)
        try:
            yield
        finally:
            self._state = torch.get_rng_state()
            torch.set_rng_state(users)
