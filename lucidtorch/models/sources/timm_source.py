"""timm's networks by name: the only module that imports timm, itself imported when it is needed."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import timm
import timm.data
import torch
from huggingface_hub import try_to_load_from_cache
from torch import Tensor, nn

from lucidtorch.base.errors import DownloadError, UnknownModelError, suggestion
from lucidtorch.base.seeds import OwnRandomState
from lucidtorch.base.trust import check_download, may_download
from lucidtorch.models.inputs.convention import InputConvention
from lucidtorch.models.sources.model_source import FoundNetwork
from lucidtorch.models.sources.weights import fits, load_weights, read_weights

PREFIX = "timm/"
HUB_FILES = ("model.safetensors", "pytorch_model.bin")  # what the hub's repositories call their weights


def find_in_timm(name: str, weights: str | Path, seed: int) -> FoundNetwork:
    """Build one of timm's networks and put weights into it."""
    _check_name(name)
    file = weights if isinstance(weights, Path) else None
    state = read_weights(file) if file else None
    with OwnRandomState(seed)():
        module = _fetched(name) if weights == "default" else timm.create_model(name)
    if state is not None:
        load_weights(module, _translated(state, module, name), name=f"{PREFIX}{name}", origin=str(file))
    return FoundNetwork(f"{PREFIX}{name}", module, convention_of(module), labels_of(module), file)


def _check_name(name: str) -> None:
    architecture, _, tag = name.partition(".")
    if not timm.is_model(architecture):
        raise UnknownModelError(f"timm has no network {name!r}. {suggestion(name, timm.list_models())}")
    tagged = timm.list_models(f"{architecture}.*", pretrained=True)
    if tag and name not in tagged:
        known = [one for one in tagged if one.partition(".")[0] == architecture]
        raise UnknownModelError(f"timm has no weights {tag!r} of {architecture}. {suggestion(name, known)}".rstrip())


def _fetched(name: str) -> nn.Module:
    overlay = None if may_download() else {"file": str(_cached(name))}
    try:
        module: nn.Module = timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay)
    except (OSError, RuntimeError, ValueError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise DownloadError(
            f"The pretrained weights of timm's {name} are not here and could not be fetched ({reason}). Give a state "
            "dict of yours with weights=FILE, take weights='random', or fetch them once where the hub can be reached."
        ) from error
    return module


def _cached(name: str) -> Path:
    """Find the weights on this machine, and ask for nothing."""
    entry = timm.get_pretrained_cfg(name)
    names = (entry.hf_hub_filename, *HUB_FILES)
    places = [try_to_load_from_cache(entry.hf_hub_id, one) for one in names if entry.hf_hub_id and one]
    places += [str(Path(torch.hub.get_dir()) / "checkpoints" / entry.url.rpartition("/")[2])] if entry.url else []
    found = [Path(one) for one in places if isinstance(one, str) and Path(one).is_file()]
    if not found:
        check_download(f"the pretrained weights of timm's {name}")
    return found[0]


def _translated(state: dict[str, Tensor], module: nn.Module, name: str) -> dict[str, Tensor]:
    """Let timm rename what other projects published, where the names are not the network's own already."""
    origin = sys.modules[timm.model_entrypoint(name.partition(".")[0]).__module__]
    translate: Any = getattr(origin, "checkpoint_filter_fn", None)
    if translate is None or fits(module, state):
        return state
    try:
        return dict(translate(dict(state), module))
    except (LookupError, RuntimeError, ValueError, TypeError, AttributeError):
        return state  # of another network, which `load_weights` says better


def convention_of(module: nn.Module) -> InputConvention:
    """Read what a network expects of its input."""
    stated = timm.data.resolve_model_data_config(module)
    channels, height, width = stated["input_size"]
    mean, std = (tuple(map(float, stated[word])) for word in ("mean", "std"))
    if len(mean) == 1:
        mean, std = mean * channels, std * channels
    return InputConvention(channels, (height, width), (0.0, 1.0), mean, std)


def labels_of(module: Any) -> tuple[str, ...] | None:
    """Name the classes of a network where they are ImageNet's."""
    subset = timm.data.infer_imagenet_subset(module)
    return None if subset is None else tuple(timm.data.ImageNetInfo(subset).label_descriptions())
