"""The network of a recipe: how it is named, loaded, and written down."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from lucidtorch.base.errors import WeightsError
from lucidtorch.base.records import MOST_CHANNELS, Side
from lucidtorch.base.trust import check_read
from lucidtorch.models.following import located
from lucidtorch.models.loading import NAMED_WEIGHTS, load_source, read_device
from lucidtorch.models.model import Model
from lucidtorch.models.sources.model_source import ModelSource
from lucidtorch.recipes.blame import FieldError, blamed

# The checksums of a source, and what they are of, as `made_with.files` names it.
CHECKSUMS = {"sha256": "weights", "code_sha256": "code", "mean_sha256": "mean", "labels_sha256": "labels"}
OWN_FIELDS = ("weights",)  # of a source that stand at the top of a recipe


class Network(BaseModel):
    """A network about whose input something is to be said; the fields are those of `load_model`.

    Attributes:
        spec: Its name, or the path of the file that makes or holds it.
        mean: What is subtracted from the input, a number per channel, or the path of a mean image.
        std: What the input is divided by, a number per channel.
        value_range: What images in [0, 1] are stretched to first.
        channel_order: The order of the colours in the network's input.
        size: Height and width of the input that the network was made for.
        channels: The number of channels of its input.
        labels: The path of a file with the names of the classes, or the names.
        output: The key or the place of the part of the output that is meant.
        trace: Whether functional operations are layers too.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, protected_namespaces=())

    spec: str = Field(description="A name such as vgg16, timm/NAME, hf/NAME, or path/to/file.py:factory.")
    mean: tuple[float, ...] | float | str | None = Field(
        default=None, description="Subtracted from the input; or a file."
    )
    std: tuple[float, ...] | float | None = Field(default=None, description="What the input is divided by.")
    value_range: tuple[float, float] | None = Field(
        default=None, description="What [0, 1] is stretched to before mean and std."
    )
    channel_order: Literal["rgb", "bgr"] | None = Field(default=None, description="The order of the input's colours.")
    size: Side | Annotated[tuple[Side, ...], Field(min_length=1, max_length=3)] | None = Field(
        default=None, description="The size of the input that it was made for."
    )
    channels: int | None = Field(
        default=None, ge=1, le=MOST_CHANNELS, description="The number of channels of its input."
    )
    labels: str | tuple[str, ...] | None = Field(
        default=None, description="A file with the names of the classes, or the names."
    )
    output: str | int | None = Field(default=None, description="Which part of the network's output is meant.")
    trace: bool = Field(default=False, description="Whether functional operations are layers too.")


def load_network(
    model: str | Network,
    weights: str,
    device: str,
    *,
    sums: Mapping[str, str] | None = None,
    base: Path | None = None,
    typed: Sequence[str] = (),
) -> Model:
    """Load the network of a recipe."""
    said = Network(spec=model) if isinstance(model, str) else model
    with blamed("device"):
        read_device(device)
    if weights not in NAMED_WEIGHTS and not sums:
        with blamed("weights"):
            check_read(Path(weights))
    with blamed("model"), _weights_apart(weights):
        source = ModelSource(**said.model_dump(exclude_none=True), weights=weights)
        if sums:
            checksums: dict[str, Any] = {word: sums.get(what) for word, what in CHECKSUMS.items()}
            if "weights" in typed or ("spec" in typed and weights in NAMED_WEIGHTS):
                checksums["sha256"] = None
            if "spec" in typed:
                checksums["code_sha256"] = None
            source = located(replace(source, **checksums), base or Path(), typed=typed)
        return load_source(source, device=device, trust=False)


@contextlib.contextmanager
def _weights_apart(weights: str) -> Iterator[None]:
    """Say of a file of weights that the fault is its own."""
    try:
        yield
    except WeightsError as error:
        raise FieldError(("model" if weights in NAMED_WEIGHTS else "weights",), str(error)) from error


def network_fields(source: ModelSource) -> dict[str, Any]:
    """Write a network down as a recipe names it."""
    source = source.portable()
    said = {name: value for name, value in source.to_dict().items() if name not in (*CHECKSUMS, *OWN_FIELDS)}
    sums = {what: getattr(source, name) for name, what in CHECKSUMS.items() if getattr(source, name) is not None}
    return {
        "model": source.spec if list(said) == ["spec"] else Network.model_validate(said),
        "weights": source.weights,
        "files": sums,
    }
