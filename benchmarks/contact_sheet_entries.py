"""What stands on the contact sheet: each kind of param and each family of objectives, for any network."""

from __future__ import annotations

import re
from dataclasses import dataclass

from reference_things import Things

PENALTY = re.compile(r"PENALTY\((.+?)\)")


@dataclass(frozen=True)
class Entry:
    """A text with `LOW`, `MID` and `TOP` in the place of a network's layers, and how it is rendered.

    Attributes:
        text: Of the objective or the param.
        param: Of the param, for an objective.
        transforms: Of the pipeline; the standard one where None.
        lr: The step size.
        share: The number of steps over the usual.
    """

    text: str
    param: str = ""
    transforms: str | None = None
    lr: float = 0.05
    share: float = 1


@dataclass(frozen=True)
class Subject:
    """A network on the sheet.

    Attributes:
        things: The network, and the layers `MID` and `TOP` with a channel of the latter.
        low: The layer `LOW`.
        logit: A class, as it is written.
        side: Pixels of a picture.
        steps: The usual number of updates.
        scale: How large its activations are beside those of `demo`, and so a penalty must be: `PENALTY(...)`.
    """

    things: Things
    low: str
    logit: str
    side: int
    steps: int
    scale: float = 1

    def written(self, text: str) -> str:
        """Put the network's layers, a unit, a class and the size in their places."""
        known = {"LOW": repr(self.low), "MID": repr(self.things.layer), "TOP": repr(self.things.top)}
        known |= {"UNIT": f"channel({self.things.top!r}, {self.things.channel})", "CLASS": self.logit}
        known["SIZE"] = str(self.side)
        for name, value in known.items():
            text = text.replace(name, value)
        return PENALTY.sub(lambda found: f"{float(found[1]) * self.scale:g}", text)


PLAIN = "identity()"
PARAMS = (
    Entry("image(SIZE)", transforms=PLAIN),
    Entry("image(SIZE)"),
    Entry("image(SIZE, fft=False)", transforms=PLAIN),
    Entry("image(SIZE, fft=False)"),
    Entry("image(SIZE, decorrelate=False)", transforms=PLAIN),
    Entry("image(SIZE, decay=1.5)", transforms=PLAIN),
    Entry("image(SIZE, bounds='clip')", transforms=PLAIN),
    Entry("image(SIZE, spatial=pyramid())", transforms=PLAIN),
    Entry("image(SIZE, batch=4) + shared([1, 3, 16, 16])", transforms=PLAIN),
    Entry("image(SIZE, spatial=cppn(), decorrelate=False)", lr=0.005, share=2),
    Entry("image(SIZE, spatial=maco())", transforms="crops()", lr=0.1),
    Entry("image(SIZE, alpha=True)", transforms="background() | jitter(8)"),
    Entry("image(64, init=drawing)", transforms=PLAIN, share=0.5),
    Entry("image(64, init=drawing, mask=disc)", transforms=PLAIN, share=0.5),
    Entry("image(SIZE, hold={0: 0.5})", transforms=PLAIN),
    Entry("aligned(SIZE, 4)", transforms=PLAIN),
)
OBJECTIVES = (
    Entry("UNIT"),
    Entry("neuron(MID, 5)"),
    Entry("logit(CLASS)"),
    Entry("deepdream(LOW)"),
    Entry("direction(MID, vector, cossim_pow=2)"),
    Entry("tensor_direction(MID, maps)"),
    Entry("whitened_direction(MID, vector, matrix)"),
    Entry("channel_weight(MID, weights)"),
    Entry("spatial_channel(MID, 5, map, cossim_pow=1)"),
    Entry("UNIT + 0.1 * facet(MID, TOP, unit, vector)"),
    Entry("UNIT - PENALTY(0.2) * diversity(MID)", param="image(SIZE, batch=4)"),
    Entry("interpolate(UNIT, channel(MID, 5), 4)"),
    Entry("-logit(CLASS)"),
    Entry("grid(TOP, drawing, cossim_pow=2)", param="image(32)", share=0.5),
    Entry("-inversion(LOW, drawing)", param="image(64)"),
    Entry("caricature(MID, drawing, cossim_pow=1)", param="image(64, init=drawing)", share=0.5),
    Entry("spatial_match(LOW, drawing)", param="image(64)"),
    Entry("-style(LOW, drawing)", param="image(64)"),
    Entry("UNIT - PENALTY(0.0002) * total_variation()"),
    Entry("UNIT - PENALTY(0.02) * boundary_complexity(width=12)"),
    Entry("UNIT - PENALTY(0.1) * contrast_bound(bound=0.2)"),
    Entry("logit(CLASS) - 8 * alpha_coverage()", param="image(SIZE, alpha=True)"),
    Entry("UNIT - ramp(0, 64, total_variation(), 0, PENALTY(0.0003))"),
    Entry("minimum([UNIT, channel(MID, 5)])"),
)
