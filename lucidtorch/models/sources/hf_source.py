"""Vision networks of the Hugging Face hub, or of a folder that `save_pretrained` wrote.

The only modules that import transformers are this one and `hf_convention`, themselves imported when they are needed.
"""

from __future__ import annotations

import contextlib
import pickle
import re
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import safetensors
import transformers
from huggingface_hub import constants, errors
from torch import Tensor, nn
from transformers.utils import logging

from lucidtorch.base.errors import DownloadError, LucidtorchWarning, UnknownModelError, WeightsError
from lucidtorch.base.files import read_text
from lucidtorch.base.known_files import file_name
from lucidtorch.base.records import read_json
from lucidtorch.base.seeds import OwnRandomState
from lucidtorch.base.trust import check_download, check_read, may_download
from lucidtorch.models.inputs.convention import ChannelOrder, InputConvention
from lucidtorch.models.sources.model_source import FoundNetwork
from lucidtorch.models.sources.weights import listed, read_weights

COLOURS = 3
USUAL_SIDE = 224
WHITE = 255  # processors count a pixel's brightness from 0 to this
IMAGES = "pixel_values"  # what such networks call the argument that images are given as
CLASSIFIER = "ForImageClassification"
PROJECTED = "WithProjection"  # the vision tower with the layer that takes it to where texts are compared with it
INDEX = ".index.json"  # of weights that are split into several files
NO_NAME = re.compile(r"LABEL_\d+")
STRICT = getattr(errors, "StrictDataclassError", ValueError)  # of a field of another type, in newer versions
BROKEN = (ValueError, RuntimeError, ImportError, LookupError, TypeError, AttributeError, STRICT)
TRANSFORMERS_ERRORS = (OSError, *BROKEN, pickle.UnpicklingError, safetensors.SafetensorError)


def convention_of(name: str, config: Any, *, fetch: bool = True) -> InputConvention:
    """Read what a network expects of its input."""
    channels = getattr(config, "num_channels", COLOURS)
    try:
        if not name:
            raise OSError("a network that a program built comes from nowhere")
        processor: Any = transformers.AutoImageProcessor.from_pretrained(
            name, trust_remote_code=False, local_files_only=not (fetch and may_download())
        )
    except (OSError, ValueError, KeyError, ImportError, AttributeError):
        size = _size(config, None)
        return InputConvention(channels, size, (0.0, 1.0), (0.0,) * channels, (1.0,) * channels, stated=False)
    try:
        mean, std = _mean_and_std(processor, channels)
    except (TypeError, ValueError) as error:
        raise UnknownModelError(f"hf/{name} states no mean and deviation that can be read: {error}.") from error
    order: ChannelOrder = "bgr" if getattr(processor, "do_flip_channel_order", False) else "rgb"
    return InputConvention(channels, _size(config, processor), _range(processor), mean, std, channel_order=order)


def _size(config: Any, processor: Any) -> tuple[int, int]:
    """Take the size from the configuration, else from what the processor makes: the crop, or the resized image."""
    stated = getattr(config, "image_size", None)
    if isinstance(stated, int):
        return stated, stated
    if isinstance(stated, Sequence):
        return int(stated[0]), int(stated[-1])
    cropped = getattr(processor, "do_center_crop", False)
    sides = dict(getattr(processor, "crop_size" if cropped else "size", None) or {})
    side = sides.get("shortest_edge") or USUAL_SIDE
    return int(sides.get("height") or side), int(sides.get("width") or side)


def _range(processor: Any) -> tuple[float, float]:
    if not getattr(processor, "do_rescale", False):
        return 0.0, float(WHITE)
    factor = processor.rescale_factor
    shift = 1.0 if getattr(processor, "rescale_offset", False) else 0.0
    return 0.0 - shift, round(WHITE * factor, 6) - shift


def _mean_and_std(processor: Any, channels: int) -> tuple[tuple[float, ...], tuple[float, ...]]:
    mean, std = (0.0,) * channels, (1.0,) * channels
    if getattr(processor, "do_normalize", False):
        mean, std = _per_channel(processor.image_mean, channels), _per_channel(processor.image_std, channels)
    if getattr(processor, "include_top", False):  # EfficientNet's processor divides by the deviation once more
        std = tuple(a * b for a, b in zip(std, _per_channel(processor.image_std, channels), strict=True))
    return mean, std


def _per_channel(values: float | Sequence[float], channels: int) -> tuple[float, ...]:
    numbers = (values,) if isinstance(values, int | float) else tuple(values)
    return tuple(map(float, numbers * channels if len(numbers) == 1 else numbers))


def find_in_hf(name: str, weights: str | Path, seed: int) -> FoundNetwork:
    """Build a vision network of the Hugging Face hub and put weights into it.

    The class is the one that the network's configuration names. Of networks that take images and texts, the part is
    taken that sees images alone.
    """
    if Path(name).is_dir():
        _check_folder(Path(name))
    with _quiet():
        config = _configuration(name)
        kind, config = _kind(name, config)
        file = weights if isinstance(weights, Path) else None
        with OwnRandomState(seed)():
            module = _random(kind, config, name) if weights == "random" else _loaded(kind, config, name, file)
        convention = convention_of(name, config)
    labels = _labels(config) if "For" in kind.__name__ else None
    called = f"hf/{file_name(name) if Path(name).is_dir() else name}"
    return FoundNetwork(called, module.float().eval(), convention, labels, file or _file_of(name, weights))


def carried_by(module: nn.Module) -> tuple[InputConvention, tuple[str, ...] | None] | None:
    """Read what a network that a program has carries: its configuration, and where on this machine it came from."""
    if not isinstance(module, transformers.PreTrainedModel) or module.main_input_name != IMAGES:
        return None
    with _quiet():
        convention = convention_of(module.config.name_or_path, module.config, fetch=False)
    return convention, _labels(module.config) if "For" in type(module).__name__ else None


def _check_folder(folder: Path) -> None:
    """Refuse a folder whose files lead out of it: by links, or by the names in the index of weights in pieces."""
    for path in folder.iterdir():
        check_read(path)
        if path.name.endswith(INDEX):
            index = read_json(read_text(path), path.name)
            pieces = index.get("weight_map") if isinstance(index, dict) else None
            for piece in pieces.values() if isinstance(pieces, dict) else ():
                check_read(folder / str(piece))


def _random(kind: Any, config: Any, name: str) -> nn.Module:
    try:
        module: nn.Module = kind(config)
    except BROKEN as error:
        raise UnknownModelError(f"hf/{name} cannot be built from its configuration: {_first_line(error)}") from error
    return module


def _configuration(name: str) -> Any:
    try:
        return transformers.AutoConfig.from_pretrained(
            name, trust_remote_code=False, local_files_only=not may_download()
        )
    except BROKEN as error:
        raise UnknownModelError(f"hf/{name} is no network that transformers knows: {_first_line(error)}") from error
    except OSError as error:
        check_download(f"the network hf/{name}")
        raise DownloadError(
            f"hf/{name} is neither a folder with a config.json nor here already, and could not be fetched "
            f"({_first_line(error)}). Fetch it once where the hub can be reached, or give a folder that "
            "save_pretrained wrote."
        ) from error


def _kind(name: str, config: Any) -> tuple[Any, Any]:
    """Choose the network's class, and the part of the configuration that it is built from."""
    said = config.architectures if isinstance(config.architectures, list) else []
    named = [getattr(transformers, one, None) for one in said if isinstance(one, str)]
    kind = next((one for one in named if hasattr(one, "main_input_name") and hasattr(one, "config_class")), None)
    if kind is None or CLASSIFIER not in kind.__name__:
        config = getattr(config, "vision_config", config)
        if kind is None or type(config) is not kind.config_class:
            kind = _bare(name, config)
    if kind.main_input_name != IMAGES:
        raise UnknownModelError(f"hf/{name} is a {kind.__name__}, which takes {kind.main_input_name} and no images.")
    if hasattr(config, "num_frames"):
        raise UnknownModelError(
            f"hf/{name} takes clips as [B, T, C, H, W]; give a torch.nn.Module of yours that takes [B, C, T, H, W], "
            "transposes it and calls the network."
        )
    return kind, config


def _bare(name: str, config: Any) -> Any:
    """Find the class without a head, or of a vision tower the one with its projection."""
    try:
        kind = transformers.MODEL_MAPPING[type(config)]
    except KeyError as error:
        raise UnknownModelError(
            f"hf/{name} has a {type(config).__name__}, for which transformers has no network of its own; "
            "build it in Python and give the torch.nn.Module."
        ) from error
    return getattr(transformers, f"{kind.__name__}{PROJECTED}", kind)


def _loaded(kind: Any, config: Any, name: str, file: Path | None) -> nn.Module:
    """Load weights by transformers' own rules, which know the older names of many networks' weights."""
    state: dict[str, Tensor] | None = None if file is None else read_weights(file)
    place = name if file is None else None
    try:
        module, notes = kind.from_pretrained(
            place, config=config, state_dict=state, output_loading_info=True, local_files_only=not may_download()
        )
    except TRANSFORMERS_ERRORS as error:
        if file is not None:
            raise WeightsError(f"{file} holds the weights of another network than hf/{name}.") from error
        check_download(f"the weights of hf/{name}")
        raise DownloadError(
            f"The weights of hf/{name} are not here, or cannot be loaded ({_first_line(error)}). Give a state dict of "
            "yours with weights=FILE, take weights='random', or fetch them once where the hub can be reached."
        ) from error
    missing = sorted(notes["missing_keys"])
    if missing and (file is not None or len(missing) >= len(list(module.parameters()))):
        origin = file or f"The folder of hf/{name}"
        raise WeightsError(f"{origin} holds the weights of another network; missing in it: {listed(missing)}.")
    if missing:
        warnings.warn(
            f"The published weights of hf/{name} leave out {listed(missing)}: these are random, and so is what comes "
            "after them.",
            LucidtorchWarning,
            stacklevel=7,  # whoever calls load_model
        )
    result: nn.Module = module
    return result


def _labels(config: Any) -> tuple[str, ...] | None:
    names = {int(number): str(label) for number, label in (config.id2label or {}).items()}
    given = tuple(names[number] for number in sorted(names))
    complete = given and sorted(names) == list(range(len(names)))
    return None if not complete or all(NO_NAME.fullmatch(label) for label in given) else given


def _file_of(name: str, weights: str | Path) -> Path | None:
    file = Path(name) / "model.safetensors"
    return file if weights == "default" and file.is_file() else None


def _first_line(error: Exception) -> str:
    return (str(error).strip().splitlines() or [type(error).__name__])[0]


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Keep transformers quiet about what is checked here anyway, and from requests where nothing may be fetched."""
    before, offline, bars = logging.get_verbosity(), constants.HF_HUB_OFFLINE, logging.is_progress_bar_enabled()
    logging.set_verbosity(logging.CRITICAL)
    logging.disable_progress_bar()
    constants.HF_HUB_OFFLINE = offline or not may_download()  # local_files_only leaves the hub's own requests
    try:
        yield
    finally:
        logging.set_verbosity(before)
        if bars:
            logging.enable_progress_bar()
        constants.HF_HUB_OFFLINE = offline
