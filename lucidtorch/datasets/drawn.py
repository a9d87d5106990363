"""The drawings: textures and shapes in any number, composed like photographs, each with its own seed."""

from __future__ import annotations

import math
from typing import Any, TypeAlias

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from lucidtorch.base.checks import Count, checked
from lucidtorch.datasets.collection import Seed, Split, SyntheticCollection
from lucidtorch.datasets.palette import Colour, Tones, any_colour, apart, distance, ground, tones
from lucidtorch.datasets.plane import Field, Plane, Rng, ellipse, noise, pixels, stroke
from lucidtorch.datasets.shapes import SHAPE_OF, Parts
from lucidtorch.datasets.textures import TEXTURE_OF
from lucidtorch.models.networks.labels import DRAWINGS, TEXTURES

Picture: TypeAlias = NDArray[np.floating[Any]]
"""An array `[3, H, W]` of float32 in [0, 1]."""

LENGTHS = {"train": 1000 * len(DRAWINGS), "test": 50 * len(DRAWINGS)}
GREY = 0.5  # of a border, as around a render
UPRIGHT = 0.3  # standard deviation in radians of the rotation of a shape that has an upper side
# Shapes that are rotated by any angle, and textures that are rotated by a few degrees only.
FREE = ("disc", "star", "flower", "gear", "snowflake", "arrow", "key", "leaf", "crescent", "butterfly")
LEVEL = ("checks", "grid", "bricks", "scales", "honeycomb", "weave", "plaid", "maze", "waves", "zigzag")


class Drawings(SyntheticCollection):
    """Drawings of 51 classes; image i is of class `i % 51`."""

    @property
    def classes(self) -> tuple[str, ...]:
        """The names of the classes, textures first."""
        return DRAWINGS

    def item(self, index: int) -> tuple[Tensor, int]:
        label = index % len(DRAWINGS)
        return torch.from_numpy(_draw(DRAWINGS[label], self.height, self.width, self.generator(index))), label


@checked
def drawings(
    split: Split = "train", *, length: Count | None = None, size: int | tuple[int, int] = 64, seed: Seed = 0
) -> Drawings:
    """Open the drawings that `demo` was trained on.

    Args:
        split: `train` or `test`, which have no drawing in common.
        length: The number of drawings; by default 1000 per class to train on and 50 to test on.
        size: The side in pixels, or `(height, width)`; at least 16.
        seed: The seed of all drawings, from 0.

    Returns:
        A collection of `[3, H, W]` images in 51 classes.

    Raises:
        BadInputError: The split, the length or the seed is not valid.
        SizeError: A side is below 16 pixels.

    Example:
        >>> image, label = drawings("test", length=51)[3]
        >>> image.shape, drawings().classes[label]
        (torch.Size([3, 64, 64]), 'rings')
    """
    return Drawings(split, LENGTHS[split] if length is None else length, size, seed)


def _draw(label: str, height: int, width: int, random: Rng) -> Picture:
    plane = pixels(height, width)
    picture = _texture(label, plane, random) if label in TEXTURE_OF else _shapes(label, plane, random)
    return _photograph(picture, plane, random)


def _texture(label: str, plane: Plane, random: Rng) -> Picture:
    turn = random.normal(0, UPRIGHT / 2) if label in LEVEL else random.uniform(0, 2 * np.pi)
    if label in LEVEL and label not in ("bricks", "scales") and random.random() < 0.3:
        turn += np.pi / 2
    x, y = random.uniform(-60, 60, 2).tolist() if label not in ("rings", "spirals", "rays") else (0.0, 0.0)
    sheet = plane.moved(x, y, scale=random.uniform(0.85, 1.25), angle=turn)
    sheet = sheet.warped(random, random.uniform(0, 1.5), wavelength=random.uniform(35, 80))
    colours = tones(label, random)
    picture = _plain(colours[0], plane)
    for cover, tone in TEXTURE_OF[label](sheet, random):
        picture = _over(picture, cover, colours[tone])
    return picture


def _shapes(label: str, plane: Plane, random: Rng) -> Picture:
    height, width = plane.x.shape
    colours = tones(label, random)
    behind = ground(label, colours[1], random)
    picture = _background(behind, colours[1], plane, random)
    for x, y, radius in _places(height, width, random):
        lean = random.uniform(0, 2 * np.pi) if label in FREE else random.normal(0, UPRIGHT)
        spot = plane.moved(x, y, scale=radius, angle=lean).warped(random, random.uniform(0, 0.06), wavelength=2.5)
        wide = Plane(spot.x * random.uniform(0.88, 1.14), spot.y, spot.pixel)
        picture = _paint(picture, wide, SHAPE_OF[label](wide, random), colours, random)
    return picture


def _places(height: int, width: int, random: Rng) -> list[tuple[float, float, float]]:
    """Place the copies of a shape, as x, y and radius: one near the centre, or several that do not overlap."""
    short = min(height, width)
    area = height * width / short**2 * (short / 64)
    most = 1 if random.random() < 0.5 else int(random.integers(2, 4) * max(area, 1) + 0.5)
    high = 0.47 if most == 1 else 0.33 / max(short / 64, 1.0) ** 0.5
    places: list[tuple[float, float, float]] = []
    for _ in range(8 * most):
        radius = short * random.uniform(0.78 * high, high)
        x = random.uniform(-1, 1) * (width / 2 - radius * 0.85)
        y = random.uniform(-1, 1) * (height / 2 - radius * 0.85)
        if all(np.hypot(x - other[0], y - other[1]) > 0.95 * (radius + other[2]) for other in places):
            places.append((x, y, radius))
        if len(places) == most:
            break
    return places


def _background(colour: Colour, ink: Colour, plane: Plane, random: Rng) -> Picture:
    """Draw a plain or clouded background, sometimes with a faint texture or a few strokes."""
    picture = _plain(colour, plane)
    second = any_colour(random)
    if distance(second, ink) > 0.4 and random.random() < 0.7:
        slope = (math.cos(random.uniform(0, 6.3)) * plane.x + plane.y * random.uniform(-1, 1)) / max(plane.x.shape)
        hills = 0.5 + slope + 0.5 * noise(plane, random, random.uniform(14, 40))
        picture = _over(picture, np.clip(hills, 0, 1) * random.uniform(0.1, 0.5), second)
    kind = random.random()
    if kind < 0.25:
        name = TEXTURES[int(random.integers(len(TEXTURES)))]
        sheet = plane.moved(*random.uniform(-60, 60, 2), scale=random.uniform(0.5, 1.2), angle=random.uniform(0, 6.3))
        cover, _ = TEXTURE_OF[name](sheet, random)[-1]
        picture = _over(picture, cover * random.uniform(0.05, 0.16), any_colour(random))
    elif kind < 0.45:
        picture = _clutter(picture, ink, plane, random)
    return picture


def _clutter(picture: Picture, ink: Colour, plane: Plane, random: Rng) -> Picture:
    half = np.array(plane.x.shape[::-1]) / 2
    for _ in range(int(random.integers(1, 5))):
        x, y = (random.uniform(-1, 1, 2) * half).tolist()
        if random.random() < 0.5:
            end = (x + random.normal(0, 14), y + random.normal(0, 14))
            cover = plane.soft(stroke(plane, (x, y), end, random.uniform(0.5, 1.6)))
        else:
            cover = plane.soft(ellipse(plane, x, y, random.uniform(1, 5), random.uniform(1, 5)))
        picture = _over(picture, cover * random.uniform(0.2, 0.6), apart(ink, random))
    return picture


def _paint(picture: Picture, plane: Plane, parts: Parts, colours: Tones, random: Rng) -> Picture:
    """Paint the parts of a shape, sometimes with a shadow, an outline and light from one side."""
    silhouette = parts[0][0]
    if random.random() < 0.35:
        dark = 0.0 if random.random() < 0.7 else 1.0
        picture = _over(picture, plane.soft(silhouette - random.uniform(1.0, 2.0) * plane.pixel), (dark, dark, dark))
    strength, turn = random.uniform(0, 0.3), random.uniform(0, 2 * np.pi)
    light = 1 + strength * (math.cos(turn) * plane.x + math.sin(turn) * plane.y)
    light *= np.clip(1 + random.uniform(0, 0.5) * (np.minimum(-silhouette, 0.3) / 0.3 - 1), 0, 1)
    for part, tone in parts:
        shaded = np.stack([np.clip(value * light, 0, 1) for value in colours[tone]])
        picture = picture + (shaded - picture) * plane.soft(part)
    return picture


def _photograph(picture: Picture, plane: Plane, random: Rng) -> Picture:
    """Add light from one side, less contrast, and sometimes blur, noise and a grey border."""
    height, width = plane.x.shape
    turn, strength = random.uniform(0, 2 * np.pi), random.uniform(0, 0.25)
    picture = picture * (1 + strength * (math.cos(turn) * plane.x / width + math.sin(turn) * plane.y / height))
    contrast = random.uniform(0.75, 1.0)
    middle = random.uniform(0.35, 0.65)
    picture = middle + contrast * (picture - middle)
    if random.random() < 0.2:
        picture = _blurred(picture)
    if random.random() < 0.4:
        picture = picture + random.uniform(0.01, 0.045) * random.standard_normal(picture.shape, dtype=np.float32)
    if random.random() < 0.3:
        border = int(random.integers(2, max(3, min(height, width) // 7)))
        inside = np.maximum(np.abs(plane.x) - width / 2, np.abs(plane.y) - height / 2) < -border
        picture = np.where(inside, picture, np.float32(GREY))
    return np.clip(picture, 0, 1).astype(np.float32)


def _blurred(picture: Picture) -> Picture:
    padded = np.pad(picture, ((0, 0), (1, 1), (1, 1)), mode="edge")
    rows = 0.25 * padded[:, :-2] + 0.5 * padded[:, 1:-1] + 0.25 * padded[:, 2:]
    blurred: Picture = 0.25 * rows[:, :, :-2] + 0.5 * rows[:, :, 1:-1] + 0.25 * rows[:, :, 2:]
    return blurred


def _plain(colour: Colour, plane: Plane) -> Picture:
    return np.stack([np.full_like(plane.x, value) for value in colour])


def _over(picture: Picture, cover: Field, colour: Colour) -> Picture:
    painted: Picture = picture + (np.array(colour, dtype=np.float32)[:, None, None] - picture) * cover
    return painted
