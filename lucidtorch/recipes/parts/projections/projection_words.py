"""What the page of deconvnets says in words: how to read it, what the ways do, and where they come to the same."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from lucidtorch.recipes.parts.projections.projector import Projector, Way
from lucidtorch.recipes.story import Section, Table

NAMES: Mapping[Way, str] = {
    "deconvnet": "deconvnet",
    "deconvnet_without_switches": "deconvnet without switches",
    "guided": "guided backpropagation",
    "saliency": "gradient (saliency)",
}
AT_RELUS: Mapping[Way, str] = {
    "deconvnet": "what is below zero of the signal is cut off",
    "deconvnet_without_switches": "what is below zero of the signal is cut off",
    "guided": "what is below zero of the signal is cut off, and all of it where the ReLU was shut on the way up",
    "saliency": "all of the signal is cut off where the ReLU was shut on the way up",
}
AT_POOLINGS: Mapping[Way, str] = {
    "deconvnet": "to where the maximum was (the switch)",
    "deconvnet_without_switches": "to one fixed place of each window: its middle; of an even number, the middle one "
    "nearer to the top left",
    "guided": "to where the maximum was",
    "saliency": "to where the maximum was",
}


def lead(network: str, layers: Sequence[str], *, whole: bool, patches: bool) -> tuple[str, ...]:
    """Say what the page shows and how to read it."""
    images = "the images that excite them most" if patches else "an image"
    signal = (
        "The signal is a whole channel, each place as strong as it is active,"
        if whole
        else "The signal is the one place where a unit is strongest, and nothing else of its layer,"
    )
    around = "" if whole else " Even grey around a patch lies outside the image."
    return (
        f"What units of {', '.join(layers)} of {network} answer to in {images}. {signal} and it is sent back down "
        "through the network to the pixels, in one or several ways.",
        "Grey is nothing; lighter and darker, colour by colour, is what arrives above and below zero. Each picture is "
        "scaled by itself: the number under it is what is shown in full strength, and the strongest 1 % is shown no "
        f"stronger. So compare shapes, not strengths.{around}",
        "Only the gradient says how the unit would change with the pixels. The other ways give clearer pictures since "
        "they leave out what holds the unit down, and they partly restore the image itself: an edge that is sharp "
        "there need not matter to the unit. Nor does one image show what the unit looks for in general.",
    )


def about_ways(projector: Projector) -> Section:
    """Say what the ways do, and where they come to the same."""
    rows = tuple((NAMES[way], AT_RELUS[way], AT_POOLINGS[way]) for way in projector.ways)
    text = (
        "All else, such as convolutions, batch norm, average pooling, concatenation, sums and nonlinearities other "
        "than ReLU and ReLU6, lets the true gradient through in every way. A signal can die out on the way down; then "
        "nothing arrives.",
        "A deconvnet takes from the image where it starts and the switches, and of ReLUs nothing. Without switches, or "
        "where there is no max pooling, its pictures of a unit are the same for all images, but for the place.",
        *_same(projector),
    )
    caption = (
        "Deconvnet: Zeiler and Fergus, 2014. Guided backpropagation: Springenberg et al., 2014. Saliency: Simonyan et "
        "al., 2014."
    )
    head = ("way", "at a ReLU, downwards", "at max pooling, downwards")
    return Section("The ways", text, table=Table(head, rows, caption))


def _same(projector: Projector) -> tuple[str, ...]:
    """Tell where columns are alike for want of what tells them apart."""
    straight = [layer for layer, (relus, _) in projector.met.items() if relus == 0]
    unpooled = [layer for layer, (_, pools) in projector.met.items() if pools == 0]
    ways = set(projector.ways)
    said = []
    if straight and len(ways) > 1:
        said.append(
            f"There is no ReLU on the way to {', '.join(straight)}: the ways differ there at most by max pooling."
        )
    if unpooled and {"deconvnet", "deconvnet_without_switches"} <= ways:
        said.append(
            f"There is no max pooling on the way to {', '.join(unpooled)}: with and without switches is the same."
        )
    return tuple(said)
