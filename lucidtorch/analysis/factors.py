"""Groups of units: a layer's activations as sums of a few directions, each with a map of where it is."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from lucidtorch.base.checks import Iterations, Maps, Threads, checked
from lucidtorch.base.errors import BadInputError, UnitError

MAP_AXES = 4  # `[N, C, h, w]`
LARGEST_SEED = 2**32 - 1  # of numpy's generators


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of units, the strongest first: activations[n, :, y, x] ≈ sum over g of maps[n, g, y, x] · directions[g].

    Args:
        maps: `[N, G, h, w]` from 0 up, float64: how strong each group is at each position of each image.
        directions: `[G, C]` from 0 up, float64: what each group is made of, of length 1; zeros where it is empty.
        error: The length of what the groups leave unexplained, as a share of the activations' length, 0 to 1.
        iterations: How many the search took.
        converged: Whether it had come to rest by then.
    """

    maps: Tensor
    directions: Tensor
    error: float
    iterations: int
    converged: bool

    @property
    def shares(self) -> Tensor:
        """`[N, G]`: how much of what the groups together say of an image comes from each; a row of zeros for none."""
        mass = self.maps.sum((2, 3)) * self.directions.sum(1)
        return mass / mass.sum(1, keepdim=True).clamp(min=torch.finfo(mass.dtype).tiny)

    @property
    def totals(self) -> Tensor:
        """`[G]`: how much of what the groups together say of all images comes from each."""
        mass = self.maps.sum((0, 2, 3)) * self.directions.sum(1)
        return mass / mass.sum()

    @property
    def count(self) -> int:
        """How many groups are there that are not empty; they stand before the empty ones."""
        return int((self.totals > 0).sum())


@checked
def nmf_groups(
    activations: Maps,
    groups: Annotated[int, UnitError],
    *,
    seed: int = 0,
    max_iter: Iterations = 1000,
    threads: Threads = 1,
) -> Groups:
    """Split activations into groups of units that are active together, by non-negative matrix factorization.

    Every position of every image is a row, so that all images share the groups. The search starts from scikit-learn's
    ``nndsvda`` and computes in float64; the same numbers, seed and threads give the same bytes.

    Formula: minimize |A - W H|² over W, H >= 0, with A of N·h·w rows and C columns; then every row of H is brought to
        length 1, W takes its length up, and the groups are sorted by the sum of what they say.
    Source: the neuron groups of "The Building Blocks of Interpretability" (Lucid's `ChannelReducer`).

    Args:
        activations: `[N, C, h, w]`, from 0 up, as behind a ReLU.
        groups: How many groups, from 1 up to the number of positions and of channels.
        seed: Of the start, from 0 to 2**32 - 1.
        max_iter: After how many iterations the search ends at the latest.
        threads: How many threads compute.

    Returns:
        The groups.

    Raises:
        BadInputError: The activations have no positions, are negative, not finite or all zero, or a number does not
            fit.
        UnitError: There are more groups than positions or channels.

    Example:
        >>> import torch
        >>> found = nmf_groups(torch.tensor([[[[2.0, 0.0]], [[0.0, 1.0]]]]), 2)
        >>> found.totals
        tensor([0.6667, 0.3333], dtype=torch.float64)
    """
    from lucidtorch.analysis.decompositions import factorize

    rows = _rows(activations)
    positions, channels = rows.shape
    if not 1 <= groups <= min(positions, channels):
        raise UnitError(
            f"{positions} positions of {channels} channels fall into 1 to {min(positions, channels)} groups, but "
            f"{groups} were asked for."
        )
    if not 0 <= seed <= LARGEST_SEED:
        raise BadInputError(f"The seed is a whole number from 0 to {LARGEST_SEED}, but {seed} was given.")
    weights, parts, iterations = factorize(rows.numpy(), groups, seed, max_iter, threads)
    found = _sorted(activations, rows, torch.from_numpy(weights), torch.from_numpy(parts))
    return Groups(*found, iterations=iterations, converged=iterations < max_iter)


def _rows(activations: Tensor) -> Tensor:
    """Check activations, and make a row of every position of every image."""
    values = activations.detach().cpu().double()
    if bool((values < 0).any()):
        raise BadInputError(
            "Groups need activations from 0 up, but some are negative; take a layer behind a ReLU, or "
            "`activations.clamp(min=0)`."
        )
    if not bool((values > 0).any()):
        raise BadInputError("Groups need activations, but all of them are zero; give another image or layer.")
    return values.permute(0, 2, 3, 1).reshape(-1, values.shape[1]).contiguous()


def _sorted(activations: Tensor, rows: Tensor, weights: Tensor, parts: Tensor) -> tuple[Tensor, Tensor, float]:
    """Sort the groups by their mass; give their maps, their directions of length 1, and the error."""
    lengths = parts.norm(dim=1)
    order = torch.sort(weights.sum(0) * parts.sum(1), descending=True, stable=True).indices
    directions = parts / lengths.clamp(min=torch.finfo(parts.dtype).tiny)[:, None]
    images, _, height, width = activations.shape
    maps = (weights * lengths)[:, order].reshape(images, height, width, -1).permute(0, 3, 1, 2).contiguous()
    return maps, directions[order], float((rows - weights @ parts).norm() / rows.norm())
