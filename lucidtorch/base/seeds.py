"""Seeds and generators: one per image, so that an image's start and draws depend on its own seed alone."""

from __future__ import annotations

import contextlib
import hashlib
import random
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch

from lucidtorch.base.checks import is_whole
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.shown import shown
from lucidtorch.base.surroundings import one_at_a_time

SEED_BITS = 63  # what torch.Generator.manual_seed takes without wrapping
PICTURE_BITS = 53  # of seeds that files carry: JavaScript, and so every other reader of JSON, keeps these exactly


def derive_seed(*parts: int | str) -> int:
    """Make a seed from words and numbers, the same on every machine."""
    digest = hashlib.blake2b(repr(parts).encode(), digest_size=8).digest()
    return int.from_bytes(digest, "big") >> (64 - SEED_BITS)


def picture_seed(*parts: int | str, bits: int = PICTURE_BITS) -> int:
    """Make the seed of a picture, which files carry."""
    return derive_seed(*parts) >> (SEED_BITS - bits)


def image_seeds(seed: int | Sequence[int], batch: int) -> tuple[int, ...]:
    """Give each image of a batch its seed."""
    if isinstance(seed, bool | str) or not isinstance(seed, int | np.integer | Sequence):
        raise BadInputError(f"A seed is a whole number from 0, or one per image, but {shown(seed)} was given.")
    if isinstance(seed, Sequence):
        seeds = tuple(int(one) if isinstance(one, np.integer) else one for one in seed)
    else:
        seeds = tuple(range(int(seed), int(seed) + batch))
    if len(seeds) != batch:
        raise BadInputError(f"{len(seeds)} seeds were given for {batch} images; write one number, or one per image.")
    for one in seeds:
        if not is_whole(one) or one < 0:
            raise BadInputError(f"A seed is a whole number from 0, but {shown(one)} was given.")
    return seeds


def generators(seeds: Sequence[int], purpose: str) -> list[torch.Generator]:
    """Open one random stream per image for one purpose."""
    return [torch.Generator().manual_seed(derive_seed(seed, purpose)) for seed in seeds]


class OwnRandomState:
    """A private copy of the global random states of torch, numpy and Python, for code that insists on using those.

    Args:
        seed: Where the private states start.
        torch_alone: Whether numpy's and Python's states are left as they are, since nobody there draws from them:
            keeping them costs more than torch's.
    """

    def __init__(self, seed: int, *, torch_alone: bool = False) -> None:
        self._seed = derive_seed(seed, "global")
        self._torch_alone = torch_alone
        self._states: list[Any] = []

    @contextlib.contextmanager
    def __call__(self) -> Iterator[None]:
        """Let the block draw from the private states; the user's own are back afterwards, after an error too.

        The states belong to the whole process, so that one thread at a time is in such a block.
        """
        with one_at_a_time():
            users = self._now()
            if self._states:
                self._restore(self._states)
            else:
                self._begin()
            try:
                yield
            finally:
                self._states = self._now()
                self._restore(users)

    def _begin(self) -> None:
        torch.manual_seed(self._seed)
        if not self._torch_alone:
            np.random.seed(self._seed % 2**32)
            random.seed(self._seed)

    def _now(self) -> list[Any]:
        return [read() for read, _ in self._sources()]

    def _restore(self, states: Sequence[Any]) -> None:
        for (_, write), state in zip(self._sources(), states, strict=False):  # CUDA may have begun since
            write(state)

    def _sources(self) -> list[tuple[Callable[[], Any], Callable[[Any], Any]]]:
        """How each state is read and written."""
        found: list[tuple[Callable[[], Any], Callable[[Any], Any]]] = [(torch.get_rng_state, torch.set_rng_state)]
        if not self._torch_alone:
            found += [(np.random.get_state, np.random.set_state), (random.getstate, random.setstate)]
        if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]  # asking must not start CUDA
            found.append((torch.cuda.get_rng_state_all, torch.cuda.set_rng_state_all))
        return found
