"""Transforms written out naively: one matrix composed by hand, one pixel at a time, with numpy."""

from __future__ import annotations

import colorsys
import math
from collections.abc import Sequence

import numpy as np

from lucidtorch.transforms import (
    Pipeline,
    Transform,
    crop,
    crop_or_pad_to,
    flip,
    jitter,
    pad,
    perspective,
    random_crop,
    rotate,
    scale,
    shear,
)

Drawn = Sequence[Sequence[float]]


def shift(right: float, down: float) -> np.ndarray:
    return np.array([[1, 0, right], [0, 1, down], [0, 0, 1.0]])


def about(linear: np.ndarray, height: int, width: int) -> np.ndarray:
    x, y = (width - 1) / 2, (height - 1) / 2
    full = np.eye(3)
    full[:2, :2] = linear
    return shift(x, y) @ full @ shift(-x, -y)


def through_points(points: Sequence[tuple[float, float]], targets: Sequence[tuple[float, float]]) -> np.ndarray:
    """The projective matrix that moves four points to four others, by solving the eight equations."""
    rows, right = [], []
    for (x, y), (u, v) in zip(points, targets, strict=True):
        rows += [[x, y, 1, 0, 0, 0, -u * x, -u * y], [0, 0, 0, x, y, 1, -v * x, -v * y]]
        right += [u, v]
    return np.append(np.linalg.solve(np.array(rows), np.array(right)), 1.0).reshape(3, 3)


def tilted(drawn: Sequence[float], height: int, width: int) -> np.ndarray:
    x, y = width - 1, height - 1
    corners = [(0.0, 0.0), (x, 0.0), (x, y), (0.0, y)]
    inwards = [(1, 1), (-1, 1), (-1, -1), (1, -1)]
    moves = [(drawn[2 * corner] * x, drawn[2 * corner + 1] * y) for corner in range(4)]
    targets = [
        (a + i * right, b + j * down) for (a, b), (i, j), (right, down) in zip(corners, inwards, moves, strict=True)
    ]
    return through_points(corners, targets)


def matrix_of(step: Transform, drawn: Sequence[float], height: int, width: int) -> np.ndarray:
    """The matrix of one step from input to output pixels, from the step's own definition."""
    match step:
        case scale() | rotate() | shear():
            return about(linear_of(step, drawn[0]), height, width)
        case pad():
            return shift(step.pixels, step.pixels)
        case jitter():
            return shift(*drawn)
        case flip():
            sign = 1 - 2 * drawn[0]
            return about(np.diag([1.0, sign] if step.vertical else [sign, 1.0]), height, width)
        case crop():
            return shift(-(step.pixels // 2 + drawn[0]), -(step.pixels // 2 + drawn[1]))
        case crop_or_pad_to():
            return shift(int((step.width - width) / 2), int((step.height - height) / 2))  # toward 0
        case perspective():
            return tilted(drawn, height, width)
        case random_crop():
            return boxed(step, drawn, height, width)
    raise TypeError(f"{step!r} has no matrix")


def linear_of(step: Transform, drawn: float) -> np.ndarray:
    if isinstance(step, scale):
        return np.eye(2) * (1 + drawn)
    angle = math.radians(drawn)
    if isinstance(step, shear):
        return np.array([[1, -math.tan(angle)], [0, 1]])
    return np.array([[math.cos(angle), math.sin(angle)], [-math.sin(angle), math.cos(angle)]])  # rows point down


def boxed(step: random_crop, drawn: Sequence[float], height: int, width: int) -> np.ndarray:
    """Edges of the box go to edges of the canvas; pixel i reaches from i - 1/2 to i + 1/2."""
    rows, columns = step.output_size((height, width))
    side = (step.low + step.high) / 2 + drawn[2]
    left, above = (0.5 + drawn[0] - side / 2) * width - 0.5, (0.5 + drawn[1] - side / 2) * height - 0.5
    right, below = left + side * width, above + side * height
    return through_points(
        [(left, above), (right, above), (right, below), (left, below)],
        [(-0.5, -0.5), (columns - 0.5, -0.5), (columns - 0.5, rows - 0.5), (-0.5, rows - 0.5)],
    )


def composed(pipeline: Pipeline, draws: Drawn, height: int, width: int) -> tuple[np.ndarray, int, int]:
    """The matrix of a whole pipeline, and the size that comes out."""
    matrix = np.eye(3)
    for step, drawn in zip(pipeline.steps, draws, strict=True):
        matrix = matrix_of(step, drawn, height, width) @ matrix
        height, width = step.output_size((height, width))
    return matrix, height, width


def mirrored(place: int, side: int) -> int:
    """Walk back and forth between the first and the last pixel."""
    if side == 1:
        return 0
    place = abs(place) % (2 * side - 2)
    return place if place < side else 2 * side - 2 - place


def sampled(image: np.ndarray, x: float, y: float, outside: float | str) -> float:
    """Bilinear, `image` being `[H, W]`."""
    rows, columns = image.shape

    def at(row: int, column: int) -> float:
        if outside == "reflect":
            return float(image[mirrored(row, rows), mirrored(column, columns)])
        inside = 0 <= row < rows and 0 <= column < columns
        return float(image[row, column]) if inside else float(outside)

    left, above = math.floor(x), math.floor(y)
    u, v = x - left, y - above
    upper = (1 - u) * at(above, left) + u * at(above, left + 1)
    lower = (1 - u) * at(above + 1, left) + u * at(above + 1, left + 1)
    return (1 - v) * upper + v * lower


def warped(image: np.ndarray, matrix: np.ndarray, height: int, width: int, outside: float | str) -> np.ndarray:
    """Look up each pixel of `[C, height, width]` in `image`, `[C, H, W]`."""
    inverse = np.linalg.inv(matrix)
    out = np.empty((len(image), height, width))
    for row in range(height):
        for column in range(width):
            x, y, depth = inverse @ np.array([column, row, 1.0])
            for channel, plane in enumerate(image):
                out[channel, row, column] = sampled(plane, x / depth, y / depth, outside)
    return out


def blurred(image: np.ndarray, sd: float, reach: int) -> np.ndarray:
    """A Gaussian over (2 reach + 1)^2 neighbours, the edge pixels going on beyond the edge."""
    _, height, width = image.shape
    offsets = range(-reach, reach + 1)
    weights = {(i, j): math.exp(-(i * i + j * j) / (2 * sd * sd)) for i in offsets for j in offsets}
    total = sum(weights.values())
    out = np.zeros_like(image)
    for row in range(height):
        for column in range(width):
            for (i, j), weight in weights.items():
                near = image[:, min(max(row + i, 0), height - 1), min(max(column + j, 0), width - 1)]
                out[:, row, column] += weight / total * near
    return out


def tinted(image: np.ndarray, drawn: Sequence[float], wanted: Sequence[float]) -> np.ndarray:
    """Brightness, contrast, saturation and hue as torchvision and PIL define them, pixel by pixel."""
    grey_of = np.array([0.299, 0.587, 0.114])
    brightness, contrast, saturation = (1 + one for one in drawn[:3])
    if wanted[0]:
        image = np.clip(image * brightness, 0, 1)
    if wanted[1]:
        grey = np.tensordot(grey_of, image, 1) if len(image) == 3 else image
        image = np.clip(contrast * image + (1 - contrast) * grey.mean(), 0, 1)
    if wanted[2]:
        image = np.clip(saturation * image + (1 - saturation) * np.tensordot(grey_of, image, 1)[None], 0, 1)
    if wanted[3]:
        image = np.apply_along_axis(lambda rgb: _turned(rgb, drawn[3]), 0, image)
    return image


def _turned(rgb: np.ndarray, turn: float) -> np.ndarray:
    hue, saturation, value = colorsys.rgb_to_hsv(*rgb)
    return np.array(colorsys.hsv_to_rgb((hue + turn) % 1, saturation, value))


def background(kind: str, decay: float, numbers: Sequence[float], channels: int, height: int, width: int) -> np.ndarray:
    """What stands behind an image, `[C, H, W]`, in Lucid's own words: numpy's transform, times the root of the area."""
    drawn = np.array(numbers)
    if kind == "colour":
        field = np.broadcast_to(drawn[:, None, None], (channels, height, width))
    elif kind == "noise":
        field = drawn.reshape(channels, height, width)
    else:
        columns = width // 2 + 1
        parts = drawn.reshape(channels, height, columns, 2)
        spectrum = parts[..., 0] + 1j * parts[..., 1]
        down, along = np.fft.fftfreq(height)[:, None], np.fft.rfftfreq(width)[None]
        length = np.sqrt(down**2 + along**2)
        weight = np.sqrt(height * width) / np.maximum(length, 1 / max(height, width)) ** decay
        field = np.fft.irfft2(spectrum * weight, s=(height, width)) / 4
    if channels == 3:
        matrix = np.array([[0.26, 0.09, 0.02], [0.27, 0.00, -0.05], [0.27, -0.09, 0.03]])
        field = np.tensordot(matrix / np.sqrt((matrix**2).sum(0)).max(), field, 1)
    return 1 / (1 + np.exp(-field))
