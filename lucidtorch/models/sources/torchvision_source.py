"""torchvision's networks by name: classifiers, segmentation, the backbones of detectors, and networks on video."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn
from torchvision import models

from lucidtorch.base.errors import DownloadError
from lucidtorch.base.seeds import OwnRandomState
from lucidtorch.base.trust import check_download
from lucidtorch.models.inputs.convention import InputConvention
from lucidtorch.models.sources.model_source import FoundNetwork
from lucidtorch.models.sources.weights import load_weights, read_weights

TAKEN = (models, models.segmentation, models.detection, models.video)
REFUSED = {
    models.quantization: "holds whole numbers, through which no gradient reaches an image; take {plain!r}",
    models.optical_flow: "compares two images, where only networks on one are taken",
}
FRAMES = 16  # of a clip: what most of them were trained on, and enough for each
BACKBONE = "backbone."
AUXILIARY = re.compile(r"^(aux1|aux2|AuxLogits|aux_classifier)\.")  # heads that only training uses
OLD_NAMES = (  # in published files, and what they are called now
    (re.compile(r"^(.*denselayer\d+\.(?:norm|relu|conv))\.([12]\..*)$"), r"\1\2"),
    (re.compile(r"^(.*\.mlp)\.linear_1\."), r"\1.0."),
    (re.compile(r"^(.*\.mlp)\.linear_2\."), r"\1.3."),
    (re.compile(r"^(fpn\.(?:inner|layer)_blocks\.\d+)\.(weight|bias)$"), r"\1.0.\2"),
)
# Their published weights were trained when torchvision's frozen batch norm divided by the bare standard deviation.
BARE_NORM = (
    "fasterrcnn_resnet50_fpn",
    "maskrcnn_resnet50_fpn",
    "keypointrcnn_resnet50_fpn",
    "retinanet_resnet50_fpn",
)
PUBLISHED_DIGEST = re.compile(r"-([0-9a-f]{8,})\.pth$")  # the file's name holds the first digits of its SHA-256


def torchvision_names() -> list[str]:
    """List torchvision's networks that can be taken."""
    return sorted(name for kind in TAKEN for name in models.list_models(module=kind))


def why_refused(name: str) -> str | None:
    """Say why one of torchvision's networks cannot be taken."""
    for kind, reason in REFUSED.items():
        if name in models.list_models(module=kind):
            return f"torchvision's {name} {reason.format(plain=name.removeprefix('quantized_'))}."
    return None


def find_in_torchvision(name: str, weights: str | Path, seed: int) -> FoundNetwork:
    """Build one of torchvision's networks and put weights into it.

    A detector is taken by its backbone, since what comes after is no function of one image that has a gradient.
    """
    entry = models.get_model_weights(name).DEFAULT
    file = weights if isinstance(weights, Path) else None
    state = read_weights(file) if file else _downloaded(name, entry.url) if weights == "default" else None
    with OwnRandomState(seed)():
        whole: Any = models.get_model(name, weights=None, **_options(name, entry, untrained=state is None))
    detector = name in models.list_models(module=models.detection)
    module: nn.Module = whole.backbone if detector else whole
    if state is not None:
        origin = str(file) if file else f"torchvision's file for {name}"
        load_weights(module, _renamed(_backbone_of(state) if detector else state), name=name, origin=origin)
    if not detector:
        return FoundNetwork(name, module, _convention(name, entry), tuple(entry.meta["categories"]), file)
    if name in BARE_NORM and state is not None and (file is None or file.name == entry.url.rpartition("/")[2]):
        _divide_by_bare_deviation(module)
    return FoundNetwork(name, module, _detectors_convention(whole.transform), None, file)


def _options(name: str, entry: Any, *, untrained: bool) -> dict[str, Any]:
    """Build what the published weights were trained for, whether or not they are loaded."""
    if name in models.list_models(module=models.segmentation) + models.list_models(module=models.detection):
        return {"weights_backbone": None}
    if name in ("googlenet", "inception_v3"):
        return {"transform_input": True, "aux_logits": False, "init_weights": untrained}
    if name.startswith("vit_"):
        return {"image_size": entry.transforms().crop_size[0]}
    return {}


def _convention(name: str, entry: Any) -> InputConvention:
    preset = entry.transforms()
    size = getattr(
        preset, "crop_size", preset.resize_size
    )  # segmentation networks resize the shorter side and do not crop
    height, width = size[0], size[-1]
    clip = (FRAMES,) if name in models.list_models(module=models.video) else ()
    return InputConvention(len(preset.mean), (*clip, height, width), (0.0, 1.0), tuple(preset.mean), tuple(preset.std))


def _detectors_convention(transform: Any) -> InputConvention:
    """Read what a detector does to its images; the shorter side of most becomes `min_size`."""
    height, width = transform.fixed_size or (transform.min_size[-1],) * 2
    return InputConvention(
        len(transform.image_mean),
        (height, width),
        (0.0, 1.0),
        tuple(transform.image_mean),
        tuple(transform.image_std),
    )


def _backbone_of(state: dict[str, Tensor]) -> dict[str, Tensor]:
    """Take the backbone out of a detector's weights; weights of a backbone alone are taken as they are."""
    part = {name.removeprefix(BACKBONE): value for name, value in state.items() if name.startswith(BACKBONE)}
    return part or state


def _renamed(state: dict[str, Tensor]) -> dict[str, Tensor]:
    kept = {name: value for name, value in state.items() if not AUXILIARY.match(name)}
    for old, now in OLD_NAMES:
        kept = {old.sub(now, name): value for name, value in kept.items()}
    return kept


def _divide_by_bare_deviation(module: nn.Module) -> None:
    for part in module.modules():
        if isinstance(part, nn.BatchNorm2d):
            part.eps = 0.0


def _downloaded(name: str, url: str) -> dict[str, Tensor]:
    """Read published weights from torch's cache, into which they are fetched at first use."""
    file = Path(torch.hub.get_dir()) / "checkpoints" / url.rpartition("/")[2]
    if not file.is_file():
        check_download(f"the pretrained weights of {name}")
    digest = PUBLISHED_DIGEST.search(url)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.is_file():
            torch.hub.download_url_to_file(url, str(file), hash_prefix=digest.group(1) if digest else None)
    except (OSError, RuntimeError) as error:
        raise DownloadError(
            f"The weights of {name} could not be downloaded ({error}); write weights=FILE or weights='random', or put "
            f"{url} into {file.parent}."
        ) from error
    return read_weights(file)
