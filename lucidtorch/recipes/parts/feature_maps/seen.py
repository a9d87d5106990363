"""A layer on the pictures that a run looks at: what it is, and what was measured of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from lucidtorch.models.layers.dry_run import TRACED_RELUS
from lucidtorch.models.model import Model
from lucidtorch.recipes.parts.feature_maps.sparsity import Measures, leaders, silent


@dataclass(frozen=True)
class LayerSeen:
    """A layer on some pictures.

    Args:
        layer: Its address.
        kind: What it is, and behind what.
        shape: What it gives for one picture.
        classes: The names of its units, where they are classes; empty elsewhere.
        found: What was measured on each picture, filled as they are looked at.
    """

    layer: str
    kind: str
    shape: tuple[int, ...]
    classes: tuple[str, ...]
    found: list[Measures] = field(default_factory=list)

    @classmethod
    def of(cls, model: Model, layer: str, shape: Sequence[int]) -> LayerSeen:
        """Describe a layer before it is looked at."""
        record, before = model.layers[layer], model.layers.before(layer)
        names = {address: alias for alias, address in model.layers.aliases.items()}
        known = record.kind in TRACED_RELUS and before is not None
        kind = f"{record.kind} behind {names.get(str(before), before)}" if known else record.kind
        return cls(layer, kind, tuple(shape), model.classes_of(layer))

    @property
    def is_dense(self) -> bool:
        """Whether it has no places, or one."""
        return all(side == 1 for side in self.shape[1:])

    def called(self, unit: int) -> str:
        """Write a unit within its layer."""
        number, name = str(unit), self.classes[unit] if self.classes else ""
        return f"{number} {name}" if name not in ("", number) else number

    @property
    def facts(self) -> dict[str, Any]:
        """What ``data.json`` says of the layer."""
        words = ("zero", "near", "mean", "size", "low", "high")
        return {
            "kind": self.kind,
            "shape": list(self.shape),
            "silent": silent(self.found),
            "strongest": {f"{self.layer}:{unit}": value for unit, value in leaders(self.found)},
            "pictures": [{word: getattr(one, word) for word in words} for one in self.found],
        }
