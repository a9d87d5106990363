"""Examples of textures on meshes, for the battery over all transforms."""

from __future__ import annotations

import numpy as np
from transforms import naive
from transforms.examples import ByHand, Example
from transforms.meshes.rays import naive_view

from lucidtorch.transforms.meshes import textured
from lucidtorch.transforms.meshes.mesh import cube


def seen(view: textured, middle: tuple[float, float, float], size: tuple[int, int]) -> ByHand:
    """The view of a cube, from the middle of the ranges and the draws."""

    def by_hand(image: np.ndarray, draws: naive.Drawn) -> np.ndarray:
        place = [one + drawn for one, drawn in zip(middle, draws[0], strict=True)]
        return naive_view(cube(), image, tuple(place), size, view.angle, view.background, view.samples)

    return by_hand


FRONT, TURNED = (0.0, 0.0, 11.0), (75.0, 20.0, 3.25)
PLAIN = textured("cube", 7, samples=1)
CHOSEN = textured(
    "cube", (5, 6), distance=(3, 3.5), elevation=(10, 30), azimuth=(50, 100), angle=40, background=0.25, views=3
)
CHOSEN_TEXT = (
    "textured('cube', [5, 6], distance=[3, 3.5], elevation=[10, 30], azimuth=[50, 100], angle=40, background=0.25, "
    "views=3)"
)

EXAMPLES: dict[str, list[Example]] = {
    "textured": [
        Example(PLAIN, "textured('cube', 7, samples=1)", seen(PLAIN, FRONT, (7, 7)), size_kept=False, clips=False),
        Example(CHOSEN, CHOSEN_TEXT, seen(CHOSEN, TURNED, (5, 6)), size_kept=False, clips=False, views=3),
    ]
}
