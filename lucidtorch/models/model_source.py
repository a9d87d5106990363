"""How a network can be loaded again."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

from lucidtorch.base.errors import RecipeError


@dataclass(frozen=True, slots=True)
class ModelSource:
    """What was said to `load_model`, so that a picture can name the network it was made with.

    Args:
        spec: The network's name.
        weights: `default`, `random`, or the path of a file as it was given.
        sha256: Of the weights file, or None where no file was read.
        mean: What was given in the place of the network's own, or None; likewise the ones below.
        std: One number per channel.
        value_range: The pair (lo, hi).
        size: Height and width.
        channels: The number of image channels.
        labels: The path of a file, or the names themselves.
    """

    spec: str
    weights: str = "default"
    sha256: str | None = None
    mean: tuple[float, ...] | None = None
    std: tuple[float, ...] | None = None
    value_range: tuple[float, float] | None = None
    size: tuple[int, int] | None = None
    channels: int | None = None
    labels: str | tuple[str, ...] | None = None

    def to_dict(self) -> dict[str, Any]:
        """Write the record as plain data.

        Returns:
            Names and values that JSON and YAML can hold; what was not given is left out.
        """
        given = {one.name: getattr(self, one.name) for one in fields(self)}
        return {name: _plain(value) for name, value in given.items() if value is not None}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ModelSource:
        """Read what `to_dict` wrote.

        Args:
            data: Names and values.

        Returns:
            The record.

        Raises:
            RecipeError: A name is missing or unknown.
        """
        known = [one.name for one in fields(cls)]
        unknown = [name for name in data if name not in known]
        if unknown or not isinstance(data.get("spec"), str):
            what = f"has no field {unknown[0]!r}" if unknown else "needs 'spec', the network's name"
            raise RecipeError(f"The record of a network {what}; its fields are {', '.join(known)}.")
        return cls(**{name: _frozen(value) for name, value in data.items()})


def _plain(value: object) -> object:
    return list(value) if isinstance(value, tuple) else value


def _frozen(value: object) -> Any:
    return tuple(value) if isinstance(value, list) else value
