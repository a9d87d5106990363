"""Objectives on one of several networks: `of` says which."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any

from torch import Tensor

from lucidtorch.base.checks import checked
from lucidtorch.base.errors import ObjectiveError
from lucidtorch.base.shown import shown
from lucidtorch.objectives.algebra import Objective, Operand
from lucidtorch.objectives.images import Part
from lucidtorch.objectives.references import INPUT
from lucidtorch.objectives.term import Term
from lucidtorch.objectives.trace import Activations, Trace

SEPARATOR = "/"  # between the name of a network and an address in it


@dataclass(frozen=True, repr=False)
class Of(Objective):
    """An objective on one of several networks.

    Args:
        network: The name under which `render` gets that network.
        inner: What is asked of it.

    Raises:
        ObjectiveError: The name is empty or holds a slash, or there is an `of` inside.
    """

    network: str
    inner: Objective

    def __post_init__(self) -> None:
        if not self.network or SEPARATOR in self.network:
            raise ObjectiveError(
                f"`of` takes the name of a network, without a slash, but {shown(self.network)} was given."
            )
        if any(isinstance(node, Of) for node in self.inner.walk()):
            raise ObjectiveError(
                f"One `of` stands inside another, but each term is asked of one network: {self!r:.200}."
            )

    @property
    def plain(self) -> Objective:
        """The same with the network's name in every address."""
        return self.inner.mapped(self._named)

    def _named(self, node: Objective) -> Objective:
        if isinstance(node, Of):
            return node.plain
        if not isinstance(node, Term):
            return node
        layers = {name: value for name, value in node.arguments if name.startswith("layer") and value != INPUT}
        for value in layers.values():
            if value is not None and not isinstance(value, str):
                raise ObjectiveError(f"Inside `of`, write the address of the layer as text, not {shown(value)}.")
        return node.replaced(**{name: f"{self.network}{SEPARATOR}{value}" for name, value in layers.items() if value})

    def walk(self) -> Iterator[Objective]:
        """Go through this expression and all its parts, with the network's name in every address."""
        yield self
        yield from self.plain.walk()

    def terms(self, sign: int = 1) -> Iterator[tuple[int, Objective]]:
        yield from self.plain.terms(sign)

    def children(self) -> tuple[Operand, ...]:
        return (self.inner,)

    def rebuilt(self, children: tuple[Any, ...]) -> Objective:
        return Of(self.network, children[0])

    def evaluate(self, activations: Activations, trace: Trace) -> Tensor:
        return self.plain.evaluate(activations, trace)

    def __repr__(self) -> str:
        return f"of({self.network!r}, {self.inner!r})"


@checked
def of(network: Annotated[str, ObjectiveError], inner: Part) -> Objective:
    """Ask one of several networks, by the name under which the render got it.

    Formula: the objective itself, with every address read as ``name/layer``.
    Source: captum.optim and torch-dreams optimize several networks at once.

    Args:
        network: The name under which `render` gets that network.
        inner: What is asked of it; the image's own terms stay the image's.

    Returns:
        The objective.

    Raises:
        ObjectiveError: The name is no text without a slash, or there is no objective.

    Example:
        >>> from lucidtorch.objectives import channel
        >>> both = of("demo", channel("conv2_1", 3)) - of("judge", channel("conv2_1", 3))
        >>> both.layers
        ('demo/conv2_1', 'judge/conv2_1')
    """
    return Of(network, inner)


def without_of(objective: Objective) -> Objective:
    """Write the name of its network into every address of an expression."""
    return objective.mapped(lambda node: node.plain if isinstance(node, Of) else node)
