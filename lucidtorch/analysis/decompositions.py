"""Decompositions and maps of vectors by scikit-learn, scipy and umap-learn: the same bytes for the same numbers."""

from __future__ import annotations

import warnings

import numpy as np
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist
from sklearn.decomposition import NMF, PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.manifold import TSNE
from sklearn.manifold import trustworthiness as sklearn_trustworthiness
from sklearn.neighbors import NearestNeighbors
from threadpoolctl import threadpool_limits

NMF_START = "nndsvda"
LEAST_ITERATIONS = 250  # of t-SNE, the first of which hold groups together
START_SPREAD = 1e-4  # of the places that t-SNE starts from, in the first direction


def factorize(
    rows: np.ndarray, parts: int, seed: int, max_iter: int, threads: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Write a matrix as the product of two without negative numbers."""
    # Convergence is measured from the start, and for a single part NMF_START is the end already, up to rounding.
    start = NMF_START if parts > 1 else "random"
    search = NMF(parts, init=start, random_state=seed, max_iter=max_iter)
    with threadpool_limits(threads), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        weights = search.fit_transform(rows)
    return weights, search.components_, int(search.n_iter_)


def components(rows: np.ndarray, dimensions: int, seed: int, threads: int) -> tuple[np.ndarray, float]:
    """Bring vectors to their principal components; also give the share of the variance that these hold."""
    search = PCA(dimensions, random_state=seed)
    with threadpool_limits(threads):
        found = search.fit_transform(rows)
    return np.ascontiguousarray(found), float(search.explained_variance_ratio_.sum())


def tsne_places(
    rows: np.ndarray, perplexity: float, iterations: int, seed: int, threads: int
) -> tuple[np.ndarray, float]:
    """Lay vectors out by t-SNE; also give the KL divergence that is left."""
    start = (rows[:, :2] / rows[:, 0].std() * START_SPREAD).astype(np.float32)
    search = TSNE(
        perplexity=perplexity, max_iter=iterations, init=start, learning_rate="auto", random_state=seed, n_jobs=threads
    )
    with threadpool_limits(threads):
        found = search.fit_transform(rows)
    return found.astype(np.float64), float(search.kl_divergence_)


def umap_places(rows: np.ndarray, neighbours: int, min_dist: float, seed: int) -> np.ndarray:
    """Lay vectors out by UMAP."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of compilers and coming versions; what is asked of it is checked before
        from umap import UMAP  # an extra, which also says what it could do with another library

        search = UMAP(n_neighbors=neighbours, min_dist=min_dist, init="pca", random_state=seed, n_jobs=1)
        found = search.fit_transform(rows.astype(np.float32))
    return np.asarray(found, dtype=np.float64)


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
