"""What modules carry of their input: configurations of timm and of Hugging Face, also inside of wrappers."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from lucidtorch.base.surroundings import default_device_of_network
from lucidtorch.models.inputs.convention import InputConvention
from lucidtorch.models.inputs.natural import natural_images
from lucidtorch.models.running.probe import probing
from lucidtorch.models.sources.guesses import guess, guessed_input


class Carried(NamedTuple):
    """What a module carries.

    Args:
        convention: What it expects of its input; a guess where only the size is known.
        labels: The names of its classes, or None.
    """

    convention: InputConvention
    labels: tuple[str, ...] | None


def carried(module: nn.Module) -> Carried | None:
    """Read what a network carries of its input, itself or in a part that it hands its input to as it is.

    Such a part is what a wrapper wraps (data parallelism, moving averages, compilers, modules for training). One that
    gets something else than the network, as behind a normalization, says nothing of the network's input.
    """
    found: list[tuple[nn.Module, Carried]] = []
    for part, one in _carriers(module):
        inside = any(part is inner for outer, known in found if known.convention.stated for inner in outer.modules())
        if not inside and (part is module or _gets_all(module, part, one.convention)):
            found.append((part, one))
    stated = [one for _, one in found if one.convention.stated] or [one for _, one in found]
    return stated[0] if stated and all(one.convention == stated[0].convention for one in stated) else None


def _carriers(module: nn.Module) -> Iterator[tuple[nn.Module, Carried]]:
    """The parts with a configuration, outer ones first; a library that is not loaded made none of them."""
    for part in module.modules():
        told = None
        if "timm" in sys.modules and isinstance(vars(part).get("pretrained_cfg"), Mapping):
            told = _of_timm(part)
        elif "transformers" in sys.modules and "config" in vars(part):
            told = _of_hugging_face(part)
        if told is not None:
            yield part, told


def _of_timm(part: Any) -> Carried | None:
    # Here and not at the top: timm takes long to import, and is loaded already where a module of it is.
    from lucidtorch.models.sources.timm_source import convention_of, labels_of

    if not {"input_size", "mean", "std"} <= set(part.pretrained_cfg):
        return None
    convention = convention_of(part)
    made_for = getattr(getattr(part, "patch_embed", None), "img_size", None) or convention.size  # `img_size=` of timm
    channels = guessed_input(part)[0]
    if channels != convention.channels:  # `in_chans=` of timm: its configuration goes on speaking of colours
        return Carried(guess(channels, tuple(made_for)), labels_of(part))
    return Carried(convention.overridden(size=tuple(made_for)), labels_of(part))


def _of_hugging_face(part: nn.Module) -> Carried | None:
    from lucidtorch.models.sources.hf_source import carried_by  # transformers is loaded already, as timm is above

    told = carried_by(part)
    return None if told is None else Carried(*told)


def _gets_all(module: nn.Module, part: nn.Module, convention: InputConvention) -> bool:
    """Whether a part of a network gets what the network gets, seen on a picture of the part's size."""
    weight = next((one for one in module.parameters() if one.is_floating_point()), None)
    if weight is None or weight.is_meta:
        return False
    images = natural_images(convention.channels, convention.size, 1).to(weight.device, weight.dtype)
    given: list[object] = []

    def note(_: nn.Module, args: tuple[Any, ...], words: dict[str, Any]) -> None:
        given.extend((*args, *words.values()))

    with torch.compiler.set_stance("force_eager"), probing(module):  # compiled code passes hooks by
        handle = part.register_forward_pre_hook(note, with_kwargs=True)
        try:
            with default_device_of_network(images.device):
                module(images.clone())
        finally:
            handle.remove()
    return any(isinstance(one, Tensor) and one.shape == images.shape and torch.equal(one, images) for one in given)
