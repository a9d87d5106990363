"""Constraints by their naive formulas: loops over images and pixels in float64, blurs by scipy."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import numpy as np
from scipy.ndimage import gaussian_filter

Oracle = Callable[..., np.ndarray]


def decayed(rate: float) -> Oracle:
    """Each number goes a share of its way to the zero colour."""

    def by_hand(images: np.ndarray, zero: np.ndarray, *_: object) -> np.ndarray:
        found = images.copy()
        for place in np.ndindex(images.shape):
            found[place] = zero[place[1]] + (1 - rate) * (images[place] - zero[place[1]])
        return found

    return by_hand


def blurred(sigma: float, every: int) -> Oracle:
    """Each channel, and each frame, through scipy's filter, after the steps 1, 1 + every, ..."""

    def by_hand(images: np.ndarray, zero: np.ndarray, gradient: np.ndarray, step: int) -> np.ndarray:
        found = images.copy()
        if step in range(1, step + 1, every):
            for place in np.ndindex(images.shape[:-2]):
                found[place] = gaussian_filter(images[place], sigma)
        return found

    return by_hand


def cleared(percentile: float, *, by_gradient: bool = False) -> Oracle:
    """Pixels below a percentile of their importance become the zero colour."""

    def by_hand(images: np.ndarray, zero: np.ndarray, gradient: np.ndarray, step: int) -> np.ndarray:
        found = images.copy()
        for number, image in enumerate(images):
            importance = np.zeros(image.shape[1:])
            for place in np.ndindex(importance.shape):
                offset = image[(slice(None), *place)] - zero
                slope = gradient[(number, slice(None), *place)]
                importance[place] = abs(np.dot(slope, -offset)) if by_gradient else math.hypot(*offset)
            border = np.percentile(importance, percentile)
            for place in np.ndindex(importance.shape):
                if importance[place] < border:
                    found[(number, slice(None), *place)] = zero
        return found

    return by_hand


def in_sphere(radius: float, centres: np.ndarray | None = None) -> Oracle:
    """The whole image moves towards its centre until it is near enough."""

    def by_hand(images: np.ndarray, zero: np.ndarray | None, *_: object) -> np.ndarray:
        found = images.copy()
        for number, (image, centre) in enumerate(zip(images, _centres(images, zero, centres), strict=True)):
            distance = math.sqrt(sum((image[place] - centre[place]) ** 2 for place in np.ndindex(image.shape)))
            if distance > radius:
                found[number] = centre + (image - centre) * radius / distance
        return found

    return by_hand


def in_cube(radius: float, centres: np.ndarray | None = None) -> Oracle:
    """No number is further from its centre than the radius."""

    def by_hand(images: np.ndarray, zero: np.ndarray | None, *_: object) -> np.ndarray:
        found = images.copy()
        for number, centre in enumerate(_centres(images, zero, centres)):
            for place in itertools.product(*map(range, centre.shape)):
                value, middle = images[number][place], centre[place]
                found[number][place] = min(max(value, middle - radius), middle + radius)
        return found.clip(0, 1)

    return by_hand


def _centres(images: np.ndarray, zero: np.ndarray | None, centres: np.ndarray | None) -> np.ndarray:
    if centres is not None:
        return centres
    shape = (1, -1, *(1 for _ in images.shape[2:]))
    return np.broadcast_to(np.asarray(zero).reshape(shape), images.shape)
