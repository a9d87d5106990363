"""An example of everything in the notation of transforms: how it prints, and what it does, written by hand."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from transforms import naive

from lucidtorch.transforms import (
    Pipeline,
    Transform,
    atlas,
    background,
    blur,
    colour_jitter,
    colour_noise,
    crop,
    crop_or_pad_to,
    crops,
    flip,
    identity,
    jitter,
    noise,
    normalize_gradient,
    pad,
    perspective,
    powers,
    random_crop,
    rotate,
    scale,
    shear,
    span,
    standard,
    strong,
    uniform_noise,
)
from lucidtorch.transforms.ranges import Group

ByHand = Callable[[np.ndarray, naive.Drawn], np.ndarray]
STANDARD = "pad(12) | jitter(8) | scale(0.9, 1.1) | rotate(-10, 10) | jitter(4)"
ANGLES = "[span(-20, 19), span(-10, 9), span(-5, 4), 0, 0, 0, 0, 0]"
ATLAS_TEXT = (
    "pad(16) | jitter(4) | jitter(4) | jitter(8) | jitter(8) | jitter(8) | scale([powers(0.998, 20, 39)]) | "
    f"rotate({ANGLES}) | jitter(2)"
)
STRONG_TEXT = (
    f"pad(2) | {'jitter(4) | ' * 10}scale([powers(0.995, -5, 79), powers(0.998, 20, 39), powers(0.998, 20, 39)]) | "
    f"rotate({ANGLES}) | jitter(2)"
)
CROPS_TEXT = "random_crop(0.5, 0.5, sd=0.05, end=0.05, views=6) | noise(0.08) | uniform_noise(0.04)"


@dataclass(frozen=True)
class Example:
    """A transform, its text, and what it makes of an image `[C, H, W]` with the draws of each of its steps."""

    transform: Transform | Pipeline
    text: str
    by_hand: ByHand
    channels: tuple[int, ...] = (1, 3, 7)  # of the images that it takes
    smallest: int = 1  # the shortest side that it takes
    size_kept: bool = True
    evens_gradient: bool = False  # whether its gradient is another than that of what it computes
    views: int = 1
    clips: bool = True  # whether it takes clips and volumes

    @property
    def pipeline(self) -> Pipeline:
        return Pipeline.of(self.transform)


def warp(pipeline: Transform | Pipeline, outside: float | str = 0.5) -> ByHand:
    """One warp of the whole pipeline."""

    def by_hand(image: np.ndarray, draws: naive.Drawn) -> np.ndarray:
        matrix, *size = naive.composed(Pipeline.of(pipeline), draws, *image.shape[1:])
        return naive.warped(image, matrix, *size, outside)

    return by_hand


def geometric(transform: Transform | Pipeline, text: str, *, smallest: int = 1, size_kept: bool = True) -> Example:
    return Example(transform, text, warp(transform), smallest=smallest, size_kept=size_kept)


def bordered(mode: str) -> ByHand:
    def by_hand(image: np.ndarray, draws: naive.Drawn) -> np.ndarray:
        return warp(pad(2), "reflect" if mode == "reflect" else 0.5 + draws[0][0])(image, draws)

    return by_hand


def add(image: np.ndarray, draws: naive.Drawn) -> np.ndarray:
    numbers = np.array(draws[-1])
    return image + numbers.reshape(len(image), *((1, 1) if len(numbers) == len(image) else image.shape[1:]))


def several(image: np.ndarray, draws: naive.Drawn) -> np.ndarray:
    boxed = warp(crops().steps[0])(image, draws[:1])
    return add(add(boxed, draws[:2]), draws)


def tint(*wanted: float) -> ByHand:
    return lambda image, draws: naive.tinted(image, draws[0], wanted)


def behind(kind: str, decay: float = 1.0) -> ByHand:
    def by_hand(image: np.ndarray, draws: naive.Drawn) -> np.ndarray:
        channels, height, width = image.shape
        painted = naive.background(kind, decay, draws[0], channels - 1, height, width)
        return image[:-1] * image[-1] + painted * (1 - image[-1])

    return by_hand


def kept(image: np.ndarray, draws: naive.Drawn) -> np.ndarray:
    return image


RGBA = (2, 4, 8)
TEN = powers(0.5, -1, 1)
BOX = random_crop(0.2, 0.25, size=(6, 5))

EXAMPLES: dict[str, list[Example]] = {
    "pad": [
        geometric(pad(3), "pad(3)", size_kept=False),
        Example(pad(2, value=0.25), "pad(2, value=0.25)", warp(pad(2), 0.25), size_kept=False),
        Example(pad(2, 0), "pad(2, value=0)", warp(pad(2), 0.0), size_kept=False),
        Example(pad(2, mode="reflect"), "pad(2, mode='reflect')", bordered("reflect"), size_kept=False),
        Example(pad(2, mode="random"), "pad(2, mode='random')", bordered("random"), size_kept=False),
    ],
    "jitter": [geometric(jitter(4), "jitter(4)"), geometric(jitter(5), "jitter(5)")],
    "flip": [
        geometric(flip(), "flip()"),
        geometric(flip(0.75, vertical=True), "flip(probability=0.75, vertical=True)"),
    ],
    "crop": [geometric(crop(3), "crop(3)", smallest=4, size_kept=False)],
    "crop_or_pad_to": [geometric(crop_or_pad_to(5, 14), "crop_or_pad_to(5, 14)", size_kept=False)],
    "scale": [
        geometric(scale(0.7, 1.3), "scale(0.7, 1.3)"),
        geometric(scale(low=1, high=2), "scale(1, 2)"),
        geometric(scale([TEN, 0.9]), "scale([powers(0.5, -1, 1), 0.9])"),
    ],
    "rotate": [
        geometric(rotate(-20, 35), "rotate(-20, 35)"),
        geometric(rotate(-0.5, 0.5), "rotate(-0.5, 0.5)"),
        geometric(rotate([span(-20, 19), 5, 5]), "rotate([span(-20, 19), 5, 5])"),
    ],
    "shear": [geometric(shear(-20, 30), "shear(-20, 30)"), geometric(shear((5, 9.5)), "shear([5, 9.5])")],
    "perspective": [geometric(perspective(0.4), "perspective(0.4)")],
    "random_crop": [
        geometric(random_crop(0.3, 0.9), "random_crop(0.3, 0.9)", size_kept=False),
        geometric(BOX, "random_crop(0.2, 0.25, size=[6, 5])", size_kept=False),
        geometric(
            random_crop(0.05, 0.99, spread=None, size=7),
            "random_crop(0.05, 0.99, spread=None, size=7)",
            size_kept=False,
        ),
    ],
    "blur": [
        Example(blur(0.5, 1.2), "blur(0.5, 1.2)", lambda image, draws: naive.blurred(image, draws[0][0], 4)),
        Example(blur([1, 1.1]), "blur([1, 1.1])", lambda image, draws: naive.blurred(image, draws[0][0], 4)),
    ],
    "noise": [Example(noise(0.08), "noise(0.08)", add)],
    "uniform_noise": [Example(uniform_noise(0.04), "uniform_noise(0.04)", add)],
    "colour_noise": [Example(colour_noise(0.02), "colour_noise(0.02)", add)],
    "colour_jitter": [
        Example(colour_jitter(0.2), "colour_jitter(brightness=0.2)", tint(0.2, 0, 0, 0)),
        Example(colour_jitter(contrast=0.5), "colour_jitter(contrast=0.5)", tint(0, 0.5, 0, 0)),
        Example(
            colour_jitter(0.1, 0.2, 0.3, 0.4),
            "colour_jitter(brightness=0.1, contrast=0.2, saturation=0.3, hue=0.4)",
            tint(0.1, 0.2, 0.3, 0.4),
            channels=(3,),
        ),
    ],
    "background": [
        Example(background(), "background()", behind("smooth"), RGBA, size_kept=False),
        Example(
            background(sd=0.2, decay=1.5), "background(sd=0.2, decay=1.5)", behind("smooth", 1.5), RGBA, size_kept=False
        ),
        Example(background("noise"), "background(kind='noise')", behind("noise"), RGBA, size_kept=False),
        Example(background("colour", sd=2), "background(kind='colour', sd=2)", behind("colour"), RGBA, size_kept=False),
    ],
    "normalize_gradient": [Example(normalize_gradient(), "normalize_gradient()", kept, evens_gradient=True)],
    "identity": [Example(identity(), "identity()", kept)],
    "standard": [geometric(standard(), STANDARD, size_kept=False)],
    "strong": [
        geometric(strong(), STRONG_TEXT, size_kept=False),
        Example(strong((9, 12)), f"{STRONG_TEXT} | crop_or_pad_to(9, 12)", warp(strong((9, 12))), size_kept=False),
    ],
    "atlas": [geometric(atlas(), ATLAS_TEXT, size_kept=False)],
    "crops": [Example(crops(), CROPS_TEXT, several, size_kept=False, views=6)],
}
GROUPS: dict[str, list[tuple[Group, str, list[float]]]] = {
    "span": [
        (span(-2, 3), "span(-2, 3)", [-2, -1, 0, 1, 2, 3]),
        (span(0.5, 1.4, step=0.25), "span(0.5, 1.4, step=0.25)", [0.5, 0.75, 1.0, 1.25]),
        (span(4, 4), "span(4, 4)", [4]),
    ],
    "powers": [(powers(0.5, -1, 2), "powers(0.5, -1, 2)", [2.0, 1.0, 0.5, 0.25])],
}
