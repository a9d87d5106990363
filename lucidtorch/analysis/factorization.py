"""Non-negative matrix factorization by scikit-learn, with the same bytes for the same numbers."""

from __future__ import annotations

import warnings

import numpy as np
from sklearn.decomposition import NMF
from sklearn.exceptions import ConvergenceWarning
from threadpoolctl import threadpool_limits

START = "nndsvda"


def factorize(
    rows: np.ndarray, parts: int, seed: int, max_iter: int, threads: int
) -> tuple[np.ndarray, np.ndarray, int]:
    """Write a matrix as the product of two without negative numbers."""
    # Convergence is measured from the start, and for a single part START is the end already, up to rounding.
    start = START if parts > 1 else "random"
    search = NMF(parts, init=start, random_state=seed, max_iter=max_iter)
    with threadpool_limits(threads), warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)
        weights = search.fit_transform(rows)
    return weights, search.components_, int(search.n_iter_)
