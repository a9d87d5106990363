"""From a name, a file or a module to a `Model`."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch
from torch import nn

from lucidtorch.base.errors import BadInputError, LucidtorchWarning, WeightsError
from lucidtorch.models.convention import InputConvention
from lucidtorch.models.finding import find
from lucidtorch.models.found_network import FoundNetwork
from lucidtorch.models.labels import read_labels
from lucidtorch.models.model import Model
from lucidtorch.models.model_source import ModelSource
from lucidtorch.models.weights import check_weights_path, file_sha256

NAMED_WEIGHTS = ("default", "random")


def load_model(
    spec: str | nn.Module | Model,
    *,
    weights: str | Path = "default",
    device: str | torch.device = "auto",
    mean: float | Sequence[float] | None = None,
    std: float | Sequence[float] | None = None,
    value_range: Sequence[float] | None = None,
    size: int | Sequence[int] | None = None,
    channels: int | None = None,
    labels: Sequence[str] | str | Path | None = None,
) -> Model:
    """Find a network and learn what it expects of its input.

    Args:
        spec: A module of yours; a torchvision classifier (`vgg16`, `torchvision/vgg16`); a network that ships with
            lucidtorch (`demo`, `demo-judge`, `digits`, `lines`); `inceptionv1`; a `Model` is given back as it is.
        weights: `default` (what ships, what torchvision downloads, what a module has), `random` (the same at each
            call), or the path of a `.safetensors`, `.pth` or `.pt` file; a module of yours is itself filled with it.
        device: Such as `cpu` or `cuda:0`; `auto` leaves a module where it is and takes a GPU for the others.
        mean: One number per channel, or one for all, in units of `value_range`.
        std: One positive number per channel, or one for all, in units of `value_range`.
        value_range: The pair (lo, hi) that images in [0, 1] are stretched to before mean and std.
        size: Height and width in pixels that the network is made for, or one side.
        channels: The number of image channels.
        labels: The names of the classes, or the path of a text file with one name a line.

    Returns:
        The network. One that states no convention is taken as [0, 1], mean 0, std 1, with a warning that says so.

    Raises:
        BadInputError: What was given does not fit; UnknownModelError, WeightsError and DownloadError are kinds of it.
    """
    given: dict[str, Any] = {"mean": mean, "std": std, "value_range": value_range, "size": size, "channels": channels}
    if isinstance(spec, Model):
        _refuse_words(spec, weights, device, labels, *given.values())
        return spec
    place = _device(device)
    names = None if labels is None else read_labels(labels)
    found = find(spec, _weights(weights))
    convention = found.convention.overridden(**given)
    if not convention.stated:
        _warn_of_guess(found.name, convention)
    source = _source(spec, weights, found, convention, given, labels) if isinstance(spec, str) else None
    _move(found.module, place, own=source is None)
    known = found.size_known or size is not None
    chosen = found.labels if names is None else names
    return Model(found.module, convention, name=found.name, source=source, labels=chosen, size_known=known)


def load_source(source: ModelSource, *, device: str | torch.device = "auto") -> Model:
    """Load a network again from what a picture says of it.

    Args:
        source: The record that `Model.source` held.
        device: As for `load_model`.

    Returns:
        The network.

    Raises:
        WeightsError: The weights file now holds something else than it did.
        BadInputError: The network cannot be loaded any more.
    """
    model = load_model(
        source.spec,
        weights=source.weights,
        device=device,
        mean=source.mean,
        std=source.std,
        value_range=source.value_range,
        size=source.size,
        channels=source.channels,
        labels=source.labels,
    )
    found = model.source
    if found is not None and found.sha256 != source.sha256:
        raise WeightsError(
            f"The weights {source.weights!r} of {source.spec} are not those that were used "
            f"(SHA-256 {found.sha256} instead of {source.sha256}); put the file back that was."
        )
    return model


def _weights(weights: str | Path) -> str | Path:
    if weights in NAMED_WEIGHTS:
        return weights
    path = Path(weights).expanduser()
    check_weights_path(path)
    return path


def _source(
    spec: str,
    weights: str | Path,
    found: FoundNetwork,
    convention: InputConvention,
    given: Mapping[str, object],
    labels: Sequence[str] | str | Path | None,
) -> ModelSource:
    """Note what was said, in the words of the convention that came of it."""
    said: dict[str, Any] = {name: getattr(convention, name) for name, value in given.items() if value is not None}
    if labels is not None:
        said["labels"] = str(labels) if isinstance(labels, str | Path) else tuple(labels)
    sha256 = None if found.file is None else file_sha256(found.file)
    return ModelSource(spec, str(weights), sha256, **said)


def _device(device: str | torch.device) -> torch.device | None:
    """Read the device; None stands for `auto`."""
    if device == "auto":
        return None
    try:
        place = torch.device(device)
        torch.zeros(1, device=place).cpu()
    except (RuntimeError, AssertionError, ImportError) as error:
        raise BadInputError(f"The device {str(device)!r} cannot be used here; write 'cpu' or 'auto'.") from error
    return place


def _move(module: nn.Module, place: torch.device | None, *, own: bool) -> None:
    """Put a network where it was asked for; `auto` does not move the caller's own, nor is its mode changed."""
    if not own:
        module.eval()
    if place is None and not own and torch.cuda.is_available():
        place = torch.device("cuda")
    if place is not None:
        module.to(place)


def _warn_of_guess(name: str, convention: InputConvention) -> None:
    warnings.warn(
        f"{name} does not say what input it expects: images go in as they are, in [0, 1], mean 0, std 1, with "
        f"{convention.channels} channels. Say what is right with load_model(..., mean=, std=); mean=0 if this is.",
        LucidtorchWarning,
        stacklevel=3,
    )


def _refuse_words(model: Model, *words: object) -> None:
    """A `Model` has its convention already: what is said about it here would be ignored, so it is refused."""
    unsaid = ("default", "auto", *(None for _ in words[2:]))
    if words != unsaid:
        raise BadInputError(f"{model!r} is loaded already and is taken as it is; say this where it is loaded.")
