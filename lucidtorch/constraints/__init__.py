"""Constraints: what the images must keep to after every update, in lower case, as they are written in texts."""

from lucidtorch.constraints.balls import l2_ball, linf_ball
from lucidtorch.constraints.constraint import Constraint, Constraints, Moment
from lucidtorch.constraints.presets import yosinski
from lucidtorch.constraints.softening import blur, decay
from lucidtorch.constraints.sparsity import clip_contribution, clip_norm
from lucidtorch.constraints.text import parse

__all__ = [
    "Constraint",
    "Constraints",
    "Moment",
    "blur",
    "clip_contribution",
    "clip_norm",
    "decay",
    "l2_ball",
    "linf_ball",
    "parse",
    "yosinski",
]
