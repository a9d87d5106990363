"""The digits of scikit-learn as numbers; loaded when asked for, since scikit-learn takes seconds to load."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

BRIGHTEST = 16.0  # the largest value in scikit-learn's images


def digit_arrays() -> tuple[np.ndarray, np.ndarray]:
    """Give all digits."""
    known = load_digits()
    return (known.images / BRIGHTEST).astype(np.float32), known.target
