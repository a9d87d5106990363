"""Groups of units: non-negative factors of a layer's activations, each with its spatial map."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from lucidtorch.base.checks import Iterations, Maps, Threads, Within, checked
from lucidtorch.base.errors import BadInputError, UnitError

MAP_AXES = 4  # `[N, C, h, w]`
LARGEST_SEED = 2**32 - 1  # of numpy's generators


@dataclass(frozen=True, eq=False)
class Groups:
    """Groups of units, the strongest first: activations[n, :, y, x] ≈ sum over g of maps[n, g, y, x] · directions[g].

    Args:
        maps: `[N, G, h, w]`, not negative, float64: the weight of each group at each position of each image.
        directions: `[G, C]`, not negative, float64: unit vectors over channels; zeros for empty groups.
        error: The norm of the residual, relative to that of the activations, 0 to 1.
        iterations: The number of iterations.
        converged: Whether the factorization converged.
    """

    maps: Tensor
    directions: Tensor
    error: float
    iterations: int
    converged: bool

    @property
    def shares(self) -> Tensor:
        """`[N, G]`: the share of each group in an image; a row of zeros where all are 0."""
        mass = self.maps.sum((2, 3)) * self.directions.sum(1)
        return mass / mass.sum(1, keepdim=True).clamp(min=torch.finfo(mass.dtype).tiny)

    @property
    def totals(self) -> Tensor:
        """`[G]`: the share of each group over all images."""
        mass = self.maps.sum((0, 2, 3)) * self.directions.sum(1)
        return mass / mass.sum()

    @property
    def count(self) -> int:
        """The number of groups that are not empty, which come first."""
        return int((self.totals > 0).sum())


@checked
def nmf_groups(
    activations: Maps,
    groups: Annotated[int, UnitError],
    *,
    seed: Annotated[int, Within(0, LARGEST_SEED)] = 0,
    max_iter: Iterations = 1000,
    threads: Threads = 1,
) -> Groups:
    """Find groups of units that are active together, by non-negative matrix factorization.

    Every position of every image is a row, so that all images share the groups. The factorization is initialized by
    scikit-learn's ``nndsvda``, in float64; the same input, seed and threads return the same bytes.

    Formula: minimize |A - W H|² over W, H >= 0, with A of N·h·w rows and C columns; then every row of H is normalized
        to norm 1, which W absorbs, and the groups are sorted by their sum.
    Source: the neuron groups of "The Building Blocks of Interpretability" (Lucid's `ChannelReducer`).

    Args:
        activations: `[N, C, h, w]`, not negative, as after a ReLU.
        groups: The number of groups, from 1 to the number of positions and of channels.
        seed: The seed of the initialization, from 0 to 2**32 - 1.
        max_iter: The largest number of iterations.
        threads: The number of threads.

    Raises:
        BadInputError: The activations are negative or all zero.
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
            f"{groups} was given."
        )
    weights, parts, iterations = factorize(rows.numpy(), groups, seed, max_iter, threads)
    found = _sorted(activations, rows, torch.from_numpy(weights), torch.from_numpy(parts))
    return Groups(*found, iterations=iterations, converged=iterations < max_iter)


def _rows(activations: Tensor) -> Tensor:
    """Check activations, and reshape them to a row per position of every image."""
    values = activations.detach().cpu().double()
    if bool((values < 0).any()):
        raise BadInputError(
            "Groups need activations from 0 up, but some are negative; take a layer after a ReLU, or "
            "`activations.clamp(min=0)`."
        )
    if not bool((values > 0).any()):
        raise BadInputError("Groups need activations, but all of them are zero; give another image or layer.")
    return values.permute(0, 2, 3, 1).reshape(-1, values.shape[1]).contiguous()


def _sorted(activations: Tensor, rows: Tensor, weights: Tensor, parts: Tensor) -> tuple[Tensor, Tensor, float]:
    """Sort and normalize the groups; return their maps, directions and error."""
    lengths = parts.norm(dim=1)
    order = torch.sort(weights.sum(0) * parts.sum(1), descending=True, stable=True).indices
    directions = parts / lengths.clamp(min=torch.finfo(parts.dtype).tiny)[:, None]
    images, _, height, width = activations.shape
    maps = (weights * lengths)[:, order].reshape(images, height, width, -1).permute(0, 3, 1, 2).contiguous()
    return maps, directions[order], float((rows - weights @ parts).norm() / rows.norm())
