"""What the battery runs over: for each word of the notation, params that use it and the text that they print."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch
from prior_examples import PRIORS

from lucidtorch.param import Param, aligned, animation, fft, image, pixels, pyramid, shared, stack

Example = tuple[Callable[[], Param], str]
SMALL = np.random.default_rng(1).uniform(0.2, 0.8, size=(1, 4, 5)).astype(np.float32)
INNER = [[0, 0.5, 1, 1, 0]] * 4
ROOT = [[1.0, 0.25], [0.0, 0.5]]

IMAGES: list[Example] = [
    (lambda: image(6), "image(6)"),
    (lambda: image((6, 5), batch=2), "image([6, 5], batch=2)"),
    (lambda: image(6, fft=False), "image(6, fft=False)"),
    (lambda: image(5, batch=2, decorrelate=False), "image(5, batch=2, decorrelate=False)"),
    (lambda: image((3, 8), channels=1), "image([3, 8], channels=1)"),
    (lambda: image((5, 4), batch=2, channels=7, sd=0.5), "image([5, 4], batch=2, channels=7, sd=0.5)"),
    (lambda: image(6, decay=1.5), "image(6, decay=1.5)"),
    (lambda: image((64, 96)), "image([64, 96])"),
    (lambda: image(65), "image(65)"),
    (lambda: image((3, 6, 5), batch=2), "image([3, 6, 5], batch=2)"),
    (lambda: image("2x5x5"), "image([2, 5, 5])"),
    (lambda: image((4, 4, 4), channels=1, fft=False), "image([4, 4, 4], channels=1, fft=False)"),
    (lambda: image((3, 5, 4), channels=7, decay=0), "image([3, 5, 4], channels=7, decay=0)"),
    (lambda: image(6, channels=4, hold={3: 1.0}), "image(6, channels=4, hold={3: 1.0})"),
    (
        lambda: image((2, 3), batch=2, channels=5, hold={4: [[0, 0.5, 1], [1, 0, 0]], 0: 0}),
        "image([2, 3], batch=2, channels=5, hold={0: 0, 4: [[0, 0.5, 1], [1, 0, 0]]})",
    ),
    (
        lambda: image((3, 4, 5), channels=2, fft=False, hold={0: 0.25}),
        "image([3, 4, 5], channels=2, fft=False, hold={0: 0.25})",
    ),
    (
        lambda: image((4, 5), channels=1, init=SMALL),
        f"image([4, 5], channels=1, init={SMALL.astype(float).tolist()})",
    ),
    (
        lambda: image((4, 5), channels=1, init=SMALL, mask=INNER, bounds="clip"),
        f"image([4, 5], channels=1, init={SMALL.astype(float).tolist()}, mask={INNER}, bounds='clip')",
    ),
    (lambda: image(6, batch=2, alpha=True), "image(6, batch=2, alpha=True)"),
    (lambda: image(6, alpha=True, bounds="clip", hold={0: 0.5}), "image(6, alpha=True, hold={0: 0.5}, bounds='clip')"),
    (lambda: image(6, channels=2, colour=torch.tensor(ROOT)), f"image(6, channels=2, colour={ROOT})"),
    (lambda: image((6, 7), spectrum=[3, 2, 0.5]), "image([6, 7], spectrum=[3, 2, 0.5])"),
]
FFT: list[Example] = [
    (lambda: image(6, spatial=fft()), "image(6, spatial=fft())"),
    (lambda: image((5, 7), batch=2, spatial=fft(decay=1.5)), "image([5, 7], batch=2, spatial=fft(decay=1.5))"),
    (lambda: image(5, spatial=pixels()) + fft(spectrum=[2, 1]), "image(5, spatial=pixels()) + fft(spectrum=[2, 1])"),
    (lambda: image((3, 6, 5), spatial=fft(sd=0.1)), "image([3, 6, 5], spatial=fft(sd=0.1))"),
]
PIXELS: list[Example] = [
    (lambda: image((5, 7), batch=2, spatial=pixels(sd=0.1)), "image([5, 7], batch=2, spatial=pixels(sd=0.1))"),
    (lambda: image(6) + pixels(), "image(6) + pixels()"),
]
PYRAMID: list[Example] = [
    (lambda: image((9, 14), batch=2, spatial=pyramid()), "image([9, 14], batch=2, spatial=pyramid())"),
    (lambda: image(65, channels=1, spatial=pyramid(levels=2)), "image(65, channels=1, spatial=pyramid(levels=2))"),
    (lambda: image((3, 9, 8), spatial=pyramid(levels=3)), "image([3, 9, 8], spatial=pyramid(levels=3))"),
    (lambda: image(6, channels=7) + pyramid(sd=0.1), "image(6, channels=7) + pyramid(sd=0.1)"),
]
SHARED: list[Example] = [
    (lambda: image(8, batch=4) + shared([2, 3, 3, 4]), "image(8, batch=4) + shared([2, 3, 3, 4])"),
    (
        lambda: image((7, 9), batch=3) + shared([1, 1, 7, 9]) + shared((3, 3, 2, 2), offset=True),
        "image([7, 9], batch=3) + shared([1, 1, 7, 9]) + shared([3, 3, 2, 2], offset=True)",
    ),
    (
        lambda: image(8, batch=4, fft=False) + shared([2, 3, 4, 4], offset=[1, 0, True, 3], sd=0.1),
        "image(8, batch=4, fft=False) + shared([2, 3, 4, 4], offset=[1, 0, True, 3], sd=0.1)",
    ),
    (
        lambda: image((4, 6, 6), batch=2, channels=4) + shared([1, 4, 2, 3, 3]),
        "image([4, 6, 6], batch=2, channels=4) + shared([1, 4, 2, 3, 3])",
    ),
    (lambda: image(6, batch=3, spatial=shared([2, 3, 3, 3])), "image(6, batch=3, spatial=shared([2, 3, 3, 3]))"),
]
STACK: list[Example] = [
    (lambda: stack(image(6), image(6, fft=False)), "stack(image(6), image(6, fft=False))"),
    (
        lambda: stack(image(6, batch=2) + shared([1, 3, 2, 2]), stack(image(6, spatial=pyramid(levels=2)))),
        "stack(image(6, batch=2) + shared([1, 3, 2, 2]), stack(image(6, spatial=pyramid(levels=2))))",
    ),
]
ALIGNED: list[Example] = [
    (
        lambda: aligned((32, 16), 3),
        "image([32, 16], batch=3) + shared([1, 3, 16, 8]) + shared([1, 3, 8, 4]) + shared([1, 3, 4, 2]) + "
        "shared([2, 3, 4, 2]) + shared([1, 3, 2, 1]) + shared([2, 3, 2, 1])",
    ),
]
ANIMATION: list[Example] = [
    (
        lambda: animation((8, 16), 5),
        "image([8, 16], batch=5, spatial=shared([3, 3, 8, 16])) + shared([2, 3, 4, 8]) + shared([2, 3, 2, 4]) + "
        "shared([2, 3, 1, 2])",
    ),
]
EXAMPLES: dict[str, list[Example]] = {
    "image": IMAGES,
    "fft": FFT,
    "pixels": PIXELS,
    "pyramid": PYRAMID,
    "shared": SHARED,
    "stack": STACK,
    "aligned": ALIGNED,
    "animation": ANIMATION,
    **PRIORS,
}
