"""Analysis: what a network's activations on pictures are made of, in numbers and laid over the pictures."""

from lucidtorch.analysis.factors import Groups, nmf_groups
from lucidtorch.analysis.overlays import framed, group_colours, group_overlay

__all__ = ["Groups", "framed", "group_colours", "group_overlay", "nmf_groups"]
