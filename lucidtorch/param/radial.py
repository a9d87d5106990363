"""The spectrum of an image as a curve: how strong frequencies are, by their length."""

from __future__ import annotations

import numpy as np

from lucidtorch.base.natural_images import HIGHEST, frequencies

NODES = 64  # of the curve; as many as a text still holds
PULL = 1e-3  # how much a node holds to the power law, against one measured frequency
DIGITS = 4  # of each number of the curve: it goes into texts


def radial_curve(magnitude: np.ndarray) -> np.ndarray:
    """Fit a curve of straight pieces to how strong frequencies are.

    Errors count by their share of the power law that fits the whole best. Where frequencies are few, below one cycle
    per picture above all, the curve follows that law.
    """
    side = magnitude.shape[1]
    lengths = frequencies((side, side)).numpy().ravel()[1:]
    measured = np.sqrt(np.square(magnitude).mean(0)).ravel()[1:]
    measured = np.maximum(measured, measured.max() * 1e-9)
    nodes = np.linspace(0, HIGHEST, NODES)
    law = _power_law(lengths, measured, nodes)
    expected = np.interp(lengths, nodes, law)
    shares = np.stack([np.interp(lengths, nodes, one) for one in np.diag(law)], 1) / expected[:, None]
    rows = np.concatenate([shares, PULL * np.eye(NODES)])
    wanted = np.concatenate([measured / expected, PULL * np.ones(NODES)])
    curve = law * np.linalg.lstsq(rows, wanted, rcond=None)[0]
    curve = np.maximum(curve, curve.max() * 10.0**-DIGITS)
    return np.array([float(f"{one:.{DIGITS}g}") for one in curve / curve.max()])


def _power_law(lengths: np.ndarray, measured: np.ndarray, nodes: np.ndarray) -> np.ndarray:
    """The power law that fits best, at the nodes; at 0, so that the line to the next node has it in its middle."""
    slope, height = np.polyfit(np.log(lengths), np.log(measured), 1)
    law: np.ndarray = np.exp(height) * np.maximum(nodes, nodes[1] / 2) ** slope
    law[0] = max(2 * law[0] - law[1], law[1])
    return law
