"""What an address stands for: a tensor that fires in a forward pass, and how it is read."""

from __future__ import annotations

from dataclasses import dataclass

from lucidtorch.models.layers.outputs import Parts
from lucidtorch.models.layers.views import View, token_views
from lucidtorch.models.layers.walk import Firing, Leaf

WHOLE_NETWORK = "output"  # how whatever the whole network gives is written


@dataclass(frozen=True, slots=True)
class Place:
    """One tensor that fires in a forward pass.

    Args:
        text: Its canonical address.
        firing: The call that gives it.
        parts: The way to it in what the call gives; None where nothing says which tensor is meant.
    """

    text: str
    firing: Firing
    parts: Parts | None

    @property
    def leaf(self) -> Leaf | None:
        """The tensor, or None where nothing says which is meant."""
        return None if self.parts is None else self.firing.leaves[self.parts]

    @property
    def refused(self) -> str | None:
        """Why it cannot be a target, or None where it can."""
        return self.firing.gives if self.leaf is None else self.leaf.refused

    @property
    def views(self) -> dict[str, View]:
        """How it can be read beside its activations, by the word for each."""
        leaf = self.leaf
        tokens = [] if leaf is None else token_views(leaf.layout, leaf.shape)
        of_call = self.firing.views if self.parts == self.firing.main else ()
        return {view.word: view for view in (*tokens, *of_call)}


@dataclass(frozen=True, slots=True)
class Target:
    """What an address stands for.

    Args:
        place: The tensor.
        view: How it is read; None for its activations.
        index: Which token, head or step of the view; all of them where None.
    """

    place: Place
    view: View | None = None
    index: int | None = None

    @property
    def text(self) -> str:
        """Its canonical address."""
        if self.view is None:
            return self.place.text
        index = "" if self.index is None else f"[{self.index}]"
        return f"{self.place.text or WHOLE_NETWORK}[{self.view.word}]{index}"

    @property
    def shape(self) -> tuple[int, ...] | None:
        """What it gives for one image as an activation; None where that is no tensor."""
        if self.view is None:
            return None if self.place.leaf is None else self.place.leaf.shape
        return self.view.shape if self.index is None else self.view.item
