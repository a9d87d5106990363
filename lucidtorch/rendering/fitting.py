"""Whether the parts of a render fit each other: channels, constraints, pictures to compare with, views."""

from __future__ import annotations

from lucidtorch.base.arrays import Array
from lucidtorch.base.errors import BadInputError, ImageError, ObjectiveError
from lucidtorch.constraints.constraint import Constraints
from lucidtorch.objectives.algebra import Objective
from lucidtorch.objectives.term import Term
from lucidtorch.param.param import Param
from lucidtorch.rendering.coupling import looks_inside
from lucidtorch.transforms.transform import Pipeline


def check_channels(param: Param, pipeline: Pipeline | None, channels: int, name: str) -> None:
    """Make sure that what the network sees has its number of channels."""
    if pipeline is None:
        seen = param.channels - int(param.alpha)
    else:
        seen = pipeline.output_channels(param.channels)
        if param.alpha and seen == param.channels:
            raise ImageError(
                f"The param's last channel is opacity, and {name} sees no opacity: begin the transforms with "
                f"background(), which puts a picture behind it."
            )
    if seen != channels:
        raise ImageError(
            f"The param makes images of {seen} channels, but {name} takes {channels}: write channels={channels}."
        )


def check_constraints(constraints: Constraints, param: Param) -> None:
    """Make sure that the images can be held to something after each step."""
    constraints.check((param.batch, param.channels, *param.size))
    if constraints.steps and not param.invertible:
        raise BadInputError(
            f"Constraints change the image itself, and {param!r:.80} cannot take an image back into its numbers; "
            f"use param.image(...), or leave the constraints out."
        )


def pictures_of(goal: Objective) -> list[Array]:
    """List the pictures that an expression compares with."""
    terms = [node for node in goal.walk() if isinstance(node, Term)]
    return list(dict.fromkeys(picture for term in terms for picture in term.pictures))


def check_pictures(goal: Objective, param: Param, pipeline: Pipeline) -> None:
    """Make sure that the pictures that an expression compares with are of the size of the images.

    They may have any size where they are brought to that of a view.
    """
    wanted = (param.channels - int(param.alpha), *param.size)
    for picture in pictures_of(goal):
        shape = picture.shape[-len(wanted) :]
        if pipeline.for_references() != pipeline:
            shape = (shape[0], *param.size)
        if shape not in (wanted, (param.channels, *param.size)):
            raise ImageError(
                f"The objective compares with a picture of shape {list(picture.shape)}, and the param makes "
                f"{list(wanted)}; scale it, for example photo('FILE.jpg', {wanted[1]}), or make the param of its size."
            )


def check_views(goal: Objective, pipeline: Pipeline) -> None:
    """Make sure that an expression can be evaluated on so many views of an image."""
    if pipeline.views > 1 and looks_inside(goal):
        raise ObjectiveError(
            f"`facet` takes gradients inside the network and cannot look at {pipeline.views} views of an image at "
            f"once; leave crops(...) out, or write views=1."
        )
