"""Embeddings of vectors in the plane, and their reliability."""

from __future__ import annotations

import importlib.util
import math
from dataclasses import dataclass
from typing import Annotated, TypeAlias

import torch
from torch import Tensor

from lucidtorch.base.checks import Rows, Share, Threads, Within, checked
from lucidtorch.base.errors import BadInputError

FEWEST = 4  # vectors: perplexity 1 needs 3 neighbours
PER_PERPLEXITY = 3  # neighbours per unit of perplexity, as in the reference implementation
PLANE = 2
ROUNDING = 1e-6  # relative to the largest number: smaller differences are rounding errors
LARGEST_SEED = 2**32 - 1  # of numpy's generators
NumpySeed: TypeAlias = Annotated[int, Within(0, LARGEST_SEED)]
Dimensions: TypeAlias = Annotated[int, Within(PLANE)]


@dataclass(frozen=True, eq=False)
class Embedding:
    """An embedding of vectors in the plane.

    Args:
        places: `[N, 2]`, float64: x and y of each vector, in arbitrary units and directions.
        dimensions: The number of principal components to which the vectors were reduced first.
        kept: The share of the vectors' variance in these components, 0 to 1.
        loss: The KL divergence that t-SNE minimized; None for other methods.
    """

    places: Tensor
    dimensions: int
    kept: float
    loss: float | None = None


def largest_perplexity(count: int) -> float:
    """Return the largest perplexity for a number of vectors: a third of the number of neighbours."""
    return (count - 1) / PER_PERPLEXITY


@checked
def pca(vectors: Rows, *, seed: NumpySeed = 0, threads: Threads = 1) -> Embedding:
    """Embed vectors by their first two principal components, in the units of the vectors.

    Args:
        vectors: `[N, D]`, at least 4 that are not all equal, and D at least 2.
        seed: The seed of the randomized solver for large data, from 0 to 2**32 - 1.
        threads: The number of threads.
    """
    rows, share = _principal(vectors, PLANE, seed, threads)
    return Embedding(rows, PLANE, share)


@checked
def tsne(
    vectors: Rows,
    *,
    perplexity: float = 30.0,
    iterations: Annotated[int, Within(250, 1_000_000)] = 1000,
    dimensions: Dimensions = 50,
    seed: NumpySeed = 0,
    threads: Threads = 1,
) -> Embedding:
    """Embed vectors by t-SNE: neighbours stay neighbours, but distances between groups are meaningless.

    Computed by scikit-learn (Barnes-Hut, initialized by the first two principal components) on the principal
    components of the vectors. The same input, seed and threads return the same bytes.

    Formula: minimize KL(P || Q) over the places, with P the similarities of the vectors under Gaussians whose widths
        yield the perplexity, and Q those of the places under Student's t distribution.
    Source: van der Maaten & Hinton, "Visualizing Data using t-SNE", 2008; Kobak & Berens 2019 for the initialization.

    Args:
        vectors: `[N, D]`, at least 4 that are not all equal, and D at least 2.
        perplexity: The effective number of neighbours, from 1 to (N - 1) / 3.
        iterations: The number of iterations, from 250.
        dimensions: The number of principal components to which the vectors are reduced first, at most D.
        seed: From 0 to 2**32 - 1.
        threads: The number of threads.
    """
    from lucidtorch.analysis.decompositions import tsne_places

    rows, share = _principal(vectors, dimensions, seed, threads)
    limit = largest_perplexity(len(rows))
    if not 1 <= perplexity <= limit:
        raise BadInputError(
            f"With {len(rows)} vectors the perplexity is from 1 to {limit:.4g}, but it is {perplexity}."
        )
    places, loss = tsne_places(rows.numpy(), perplexity, iterations, seed, threads)
    return Embedding(torch.from_numpy(places), rows.shape[1], share, loss)


@checked
def umap(
    vectors: Rows,
    *,
    neighbours: int = 15,
    min_dist: Share = 0.1,
    dimensions: Dimensions = 50,
    seed: NumpySeed = 0,
    threads: Threads = 1,
) -> Embedding:
    """Embed vectors by UMAP: like t-SNE, with more of the global structure.

    Computed by umap-learn on the principal components of the vectors, in one thread, so that the same input and seed
    return the same bytes.

    Source: McInnes, Healy & Melville, "UMAP: Uniform Manifold Approximation and Projection", 2018.

    Args:
        vectors: `[N, D]`, at least 4 that are not all equal, and D at least 2.
        neighbours: The number of nearest neighbours, each vector itself included, from 2 to N - 1.
        min_dist: The smallest distance of places, from 0 to 1: low for dense clusters, high for a uniform spread.
        dimensions: The number of principal components to which the vectors are reduced first, at most D.
        seed: From 0 to 2**32 - 1.
        threads: The number of threads for the principal components.

    Raises:
        BadInputError: umap-learn is not installed.
    """
    check_umap()
    from lucidtorch.analysis.decompositions import umap_places

    rows, share = _principal(vectors, dimensions, seed, threads)
    if not PLANE <= neighbours < len(rows):
        raise BadInputError(f"neighbours is a whole number from 2 to {len(rows) - 1}, but {neighbours} was given.")
    places = umap_places(rows.numpy(), neighbours, min_dist, seed)
    return Embedding(torch.from_numpy(places), rows.shape[1], share)


def check_umap() -> None:
    """Raise an error unless umap-learn is installed."""
    if importlib.util.find_spec("umap") is None:
        raise BadInputError("UMAP needs umap-learn, which is not installed: pip install 'lucidtorch[umap]'")


@checked
def trustworthiness(vectors: Rows, places: Rows, neighbours: int = 10) -> float:
    """Compute the trustworthiness of an embedding: whether neighbours in it are neighbours among the vectors too.

    Formula: 1 - 2 / (N k (2N - 3k - 1)) · Σ_i Σ_j max(0, rank(i, j) - k), over the k neighbours j of each i on the
        map, with rank(i, j) the place of j among the vectors nearest to i.
    Source: Venna & Kaski, "Neighborhood preservation in nonlinear projection methods", 2001.

    Args:
        vectors: `[N, D]`.
        places: `[N, 2]`: the map.
        neighbours: The number of neighbours, from 1 to less than N / 2.

    Returns:
        1 if every neighbour in the embedding is one, 0 at worst, about 0.5 for random places.
    """
    from sklearn import manifold  # slow to import

    rows = _checked(vectors)
    if len(places) != len(rows):
        raise BadInputError(f"There are {len(rows)} vectors and {len(places)} places; give a place for each.")
    if not 1 <= neighbours < len(rows) / 2:
        raise BadInputError(f"neighbours is from 1 to less than {len(rows) / 2:g}, but {neighbours} was given.")
    return float(manifold.trustworthiness(rows.numpy(), places.double().numpy(), n_neighbors=neighbours))


@checked
def neighbour_purity(vectors: Rows, labels: Tensor, neighbours: int = 10) -> float:
    """Compute how well classes are separated: the mean share of nearest neighbours of the same class.

    Args:
        vectors: `[N, D]`: vectors or places.
        labels: `[N]`: the class of each.
        neighbours: The number of neighbours, from 1 to N - 1.
    """
    from sklearn.neighbors import NearestNeighbors  # slow to import

    rows = vectors.detach().cpu().double()
    if labels.shape != rows.shape[:1]:
        raise BadInputError(f"There are {len(rows)} vectors and labels {list(labels.shape)}; give one for each.")
    if not 1 <= neighbours < len(rows):
        raise BadInputError(f"neighbours is a whole number from 1 to {len(rows) - 1}, but {neighbours} was given.")
    nearest = NearestNeighbors(n_neighbors=neighbours).fit(rows.numpy()).kneighbors(return_distance=False)
    found = torch.from_numpy(nearest)
    return float((labels[found] == labels[:, None]).double().mean())


@checked
def on_grid(places: Rows, columns: Annotated[int, Within(1, 65536)]) -> Tensor:
    """Assign the places of an embedding to the cells of a grid, at most one per cell, over short distances.

    Formula: the assignment of places to cells with the smallest sum of squared distances, both scaled to the unit
        square.

    Args:
        places: `[N, 2]`: x and y, y downwards.
        columns: The number of cells per row, from 1; the number of rows follows.

    Returns:
        `[N, 2]`, whole numbers: the column and the row of each.
    """
    from scipy.optimize import linear_sum_assignment  # slow to import
    from scipy.spatial.distance import cdist

    rows = math.ceil(len(places) / columns)
    cells = torch.cartesian_prod(torch.arange(rows), torch.arange(columns)).flip(1)
    centres = (cells.double() + 0.5) / torch.tensor([columns, rows])
    _, nearest = linear_sum_assignment(cdist(unit_square(places).numpy(), centres.numpy(), "sqeuclidean"))
    return cells[torch.from_numpy(nearest)]


def unit_square(places: Tensor) -> Tensor:
    """Scale places to fill the unit square."""
    values = places.double()
    low, high = values.min(0).values, values.max(0).values
    spread = high - low
    return torch.where(spread > 0, (values - low) / spread.clamp(min=torch.finfo(torch.float64).tiny), 0.5)


def _principal(vectors: Tensor, dimensions: int, seed: int, threads: int) -> tuple[Tensor, float]:
    """Reduce vectors to principal components; also return their share of the variance."""
    from lucidtorch.analysis.decompositions import components

    rows = _checked(vectors)
    found, share = components(rows.numpy(), min(dimensions, *rows.shape), seed, threads)
    return torch.from_numpy(found), min(1.0, share)


def _checked(vectors: Tensor) -> Tensor:
    if len(vectors) < FEWEST or vectors.shape[1] < PLANE:
        raise BadInputError(
            f"An embedding needs vectors [N, D], at least {FEWEST} of at least {PLANE} numbers, but "
            f"{list(vectors.shape)} was given."
        )
    rows = vectors.detach().cpu().double()
    if float((rows - rows[0]).abs().max()) <= ROUNDING * float(rows.abs().max()):
        raise BadInputError("All vectors are the same, so there is nothing to embed.")
    return rows
