"""One tensor operation of a forward pass, as the rules that follow axes see it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from torch import Tensor

from lucidtorch.models.axes.facts import Facts


@dataclass(frozen=True, slots=True)
class Operation:
    """One tensor operation as it ran.

    Args:
        name: Its name in ATen, without overload and without the underscore of the in-place form.
        given: Its arguments by name, with defaults filled in.
        sources: The tensors among the arguments that depend on the image, each with what is known of it.
        outputs: Its results that are tensors.
    """

    name: str
    given: dict[str, Any]
    sources: Sequence[tuple[Tensor, Facts]]
    outputs: Sequence[Tensor]

    @property
    def tensor(self) -> Tensor:
        """The first tensor that depends on the image."""
        return self.sources[0][0]

    @property
    def facts(self) -> Facts:
        """What is known of that tensor."""
        return self.sources[0][1]

    @property
    def output(self) -> Tensor:
        """The first of the results."""
        return self.outputs[0]

    def facts_of(self, value: object) -> Facts | None:
        """Look up an argument.

        Args:
            value: One of the arguments.

        Returns:
            What is known of it; None where it does not depend on the image.
        """
        return next((facts for tensor, facts in self.sources if tensor is value), None)

    def dimensions(self, name: str = "dim") -> list[int]:
        """Read an argument that names dimensions of the first tensor.

        Args:
            name: The argument.

        Returns:
            The dimensions, counted from the front; all where the argument is None or empty.
        """
        rank = max(self.tensor.dim(), 1)
        value = self.given.get(name)
        listed = [value] if isinstance(value, int) else list(value or range(rank))
        return [dimension % rank for dimension in listed]


Rule: TypeAlias = Callable[[Operation], Facts | Sequence[Facts]]
