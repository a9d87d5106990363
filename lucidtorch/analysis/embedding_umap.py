"""UMAP by umap-learn, with the same bytes for the same numbers."""

from __future__ import annotations

import warnings

import numpy as np


def umap_places(rows: np.ndarray, neighbours: int, min_dist: float, seed: int) -> np.ndarray:
    """Lay vectors out by UMAP.

    Args:
        rows: `[N, D]`.
        neighbours: How many nearest each is bound to.
        min_dist: How close places may come.
        seed: Of the start and of the search.

    Returns:
        `[N, 2]`, float64.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of compilers and coming versions; what is asked of it is checked before
        from umap import UMAP  # an extra, which also says what it could do with another library

        search = UMAP(n_neighbors=neighbours, min_dist=min_dist, init="pca", random_state=seed, n_jobs=1)
        found = search.fit_transform(rows.astype(np.float32))
    return np.asarray(found, dtype=np.float64)
