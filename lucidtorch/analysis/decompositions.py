"""Decompositions and embeddings by scikit-learn and umap-learn, deterministic to the byte."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.decomposition import NMF, PCA
from sklearn.exceptions import ConvergenceWarning
from sklearn.manifold import TSNE
from threadpoolctl import threadpool_limits

NMF_START = "nndsvda"
START_SPREAD = 1e-4  # standard deviation of the initial places of t-SNE in the first direction


def factorize(
    rows: np.ndarray, parts: int, seed: int, max_iter: int, threads: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Factorize a matrix into two non-negative ones."""
    # Convergence is relative to the initial error, and for a single part NMF_START is the solution, up to rounding.
    start = NMF_START if parts > 1 else "random"
    estimator = NMF(parts, init=start, random_state=seed, max_iter=max_iter)
    with threadpool_limits(threads), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        weights = estimator.fit_transform(rows)
    return weights, estimator.components_, int(estimator.n_iter_)


def components(rows: np.ndarray, dimensions: int, seed: int, threads: int) -> tuple[np.ndarray, float]:
    """Compute the principal components of vectors, and their share of the variance."""
    estimator = PCA(dimensions, random_state=seed)
    with threadpool_limits(threads):
        found = estimator.fit_transform(rows)
    return np.ascontiguousarray(found), float(estimator.explained_variance_ratio_.sum())


def tsne_places(
    rows: np.ndarray, perplexity: float, iterations: int, seed: int, threads: int
) -> tuple[np.ndarray, float]:
    """Embed vectors by t-SNE; also return the KL divergence."""
    start = (rows[:, :2] / rows[:, 0].std() * START_SPREAD).astype(np.float32)
    estimator = TSNE(
        perplexity=perplexity, max_iter=iterations, init=start, learning_rate="auto", random_state=seed, n_jobs=threads
    )
    with threadpool_limits(threads):
        found = estimator.fit_transform(rows)
    return found.astype(np.float64), float(estimator.kl_divergence_)


def umap_places(rows: np.ndarray, neighbours: int, min_dist: float, seed: int) -> np.ndarray:
    """Embed vectors by UMAP."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of compilers and deprecations; the arguments are checked before
        from umap import UMAP  # an optional dependency, which warns about further ones

        estimator = UMAP(n_neighbors=neighbours, min_dist=min_dist, init="pca", random_state=seed, n_jobs=1)
        found = estimator.fit_transform(rows.astype(np.float32))
    return np.asarray(found, dtype=np.float64)
