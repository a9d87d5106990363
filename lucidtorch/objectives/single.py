"""The objective of one image of a batch, as it would be typed for that image alone."""

from __future__ import annotations

from lucidtorch.objectives.algebra import Objective, On
from lucidtorch.objectives.images import Each, Interpolate
from lucidtorch.objectives.term import Term

SHARE_DIGITS = 4  # of a share of a walk, which is rarely a round number


def single(objective: Objective, image: int) -> Objective:
    """Say what one image of a batch is asked for.

    Lists of units become the image's own unit, `each` its own part, `interpolate` its own mixture with rounded shares,
    and `on` is left out where it names the image. Arrays with a row per image, and parts across images, stay whole.

    Example:
        >>> from lucidtorch.objectives import channel
        >>> single(channel("conv1_1", [3, 7]), 1)
        channel('conv1_1', 7)
    """
    return objective.mapped(lambda node: _own(node, image))


def _own(node: Objective, image: int) -> Objective:
    if isinstance(node, Each):
        return node.parts[image]
    if isinstance(node, Interpolate):
        return _mixture(node, image)
    if isinstance(node, On) and node.image == image:
        return node.inner
    return _of_term(node, image) if isinstance(node, Term) else node


def _mixture(walk: Interpolate, image: int) -> Objective:
    if image in (0, walk.count - 1):
        return walk.end if image else walk.start
    share = round(image / (walk.count - 1), SHARE_DIGITS)
    return round(1 - share, SHARE_DIGITS) * walk.start + share * walk.end


def _of_term(term: Term, image: int) -> Term:
    own = [(name, value) for name, value in term.arguments if term.definition.is_per_image(name)]
    changes = {name: value[image] for name, value in own if isinstance(value, tuple)}
    return term.replaced(**changes) if changes else term
