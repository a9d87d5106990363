"""Coarse parts that the images of a batch read together, so that they resemble each other."""

from __future__ import annotations

from collections.abc import Iterable

from lucidtorch.param.images import Image
from lucidtorch.param.param import Param
from lucidtorch.param.series import shared
from lucidtorch.recipes.blame import FieldError

SHARED = "shared"  # the field of a recipe that asks for it


def with_shared(param: Param, grids: Iterable[tuple[int, int]]) -> Param:
    """Add coarse grids to what makes the images, all channels and sides of them."""
    if not isinstance(param, Image):
        raise FieldError(
            (SHARED,),
            f"Only a param that image(...) makes can have shared parts, and the param is {param!r:.80}; write false, "
            f"or leave param out.",
        )
    for rows, coarser in grids:
        sides = [max(1, side // coarser) for side in param.size]
        param = param + shared((rows, param.finish.free, *sides))
    return param
