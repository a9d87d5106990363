"""Constraints that belong together by publication."""

from __future__ import annotations

from typing import Literal

from lucidtorch.base.checks import checked
from lucidtorch.constraints.constraint import Constraints
from lucidtorch.constraints.softening import blur, decay
from lucidtorch.constraints.sparsity import clip_contribution, clip_norm

PRESETS = {
    1: Constraints((blur(0.5), clip_norm(50))),
    2: Constraints((decay(0.3), clip_norm(20))),
    3: Constraints((decay(0.0001), blur(1.0))),
    4: Constraints((blur(0.5), clip_contribution(90))),
}


@checked
def yosinski(preset: Literal[1, 2, 3, 4]) -> Constraints:
    """Join the constraints of one of the four published settings of the Deep Visualization Toolbox.

    The third is the one of most published pictures. What belongs to each besides the constraints: 500, 750, 1000 and
    1000 steps of plain gradient ascent from the mean colour plus N(0, 10), on pixels of 0 to 255. Settings 2 and 3 have
    the rate 100 (on pixels of 0 to 1, 100 / 255² = 0.0015). In 1 and 4 the rate is what raises the unit by 2 if the
    network were linear, at most 100 in 1 and 1e8 in 4. Plain gradient ascent on pixels is
    ``param.image(size, fft=False, decorrelate=False, bounds="clip")`` with ``optimizer="sgd"``.

    Formula: 1: blur(0.5) | clip_norm(50); 2: decay(0.3) | clip_norm(20); 3: decay(0.0001) | blur(1.0);
        4: blur(0.5) | clip_contribution(90).
    Source: Yosinski et al. 2015, table 1, and the toolbox's `doc/running-optimize-image.md`.

    Args:
        preset: 1 to 4, in the order of the publication.

    Returns:
        The constraints, joined.

    Raises:
        BadInputError: There is no such setting.
    """
    return PRESETS[preset]
