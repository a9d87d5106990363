"""UMAP by umap-learn, with the same bytes for the same numbers."""

from __future__ import annotations

import warnings

import numpy as np


def umap_places(rows: np.ndarray, neighbours: int, min_dist: float, seed: int) -> np.ndarray:
    """Lay vectors out by UMAP."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of compilers and coming versions; what is asked of it is checked before
        from umap import UMAP  # an extra, which also says what it could do with another library

        search = UMAP(n_neighbors=neighbours, min_dist=min_dist, init="pca", random_state=seed, n_jobs=1)
        found = search.fit_transform(rows.astype(np.float32))
    return np.asarray(found, dtype=np.float64)
