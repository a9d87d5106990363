"""From a name, a file or a module to a `Model`."""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any

import torch
from torch import nn

from lucidtorch.base.checks import checked
from lucidtorch.base.errors import BadInputError, LucidtorchWarning, UnknownModelError
from lucidtorch.base.files import user_path
from lucidtorch.base.known_files import remember
from lucidtorch.base.shown import shown
from lucidtorch.base.trust import PACKAGE, check_read, trusting
from lucidtorch.models.inputs.convention import InputConvention
from lucidtorch.models.inputs.forward_adapter import ExtraInput, ForwardAdapter
from lucidtorch.models.inputs.norm_stats import contradiction
from lucidtorch.models.model import Model
from lucidtorch.models.running.address import Step
from lucidtorch.models.sources.finding import find
from lucidtorch.models.sources.labels import read_labels
from lucidtorch.models.sources.model_source import FoundNetwork, ModelSource
from lucidtorch.models.sources.weights import check_weights_path, file_sha256

NAMED_WEIGHTS = ("default", "random")
NORMALIZING = ("mean", "std", "value_range", "channel_order")  # what the first batch norm can contradict


def read_device(device: str | torch.device) -> torch.device | None:
    """Read a device, and make sure that it is there."""
    if device == "auto":
        return None
    try:
        place = torch.device(device)
        torch.zeros(1, device=place).cpu()
    except (RuntimeError, AssertionError, ImportError) as error:
        raise BadInputError(f"The device {str(device)!r} cannot be used here; write 'cpu' or 'auto'.") from error
    return place


def move(module: nn.Module, place: torch.device | None, *, own: bool) -> None:
    """Put a network where it was asked for, in eval mode."""
    if not own:
        module.eval()
    if place is None and not own and torch.cuda.is_available():
        place = torch.device("cuda")
    if place is not None:
        module.to(place)


@checked
def load_model(
    spec: Annotated[str | Path | nn.Module | Model, UnknownModelError],
    *,
    weights: str | Path = "default",
    device: str | torch.device = "auto",
    mean: float | Sequence[float] | str | Path | None = None,
    std: float | Sequence[float] | None = None,
    value_range: Sequence[float] | None = None,
    channel_order: str | None = None,
    size: int | Sequence[int] | None = None,
    channels: int | None = None,
    labels: Sequence[str] | str | Path | None = None,
    inputs: Mapping[str, ExtraInput] | None = None,
    output: Step | None = None,
    trace: bool = False,
    trust: bool = False,
) -> Model:
    """Find a network and learn what it expects of its input.

    Args:
        spec: A module of yours; a torchvision network (`vgg16`, `torchvision/vgg16`); `timm/NAME`; `hf/NAME`, on the
            hub or in a folder; a file of yours with a function that makes one (`path/to/file.py:factory`); a program
            (`.pt2` of torch.export, TorchScript's `.pt`); a network that ships with lucidtorch (`demo`, `demo-judge`,
            `digits`, `lines`); `inceptionv1`; a `Model` is given back as it is.
        weights: `default` (what ships, what is downloaded, what a module or a factory has), `random` (the same at each
            call), or the path of a `.safetensors`, `.pth` or `.pt` file; a module of yours is itself filled with it.
        device: Such as `cpu` or `cuda:0`; `auto` leaves a module where it is and takes a GPU for the others.
        mean: One number per channel, or one for all, in units of `value_range`; or the path of a mean image (`.npy`,
            `.pth`, `.pt`, or a picture), which is brought to the size of the images.
        std: One positive number per channel, or one for all, in units of `value_range`.
        value_range: The pair (lo, hi) that images in [0, 1] are stretched to before mean and std.
        channel_order: `rgb`, or `bgr` for a network that takes blue first; mean and std then stand in that order too.
        size: Height and width in pixels that the network is made for, or one side; (time, height, width) for a network
            that takes clips or volumes.
        channels: The number of image channels.
        labels: The names of the classes, or the path of a text file with one name a line or of a JSON file.
        inputs: What `forward` takes beside the images, by the name of the parameter: a tensor, with one row for all
            images or one for each, a function of the normalized images, or a plain value. The images go to the first
            parameter that is not named here.
        output: Which part of what the network gives is its output: a key, a place, or a function that picks it.
        trace: Whether to take the traced view of the network, in which functional operations are layers too, under
            torchvision's names.
        trust: Whether you know where a saved program (`.pt2`, TorchScript) comes from: reading one can run code that
            is hidden in it, so that it is refused otherwise. Everything else is read without running what it holds,
            but for the Python file that you name as `FILE.py:FUNCTION`.

    Returns:
        The network. One that states no convention is taken as [0, 1], mean 0, std 1, with a warning that says so.
        There is a warning too when the first batch norm contradicts what was said of the input.

    Raises:
        BadInputError: What was given does not fit; UnknownModelError, WeightsError, DownloadError and UntrustedError
            are kinds of it.
    """
    given: dict[str, Any] = {
        "mean": mean,
        "std": std,
        "value_range": value_range,
        "channel_order": channel_order,
        "size": size,
        "channels": channels,
    }
    if isinstance(spec, Model):
        _refuse_words(spec, weights, device, trace, labels, inputs, output, *given.values())
        return spec
    spec = str(spec) if isinstance(spec, Path) else spec
    _check_output(output)
    place = read_device(device)
    names = None if labels is None else read_labels(labels)
    with trusting(trust):
        found = find(spec, _weights(weights))
    convention = found.convention.overridden(**given)
    feed = ForwardAdapter(found.module, inputs or {}, found.name)
    move(found.module, place, own=isinstance(spec, nn.Module))
    if not convention.stated or any(given[word] is not None for word in NORMALIZING):
        _warn_of_doubts(found, feed, convention)
    module = _traced(found.module, inputs or {}) if trace else found.module
    return Model(
        module,
        convention,
        name=found.name,
        source=None if inputs else _source(spec, str(weights), found, convention, given, labels, output, trace=trace),
        labels=found.labels if names is None else names,
        size_known=found.size_known or size is not None,
        feed=ForwardAdapter(module, inputs or {}, found.name) if trace else feed,
        output=output,
        note=found.note,
        heads=found.heads,
    )


@checked
def load_source(source: ModelSource, *, device: str | torch.device = "auto", trust: bool = True) -> Model:
    """Load a network again that this program had loaded before.

    The record is a value of your own program and is trusted like the words that you type; what a picture says of a
    network goes through `follow_source`.

    Args:
        source: The record that `Model.source` held.
        device: As for `load_model`.
        trust: As for `load_model`; a saved program that was loaded once is trusted.

    Returns:
        The network.

    Raises:
        WeightsError: The weights file, the file of the mean or the file with the network's code now holds something
            else than it did.
        BadInputError: The network cannot be loaded any more.
    """
    model = load_model(
        source.spec,
        weights=source.weights,
        trust=trust,
        device=device,
        mean=source.mean,
        std=source.std,
        value_range=source.value_range,
        channel_order=source.channel_order,
        size=source.size,
        channels=source.channels,
        labels=source.labels,
        output=source.output,
        trace=source.trace,
    )
    if model.source is not None:
        source.check_unchanged(model.source)
    return model


def _weights(weights: str | Path) -> str | Path:
    if weights in NAMED_WEIGHTS:
        return weights
    path = user_path(weights)
    check_read(path)
    check_weights_path(path)
    return path


def _source(
    spec: str | nn.Module,
    weights: str,
    found: FoundNetwork,
    convention: InputConvention,
    given: Mapping[str, Any],
    labels: Sequence[str] | str | Path | None,
    output: Step | None,
    *,
    trace: bool,
) -> ModelSource | None:
    """Note what was said, in the words of the convention that came of it; None where it cannot be written down."""
    if not isinstance(spec, str) or callable(output):
        return None
    said: dict[str, Any] = {name: getattr(convention, name) for name, value in given.items() if value is not None}
    said |= {"output": output, "trace": trace}
    mean = given["mean"]
    if isinstance(mean, str | Path):
        said |= {"mean": str(mean), "mean_sha256": _checksum(Path(mean))}
    if isinstance(labels, str | Path):
        said |= {"labels": str(labels), "labels_sha256": _checksum(Path(labels))}
    elif labels is not None:
        said["labels"] = tuple(labels)
    said["sha256"], said["code_sha256"] = (file and _checksum(file) for file in (found.file, found.code))
    return ModelSource(spec, weights, **said)


def _checksum(file: Path) -> str:
    """Sum a file up, and remember on this machine where the user keeps it."""
    path = user_path(file)
    found = file_sha256(path)
    if not path.is_relative_to(PACKAGE):
        remember(found, str(path.resolve()))
    return found


def _check_output(output: object) -> None:
    if isinstance(output, bool) or not (output is None or isinstance(output, str | int) or callable(output)):
        raise BadInputError(
            f"output is a key, a place or a function that picks a part of what the network gives, but {shown(output)} "
            f"was given; write output='logits', output=0 or output=lambda given: given.logits."
        )


def _traced(module: nn.Module, inputs: Iterable[str]) -> nn.Module:
    # Here and not at the top: only this view needs torchvision, which takes long to import.
    from lucidtorch.models.sources.traced import traced

    return traced(module, tuple(inputs))


def _warn_of_doubts(found: FoundNetwork, feed: ForwardAdapter, convention: InputConvention) -> None:
    """Say in one warning that the convention is a guess, and what speaks against it."""
    doubt = contradiction(found.module, feed.with_any_batch(), convention, found.name)
    guess = (
        f"{found.name} does not say what input it expects: images go in as they are, in [0, 1], mean 0, std 1, with "
        f"{convention.channels} channels. Say what is right with load_model(..., mean=, std=); mean=0 if this is."
    )
    said = [sentence for sentence in (None if convention.stated else guess, doubt) if sentence is not None]
    if said:
        warnings.warn(" ".join(said), LucidtorchWarning, stacklevel=4)


def _refuse_words(model: Model, weights: object, device: object, trace: bool, *words: object) -> None:
    """A `Model` has its convention already: what is said about it here would be ignored, so it is refused."""
    if (weights, device, trace) != ("default", "auto", False) or any(word is not None for word in words):
        raise BadInputError(f"{model!r} is loaded already and is taken as it is; say this where it is loaded.")
