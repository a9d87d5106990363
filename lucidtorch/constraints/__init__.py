"""Constraints: what the images must keep to after every update, in lower case, as they are written in texts."""

from lucidtorch.constraints.constraint import Constraint, Constraints, Moment
from lucidtorch.constraints.published import blur, clip_contribution, clip_norm, decay, l2_ball, linf_ball, yosinski
from lucidtorch.constraints.text import parse, register

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
    "register",
    "yosinski",
]
