"""The digits of scikit-learn as numbers; loaded when asked for, since scikit-learn takes seconds to load."""

from __future__ import annotations

import numpy as np
from sklearn.datasets import load_digits

BRIGHTEST = 16.0  # the largest value in scikit-learn's images


def digit_arrays() -> tuple[np.ndarray, np.ndarray]:
    """Give all digits.

    Returns:
        Images `[1797, 8, 8]` in [0, 1], float32, and the digit of each, `[1797]`.
    """
    known = load_digits()
    return (known.images / BRIGHTEST).astype(np.float32), known.target
