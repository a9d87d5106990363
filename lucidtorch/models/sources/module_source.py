"""Modules of the user's, as they are or built by a function in a Python file, and what they carry of their input."""

from __future__ import annotations

import contextlib
import sys
import traceback
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn
from torch.nn.parameter import UninitializedBuffer, UninitializedParameter

from lucidtorch.base.errors import UnknownModelError, WeightsError, suggestion
from lucidtorch.base.files import user_path
from lucidtorch.base.plugins import SUFFIX, import_file
from lucidtorch.base.seeds import OwnRandomState
from lucidtorch.base.surroundings import default_device_of_network
from lucidtorch.base.trust import check_code
from lucidtorch.models.inputs.convention import InputConvention, guess, guessed_input
from lucidtorch.models.inputs.norm_stats import natural_images
from lucidtorch.models.running.frozen import probing
from lucidtorch.models.sources.model_source import FoundNetwork
from lucidtorch.models.sources.program_source import scripted_network
from lucidtorch.models.sources.weights import load_weights, read_weights

COMPILED_FROM = "_orig_mod"  # where torch.compile keeps the module that it was given


class Carried(NamedTuple):
    """What a module carries of its input, a guess where only the size is known, and the names of its classes."""

    convention: InputConvention
    labels: tuple[str, ...] | None


def carried(module: nn.Module) -> Carried | None:
    """Read what a network carries of its input, itself or in a part that it hands its input to as it is.

    Such a part is what a wrapper wraps (data parallelism, moving averages, compilers, modules for training). One that
    gets something else than the network, as after a normalization, says nothing of the network's input.
    """
    found: list[tuple[nn.Module, Carried]] = []
    for part, one in _carriers(module):
        inside = any(part is inner for outer, known in found if known.convention.stated for inner in outer.modules())
        if not inside and (part is module or _gets_all(module, part, one.convention)):
            found.append((part, one))
    stated = [one for _, one in found if one.convention.stated] or [one for _, one in found]
    return stated[0] if stated and all(one.convention == stated[0].convention for one in stated) else None


def _carriers(module: nn.Module) -> Iterator[tuple[nn.Module, Carried]]:
    """The parts with a configuration, outer ones first."""
    for part in module.modules():
        told = None
        if "timm" in sys.modules and isinstance(vars(part).get("pretrained_cfg"), Mapping):
            told = _of_timm(part)
        elif "transformers" in sys.modules and "config" in vars(part):
            from lucidtorch.models.sources.hf_source import carried_by  # transformers is loaded already

            told = None if (known := carried_by(part)) is None else Carried(*known)
        if told is not None:
            yield part, told


def _of_timm(part: Any) -> Carried | None:
    # Here and not at the top: timm takes long to import, and is loaded already where a module of it is.
    from lucidtorch.models.sources.timm_source import convention_of, labels_of

    if not {"input_size", "mean", "std"} <= set(part.pretrained_cfg):
        return None
    convention = convention_of(part)
    made_for = getattr(getattr(part, "patch_embed", None), "img_size", None) or convention.size  # `img_size=` of timm
    convention = convention.overridden(size=tuple(made_for))
    channels = _image_channels(part, convention)
    if channels != convention.channels:  # `in_chans=` of timm: its configuration goes on speaking of colours
        return Carried(guess(channels, convention.size), labels_of(part))
    return Carried(convention, labels_of(part))


def _image_channels(part: Any, convention: InputConvention) -> int:
    """The number of image channels that a network of timm takes.

    What timm wrote stands above the first convolution, which may come after the pixels of a block were made channels;
    where both differ, a pass decides, since a convolution may have been replaced.
    """
    seen = guessed_input(part)[0]
    written = getattr(part, "in_chans", None) or convention.channels  # an attribute of timm's networks since 1.0.20
    if seen == written:
        return seen
    candidates = dict.fromkeys((written, convention.channels, seen))
    return next((one for one in candidates if _takes(part, guess(one, convention.size))), written)


def _takes(part: nn.Module, convention: InputConvention) -> bool:
    """Whether a pass of one such image goes through; unknown, and taken for no, where the weights are no numbers."""
    images = _one_image(part, convention)
    if images is None:
        return False
    with probing(part) as attempt, default_device_of_network(images.device):
        part(images)
    return attempt.reason is None


def _one_image(module: nn.Module, convention: InputConvention) -> Tensor | None:
    """An image on the device and of the type of a network; None where its weights are on the meta device."""
    weight = next((one for one in module.parameters() if one.is_floating_point()), None)
    if weight is None or weight.is_meta:
        return None
    return natural_images(convention.channels, convention.size, 1).to(weight.device, weight.dtype)


def _gets_all(module: nn.Module, part: nn.Module, convention: InputConvention) -> bool:
    """Whether a part gets the network's very input, seen on one image."""
    images = _one_image(module, convention)
    if images is None:
        return False
    given: list[object] = []

    def note(_: nn.Module, args: tuple[Any, ...], words: dict[str, Any]) -> None:
        given.extend((*args, *words.values()))

    with probing(module):
        handle = part.register_forward_pre_hook(note, with_kwargs=True)
        try:
            with default_device_of_network(images.device):
                module(images.clone())
        finally:
            handle.remove()
    return any(isinstance(one, Tensor) and one.shape == images.shape and torch.equal(one, images) for one in given)


def find_in_module(module: nn.Module, weights: str | Path, name: str | None = None) -> FoundNetwork:
    """Take a module as it is, with what it carries of its input; without that, guess."""
    module = getattr(module, COMPILED_FROM, module)
    name = type(module).__name__ if name is None else name
    if weights == "random":
        raise WeightsError("weights='random' is for networks with a name; a module is taken with the weights it has.")
    file = weights if isinstance(weights, Path) else None
    if file is not None:
        load_weights(module, read_weights(file), name=name, origin=str(file))
    tensors = (*module.parameters(), *module.buffers())
    if any(isinstance(one, UninitializedParameter | UninitializedBuffer) for one in tensors):
        raise WeightsError(
            f"{name} has lazy layers, whose weights are made by a first pass; run it once before it is loaded, such as "
            "net(torch.zeros(1, 3, 224, 224))."
        )
    if isinstance(module, torch.jit.ScriptModule):
        return scripted_network(module, name, file)
    if (known := carried(module)) is not None:
        return FoundNetwork(name, module, known.convention, known.labels, file)
    return FoundNetwork(name, module, guess(*guessed_input(module)), None, file, size_known=False)


def find_in_file(spec: str, weights: str | Path, seed: int) -> FoundNetwork:
    """Import a Python file and let one of its functions build a network.

    The file is run anew at each call, and other files beside it can be imported by it. What it draws at random comes
    from streams of its own, so that it is the same at each call.
    """
    text, _, factory = spec.rpartition(":")
    path = user_path(text)
    if not text.endswith(SUFFIX) or not factory.isidentifier():
        raise UnknownModelError(f"{spec} names no function: write FILE{SUFFIX}:FUNCTION, such as net{SUFFIX}:build.")
    check_code(path)
    if not path.is_file():
        raise UnknownModelError(f"There is no file {path}, so {factory!r} of it cannot build a network.")
    if weights == "random":
        raise WeightsError(f"{spec} gives the network its weights itself; leave weights='random' out.")
    with OwnRandomState(seed)(), _importable(path.resolve().parent), _told(path):
        network = _built(import_file(path), factory, spec)
    return replace(find_in_module(network, weights, f"{path.name}:{factory}"), code=path)


def _built(module: Any, factory: str, spec: str) -> nn.Module:
    maker = getattr(module, factory, None)
    if maker is None or not callable(maker):
        known = [name for name, value in vars(module).items() if callable(value) and not name.startswith("_")]
        raise UnknownModelError(f"{module.__file__} has no function {factory!r}. {suggestion(factory, known)}".rstrip())
    network = maker if isinstance(maker, nn.Module) else maker()
    if not isinstance(network, nn.Module):
        raise UnknownModelError(f"{spec} gives a {type(network).__name__}; it must return a torch.nn.Module.")
    return network


@contextlib.contextmanager
def _importable(folder: Path) -> Iterator[None]:
    """Let files in a folder import each other, and forget them afterwards."""
    before = set(sys.modules)
    sys.path.insert(0, str(folder))
    try:
        yield
    finally:
        sys.path.remove(str(folder))
        for name in set(sys.modules) - before:
            place = getattr(sys.modules[name], "__file__", None)
            if place and Path(place).parent == folder and "." not in name and not name.startswith("_lucidtorch_"):
                del sys.modules[name]


@contextlib.contextmanager
def _told(path: Path) -> Iterator[None]:
    """Turn whatever the user's code raises into one message."""
    try:
        yield
    except UnknownModelError:
        raise
    except (Exception, SystemExit) as error:
        line = _line_of(error, path)
        where = str(path) if line is None else f"{path}, line {line},"
        said = (str(error).strip() or "no reason given").splitlines()[0]
        raise UnknownModelError(f"{where} raised {type(error).__name__}: {said}") from error


def _line_of(error: BaseException, path: Path) -> int | None:
    if isinstance(error, SyntaxError) and error.filename == str(path):
        return error.lineno
    frames = traceback.extract_tb(error.__traceback__)
    return next((frame.lineno for frame in reversed(frames) if frame.filename == str(path)), None)
