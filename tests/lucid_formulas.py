"""Lucid's objectives in Lucid's own layout, `[N, H, W, C]`: x is the row, and the batch is reduced with the rest."""

from __future__ import annotations

import math

import numpy as np


def neuron(a: np.ndarray, index: int, x: int | None = None, y: int | None = None) -> float:
    row = a.shape[1] // 2 if x is None else x
    column = a.shape[2] // 2 if y is None else y
    return float(np.mean(a[:, row, column, index]))


def channel(a: np.ndarray, index: int, batch: int | None = None) -> float:
    return float(np.mean((a if batch is None else a[batch : batch + 1])[..., index]))


def weighted(a: np.ndarray, weights: np.ndarray) -> float:
    """lucent's three: of all positions, of one, and of a window, whichever was cut out."""
    return float(np.mean(a * weights))


def dot_cossim(a: np.ndarray, v: np.ndarray, power: float) -> float:
    dot = np.sum(a * v, axis=-1)
    if power == 0:
        return float(np.mean(dot))
    lengths = [np.sqrt(np.sum(one**2, axis=-1)) for one in (a, v)]
    cosine = dot / (1e-4 + lengths[0]) / (1e-4 + lengths[1])
    return float(np.mean(dot * np.maximum(0.1, cosine) ** power))


def direction_neuron(a: np.ndarray, v: np.ndarray, x: int | None, y: int | None, power: float) -> float:
    row = a.shape[1] // 2 if x is None else x
    column = a.shape[2] // 2 if y is None else y
    return dot_cossim(a[:, row, column], v, power)


def tensor_direction(a: np.ndarray, v: np.ndarray, power: float) -> float:
    """The larger of the two, along each side, is cut down to its middle."""
    v = v[None] if v.ndim == 3 else v
    for axis in (1, 2):
        size = min(a.shape[axis], v.shape[axis])
        a, v = (np.take(one, np.arange(size) + (one.shape[axis] - size) // 2, axis) for one in (a, v))
    return dot_cossim(a, v, power)


def whitened_neuron(a: np.ndarray, v: np.ndarray, s: np.ndarray, x: int, y: int, power: float) -> list[float]:
    """`direction_neuron_S` for the power 0, `direction_neuron_cossim_S` for others; one image at a time."""
    found = []
    for here in a[:, x, y]:
        dot = float(np.mean(here * (v[None] @ s)[0]))
        cosine = max(0.1, dot / (1e-4 + math.sqrt(float(np.sum(here**2)))))
        found.append(dot if power == 0 else dot * cosine**power)
    return found


def deepdream(a: np.ndarray) -> float:
    return float(np.mean(a**2))


def total_variation(a: np.ndarray) -> np.ndarray:
    """Of each image."""
    down, across = a[:, 1:] - a[:, :-1], a[:, :, 1:] - a[:, :, :-1]
    return np.sum(np.abs(down), axis=(1, 2, 3)) + np.sum(np.abs(across), axis=(1, 2, 3))


def l1(a: np.ndarray, constant: float) -> float:
    return float(np.sum(np.abs(a - constant)))


def l2(a: np.ndarray, constant: float, epsilon: float = 1e-6) -> float:
    return math.sqrt(epsilon + float(np.sum((a - constant) ** 2)))


def blur(a: np.ndarray, width: int) -> np.ndarray:
    """A kernel of 0.5, and of 1 inside its rim, over what it makes of ones."""
    kernel = np.full((width, width), 0.5)
    kernel[1:-1, 1:-1] = 1
    return _convolved(a, kernel) / _convolved(np.ones_like(a), kernel)


def _convolved(a: np.ndarray, kernel: np.ndarray) -> np.ndarray:
    reach = len(kernel) // 2
    padded = np.pad(a, ((0, 0), (reach, reach), (reach, reach), (0, 0)))
    rows, columns = a.shape[1:3]
    shifts = [(i, j) for i in range(len(kernel)) for j in range(len(kernel))]
    return np.sum([kernel[i, j] * padded[:, i : i + rows, j : j + columns] for i, j in shifts], axis=0)


def blur_input_each_step(a: np.ndarray) -> float:
    return 0.5 * float(np.sum((a - blur(a, 3)) ** 2))


def blur_alpha_each_step(a: np.ndarray) -> float:
    return blur_input_each_step(a[..., 3:])


def channel_interpolate(first: np.ndarray, index: int, second: np.ndarray, other: int) -> float:
    count = len(first)
    shares = [place / (count - 1) for place in range(count)]
    pairs = [(np.mean(first[n, ..., index]), np.mean(second[n, ..., other])) for n in range(count)]
    return float(sum((1 - share) * a + share * b for share, (a, b) in zip(shares, pairs, strict=True)))


def penalize_boundary_complexity(a: np.ndarray, width: int, constant: float) -> float:
    mask = np.ones(a.shape[:3])[..., None]
    mask[:, width:-width, width:-width] = 0
    return -float(np.sum(mask * ((blur(a, 5) - a) ** 2 + 0.8 * (a - constant) ** 2)))


def alignment(a: np.ndarray, decay_ratio: float) -> float:
    found = 0.0
    for apart in (1, 2, 3, 4):
        for i in range(len(a) - apart):
            found -= float(np.mean((a[i] - a[i + apart]) ** 2)) / decay_ratio**apart
    return found


def diversity(a: np.ndarray) -> float:
    flat = a.reshape(len(a), -1, a.shape[-1])
    grams = [one.T @ one for one in flat]
    grams = [gram / math.sqrt(max(float(np.sum(gram**2)), 1e-10)) for gram in grams]
    places = range(len(a))
    return sum(float(np.sum(grams[i] * grams[j])) for i in places for j in places if i != j) / len(a)


def input_diff(a: np.ndarray, original: np.ndarray) -> float:
    return math.sqrt(float(np.mean((a - original) ** 2)))


def class_logit(scores: np.ndarray, label: int) -> float:
    return float(np.sum(scores[:, label]))


def dot_compare(a: np.ndarray, image: np.ndarray, power: float) -> list[float]:
    """Of each render with the activations of one image."""
    found = []
    for render in a:
        dot = float(np.sum(render * image))
        likeness = max(0.1, dot / (1e-6 + math.sqrt(float(np.sum(image**2)))))
        found.append(dot * likeness**power)
    return found


def style(a: np.ndarray, image: np.ndarray, distance: str) -> list[float]:
    """Of each render: the mean distance of the Gram matrices, or its root mean square."""

    def gram(one: np.ndarray) -> np.ndarray:
        flat = one.reshape(-1, one.shape[-1])
        return flat.T @ flat / len(flat)

    gaps = [gram(render) - gram(image) for render in a]
    if distance == "mean_L1":
        return [float(np.mean(np.abs(gap))) for gap in gaps]
    return [math.sqrt(float(np.mean(gap**2))) for gap in gaps]


def activation_difference(a: np.ndarray, image: np.ndarray) -> float:
    return float(np.mean(np.abs(a - image)))
