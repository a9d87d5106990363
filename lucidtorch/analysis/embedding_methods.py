"""Maps of vectors by scikit-learn and scipy, with the same bytes for the same numbers."""

from __future__ import annotations

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from sklearn.decomposition import PCA
from sklearn.manifold import TSNE
from sklearn.manifold import trustworthiness as sklearn_trustworthiness
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

LEAST_ITERATIONS = 250  # the first of which hold groups together
START_SPREAD = 1e-4  # of the places that the search starts from, in the first direction


def components(rows: np.ndarray, dimensions: int, seed: int, threads: int) -> tuple[np.ndarray, float]:
    """Bring vectors to their principal components."""
    search = PCA(dimensions, random_state=seed)
    with threadpool_limits(threads):
        found = search.fit_transform(rows)
    return np.ascontiguousarray(found), float(search.explained_variance_ratio_.sum())


def tsne_places(
    rows: np.ndarray, perplexity: float, iterations: int, seed: int, threads: int
) -> tuple[np.ndarray, float]:
    """Lay vectors out by t-SNE."""
    start = (rows[:, :2] / rows[:, 0].std() * START_SPREAD).astype(np.float32)
    search = TSNE(
        perplexity=perplexity, max_iter=iterations, init=start, learning_rate="auto", random_state=seed, n_jobs=threads
    )
    with threadpool_limits(threads):
        found = search.fit_transform(rows)
    return found.astype(np.float64), float(search.kl_divergence_)


def trust(rows: np.ndarray, places: np.ndarray, neighbours: int) -> float:
    """Measure how far neighbours on a map are neighbours among the vectors."""
    return float(sklearn_trustworthiness(rows, places, n_neighbors=neighbours))


def nearest(rows: np.ndarray, neighbours: int) -> np.ndarray:
    """Find the nearest others of each vector."""
    found: np.ndarray = NearestNeighbors(n_neighbors=neighbours).fit(rows).kneighbors(return_distance=False)
    return found


def assigned(places: np.ndarray, cells: np.ndarray) -> np.ndarray:
    """Give each place a cell of its own, with the least sum of squared distances."""
    _, found = linear_sum_assignment(cdist(places, cells, "sqeuclidean"))
    return np.asarray(found)
