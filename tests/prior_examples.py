"""The battery's examples of the parts that know something of natural images."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from lucidtorch.param import Param, image
from lucidtorch.param.fixed_magnitude import maco
from lucidtorch.param.pattern_network import cppn

Example = tuple[Callable[[], Param], str]
MAGNITUDE = np.random.default_rng(4).uniform(0.5, 2, size=(1, 4, 3))

CPPN: list[Example] = [
    (
        lambda: image((5, 7), batch=2, spatial=cppn(hidden=4, layers=2), decorrelate=False),
        "image([5, 7], batch=2, decorrelate=False, spatial=cppn(hidden=4, layers=2))",
    ),
    (
        lambda: image(6, channels=1, spatial=cppn(3, 1, "unbiased_atan")),
        "image(6, channels=1, spatial=cppn(hidden=3, layers=1, activation='unbiased_atan'))",
    ),
    (
        lambda: image((3, 4, 6), channels=7, spatial=cppn(hidden=4, layers=3, activation="relu")),
        "image([3, 4, 6], channels=7, spatial=cppn(hidden=4, layers=3, activation='relu'))",
    ),
    (lambda: image((64, 96)) + cppn(hidden=4, layers=2), "image([64, 96]) + cppn(hidden=4, layers=2)"),
]
MACO: list[Example] = [
    (lambda: image((6, 7), batch=2, spatial=maco()), "image([6, 7], batch=2, spatial=maco())"),
    (lambda: image(65, channels=7, spatial=maco(contrast=1.5)), "image(65, channels=7, spatial=maco(contrast=1.5))"),
    (lambda: image((64, 96), channels=1, spatial=maco()), "image([64, 96], channels=1, spatial=maco())"),
    (
        lambda: image((5, 6), channels=1, spatial=maco(MAGNITUDE)),
        f"image([5, 6], channels=1, spatial=maco(magnitude={MAGNITUDE.tolist()}))",
    ),
]
PRIORS: dict[str, list[Example]] = {"cppn": CPPN, "maco": MACO}
