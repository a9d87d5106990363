"""Maps of vectors: a place in the plane for each, so that what is alike stands together; and how far that is true."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass
from typing import Annotated

import torch
from torch import Tensor

from lucidtorch.base.checks import Iterations, Rows, Threads, Within, checked
from lucidtorch.base.errors import BadInputError

LARGEST_SEED = 2**32 - 1  # of numpy's generators
FEWEST = 4  # vectors, with which perplexity 1 has the 3 neighbours that it looks at
LOOKED_AT = 3  # neighbours per unit of perplexity, as in the authors' programs
PLANE = 2
ROUNDING = 1e-6  # of the largest number: what differs by less is the same


@dataclass(frozen=True, eq=False)
class Embedding:
    """A map of vectors.

    Args:
        places: `[N, 2]`, float64: where each vector stands, x and y. The unit and the directions mean nothing.
        dimensions: How many principal components the vectors were brought to first.
        kept: Which share of the vectors' variance these hold, 0 to 1.
        loss: What the search for the places made as small as it could, for t-SNE; None of other methods.
    """

    places: Tensor
    dimensions: int
    kept: float
    loss: float | None = None


def largest_perplexity(count: int) -> float:
    """Say how large the perplexity of some vectors can be: a third of the neighbours that each has."""
    return (count - 1) / LOOKED_AT


@checked
def pca(vectors: Rows, *, seed: int = 0, threads: Threads = 1) -> Embedding:
    """Lay vectors out by their two principal components: the flat shadow in which they differ most.

    Args:
        vectors: `[N, D]`, at least 4 that are not all the same, and D at least 2.
        seed: Of the search for the components of very many numbers, from 0 to 2**32 - 1.
        threads: How many threads compute.

    Returns:
        The map; the places are in the unit of the vectors.

    Raises:
        BadInputError: The vectors do not fit.
    """
    rows, share = _principal(vectors, PLANE, seed, threads)
    return Embedding(rows, PLANE, share)


@checked
def tsne(
    vectors: Rows,
    *,
    perplexity: float = 30.0,
    iterations: Iterations = 1000,
    dimensions: int = 50,
    seed: int = 0,
    threads: Threads = 1,
) -> Embedding:
    """Lay vectors out by t-SNE: neighbours stay neighbours, while distances between groups mean nothing.

    Computed by scikit-learn (Barnes-Hut, started from the first two principal components) on the vectors' principal
    components. The same numbers, seed and threads give the same bytes.

    Formula: minimize KL(P || Q) over the places, with P the similarities of the vectors, each under a Gaussian as wide
        as gives it the perplexity, and Q those of the places under Student's t distribution.
    Source: van der Maaten & Hinton, "Visualizing Data using t-SNE", 2008; Kobak & Berens 2019 for the start.

    Args:
        vectors: `[N, D]`, at least 4 that are not all the same, and D at least 2.
        perplexity: About how many neighbours count, from 1 to (N - 1) / 3.
        iterations: How many steps the search takes, from 250.
        dimensions: How many principal components the vectors are brought to first; all where they have no more.
        seed: From 0 to 2**32 - 1.
        threads: How many threads compute.

    Returns:
        The map.

    Raises:
        BadInputError: The vectors or a number do not fit.
    """
    from lucidtorch.analysis.decompositions import LEAST_ITERATIONS, tsne_places

    rows, share = _principal(vectors, dimensions, seed, threads)
    limit = largest_perplexity(len(rows))
    if not 1 <= perplexity <= limit:
        raise BadInputError(
            f"With {len(rows)} vectors the perplexity is from 1 to {limit:.4g}, but it is {perplexity}."
        )
    if iterations < LEAST_ITERATIONS:
        raise BadInputError(f"iterations is a whole number from {LEAST_ITERATIONS}, but {iterations} was given.")
    places, loss = tsne_places(rows.numpy(), perplexity, iterations, seed, threads)
    return Embedding(torch.from_numpy(places), rows.shape[1], share, loss)


@checked
def umap(
    vectors: Rows,
    *,
    neighbours: int = 15,
    min_dist: float = 0.1,
    dimensions: int = 50,
    seed: int = 0,
    threads: Threads = 1,
) -> Embedding:
    """Lay vectors out by UMAP: like t-SNE, with somewhat more of how groups stand to each other.

    Computed by umap-learn on the vectors' principal components, in one thread, so that the same numbers and seed give
    the same bytes.

    Source: McInnes, Healy & Melville, "UMAP: Uniform Manifold Approximation and Projection", 2018.

    Args:
        vectors: `[N, D]`, at least 4 that are not all the same, and D at least 2.
        neighbours: How many nearest vectors each is bound to, itself among them, from 2 to N - 1.
        min_dist: How close places may come, from 0 to 1: low for tight clumps, high for an even spread.
        dimensions: How many principal components the vectors are brought to first; all where they have no more.
        seed: From 0 to 2**32 - 1.
        threads: How many threads compute the principal components.

    Returns:
        The map.

    Raises:
        BadInputError: The vectors or a number do not fit, or umap-learn is not installed.
    """
    check_umap()
    from lucidtorch.analysis.decompositions import umap_places

    rows, share = _principal(vectors, dimensions, seed, threads)
    if not PLANE <= neighbours < len(rows):
        raise BadInputError(f"neighbours is a whole number from 2 to {len(rows) - 1}, but {neighbours} was given.")
    if not 0 <= min_dist <= 1:
        raise BadInputError(f"min_dist is from 0 to 1, but it is {min_dist}.")
    places = umap_places(rows.numpy(), neighbours, min_dist, seed)
    return Embedding(torch.from_numpy(places), rows.shape[1], share)


def check_umap() -> None:
    """Make sure that umap-learn is installed."""
    if importlib.util.find_spec("umap") is None:
        raise BadInputError("UMAP needs umap-learn, which is not installed: pip install 'lucidtorch[umap]'")


@checked
def trustworthiness(vectors: Rows, places: Rows, neighbours: int = 10) -> float:
    """Measure how far neighbours on a map can be believed: whether they are neighbours among the vectors too.

    Formula: 1 - 2 / (N k (2N - 3k - 1)) · Σ_i Σ_j max(0, rank(i, j) - k), over the k neighbours j of each i on the
        map, with rank(i, j) the place of j among the vectors nearest to i.
    Source: Venna & Kaski, "Neighborhood preservation in nonlinear projection methods", 2001.

    Args:
        vectors: `[N, D]`.
        places: `[N, 2]`: the map.
        neighbours: The k nearest that are looked at, from 1 to less than N / 2.

    Returns:
        1 where every neighbour on the map is one, 0 at worst, about 0.5 where the places say nothing.

    Raises:
        BadInputError: The vectors or the number do not fit.
    """
    from lucidtorch.analysis.decompositions import trust

    rows = _checked(vectors)
    if len(places) != len(rows):
        raise BadInputError(f"There are {len(rows)} vectors and {len(places)} places; give a place for each.")
    if not 1 <= neighbours < len(rows) / 2:
        raise BadInputError(f"neighbours is from 1 to less than {len(rows) / 2:g}, but {neighbours} was given.")
    return trust(rows.numpy(), places.double().numpy(), neighbours)


@checked
def neighbour_purity(vectors: Rows, labels: Tensor, neighbours: int = 10) -> float:
    """Measure how far classes stand apart: the share of the nearest neighbours that are of one's own class.

    Args:
        vectors: `[N, D]`: vectors or places.
        labels: `[N]`: the number of each one's class.
        neighbours: How many nearest are looked at, from 1 to N - 1.

    Returns:
        0 to 1, the mean over all.

    Raises:
        BadInputError: There is not one label for each vector, or the number does not fit.
    """
    from lucidtorch.analysis.decompositions import nearest

    rows = vectors.detach().cpu().double()
    if labels.shape != rows.shape[:1]:
        raise BadInputError(f"There are {len(rows)} vectors and labels {list(labels.shape)}; give one for each.")
    if not 1 <= neighbours < len(rows):
        raise BadInputError(f"neighbours is a whole number from 1 to {len(rows) - 1}, but {neighbours} was given.")
    found = torch.from_numpy(nearest(rows.numpy(), neighbours))
    return float((labels[found] == labels[:, None]).double().mean())


@checked
def on_grid(places: Rows, columns: Annotated[int, Within(1, 65536)]) -> Tensor:
    """Move the places of a map to the cells of a grid, each to one of its own, over the shortest ways in all.

    Formula: the assignment of places to cells with the least sum of squared distances, map and grid both brought to
        the unit square.

    Args:
        places: `[N, 2]`: x and y, y downwards.
        columns: How many cells are in a row, from 1; there are as many rows as it takes.

    Returns:
        `[N, 2]`, whole numbers: the column and the row of each.

    Raises:
        BadInputError: The number does not fit.
    """
    from lucidtorch.analysis.decompositions import assigned

    rows = math.ceil(len(places) / columns)
    cells = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).flip(1)
    centres = (cells.double() + 0.5) / torch.tensor([columns, rows])
    return cells[torch.from_numpy(assigned(unit_square(places).numpy(), centres.numpy()))]


def unit_square(places: Tensor) -> Tensor:
    """Stretch a map, so that it fills the square from 0 to 1."""
    values = places.double()
    low, high = values.min(0).values, values.max(0).values
    spread = high - low
    return torch.where(spread > 0, (values - low) / spread.clamp(min=torch.finfo(torch.float64).tiny), 0.5)


def _principal(vectors: Tensor, dimensions: int, seed: int, threads: int) -> tuple[Tensor, float]:
    """Bring vectors to their principal components, and say which share of their variance these hold."""
    from lucidtorch.analysis.decompositions import components

    rows = _checked(vectors)
    if dimensions < PLANE:
        raise BadInputError(f"dimensions is a whole number from {PLANE}, but {dimensions} was given.")
    if not 0 <= seed <= LARGEST_SEED:
        raise BadInputError(f"The seed is a whole number from 0 to {LARGEST_SEED}, but {seed} was given.")
    found, share = components(rows.numpy(), min(dimensions, *rows.shape), seed, threads)
    return torch.from_numpy(found), min(1.0, share)


def _checked(vectors: Tensor) -> Tensor:
    if len(vectors) < FEWEST or vectors.shape[1] < PLANE:
        raise BadInputError(
            f"A map needs vectors [N, D], at least {FEWEST} of at least {PLANE} numbers, but {list(vectors.shape)} was "
            "given."
        )
    rows = vectors.detach().cpu().double()
    if float((rows - rows[0]).abs().max()) <= ROUNDING * float(rows.abs().max()):
        raise BadInputError("All vectors are the same, so there is nothing to lay out.")
    return rows
