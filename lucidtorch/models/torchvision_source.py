"""torchvision's classifiers by name: the only module that imports torchvision, itself imported when it is needed."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchvision import models

from lucidtorch.base.errors import DownloadError, UnknownModelError, suggestion
from lucidtorch.base.seeds import OwnRandomState
from lucidtorch.models.convention import InputConvention
from lucidtorch.models.found_network import FoundNetwork
from lucidtorch.models.weights import load_weights, read_weights

AUXILIARY = re.compile(r"^(aux1|aux2|AuxLogits)\.")  # heads that only training uses
DENSENET_NAMES = re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$")  # `norm.1` in published files
PUBLISHED_DIGEST = re.compile(r"-([0-9a-f]{8,})\.pth$")  # the file's name holds the first digits of its SHA-256


def torchvision_names() -> list[str]:
    """List torchvision's classification networks.

    Returns:
        Their names, sorted.
    """
    return sorted(models.list_models(module=models))


def find_in_torchvision(name: str, weights: str | Path, seed: int) -> FoundNetwork:
    """Build one of torchvision's classifiers and put weights into it.

    Args:
        name: One of `torchvision_names()`.
        weights: `default` for torchvision's own, which are downloaded at first use; `random`; or a file.
        seed: Where random weights start from.

    Returns:
        The network, with the convention and labels of its default weights whatever the weights are.

    Raises:
        UnknownModelError: torchvision has no such classifier.
        DownloadError: The default weights are not here and cannot be fetched.
        WeightsError: The file cannot be used.
    """
    if name not in torchvision_names():
        raise UnknownModelError(f"torchvision has no classifier {name!r}. {suggestion(name, torchvision_names())}")
    entry = models.get_model_weights(name).DEFAULT
    file = weights if isinstance(weights, Path) else None
    state = read_weights(file) if file else _downloaded(name, entry.url) if weights == "default" else None
    with OwnRandomState(seed)():
        module: nn.Module = models.get_model(name, weights=None, **_options(name, entry, untrained=state is None))
    if state is not None:
        origin = str(file) if file else f"torchvision's file for {name}"
        load_weights(module, _renamed(name, state), name=name, origin=origin)
    return FoundNetwork(name, module, _convention(entry), tuple(entry.meta["categories"]), file)


def _options(name: str, entry: Any, *, untrained: bool) -> dict[str, Any]:
    """Build what the published weights were trained for, whether or not they are loaded."""
    if name in ("googlenet", "inception_v3"):
        return {"transform_input": True, "aux_logits": False, "init_weights": untrained}
    if name.startswith("vit_"):
        return {"image_size": entry.transforms().crop_size[0]}
    return {}


def _convention(entry: Any) -> InputConvention:
    preset = entry.transforms()
    height, width = preset.crop_size[0], preset.crop_size[-1]
    return InputConvention(len(preset.mean), (height, width), (0.0, 1.0), tuple(preset.mean), tuple(preset.std))


def _renamed(name: str, state: dict[str, Tensor]) -> dict[str, Tensor]:
    if name in ("googlenet", "inception_v3"):
        return {key: value for key, value in state.items() if not AUXILIARY.match(key)}
    if name.startswith("densenet"):
        return {DENSENET_NAMES.sub(r"\1\2", key): value for key, value in state.items()}
    return state


def _downloaded(name: str, url: str) -> dict[str, Tensor]:
    """Read published weights from torch's cache, into which they are fetched at first use."""
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    digest = PUBLISHED_DIGEST.search(url)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.is_file():
            torch.hub.download_url_to_file(url, str(file), hash_prefix=digest.group(1) if digest else None)
    except (OSError, RuntimeError) as error:
        raise DownloadError(
            f"The pretrained weights of {name} are not here and could not be downloaded ({error}). Give a state dict "
            f"of yours with weights=FILE, take weights='random', or put {url} into {file.parent}."
        ) from error
    return read_weights(file)
