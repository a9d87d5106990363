from __future__ import annotations

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from lucidtorch.scanning.unit_stats import Histograms

IMAGES, UNITS, PLACES = 6, 2, 4
ANY_VALUES = arrays(np.float32, (IMAGES, UNITS, PLACES), elements=st.floats(-(2.0**120), 2.0**120, width=32))


def histograms_of(values: np.ndarray, order: list[int], bins: int) -> Histograms:
    """Count images one by one in an order."""
    found = Histograms.empty(values.shape[1], bins)
    for count, image in enumerate(order, 1):
        seen = values[order[:count]]
        found.widen(seen.min((0, 2)), seen.max((0, 2)))
        found.count(torch.from_numpy(values[image : image + 1]))
    return found


@given(values=ANY_VALUES, bins=st.integers(4, 40), order=st.permutations(range(IMAGES)))
def test_they_count_every_value_once_and_depend_on_no_order(values, bins, order):
    first, other = (histograms_of(values, own, bins) for own in (list(range(IMAGES)), order))
    for unit in range(UNITS):
        edges = first.edges(unit)
        assert len(edges) == bins + 1
        assert np.array_equal(first.counts[unit], np.histogram(values[:, unit].astype(np.float64), edges)[0])
        assert first.counts[unit].sum() == IMAGES * PLACES
        assert first.counts[unit, 0] > 0
        assert np.array_equal(first.counts[unit], other.counts[unit])
        assert np.array_equal(edges, other.edges(unit))


@given(low=st.floats(-1000, 1000, width=32), span=st.floats(2**-10, 1000, width=32), bins=st.integers(4, 300))
def test_the_bins_are_as_narrow_as_they_can_be(low, span, bins):
    ends = np.array([low, low + span], dtype=np.float32)
    found = Histograms.empty(1, bins)
    found.widen(ends[:1], ends[1:])
    edges = found.edges(0)
    width = edges[1] - edges[0]
    assert np.log2(width) == round(np.log2(width))
    assert edges[0] <= ends[0] < edges[1]
    assert ends[1] < edges[-1]
    half = width / 2  # half as wide, they would not reach
    assert np.floor(float(ends[1]) / half) - np.floor(float(ends[0]) / half) >= bins
