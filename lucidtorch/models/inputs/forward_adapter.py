"""Calling a network that takes more than images."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from inspect import Parameter
from typing import Any, TypeAlias

import torch
from torch import Tensor, nn

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.surroundings import default_device_of_network

ExtraInput: TypeAlias = Tensor | Callable[[Tensor], object] | bool | int | float | str | None
ANY_NUMBER = (Parameter.VAR_POSITIONAL, Parameter.VAR_KEYWORD)


class ForwardAdapter:
    """Runs a network on images, with the extra inputs that its `forward` takes beside them.

    The images go to the first parameter of `forward` that no extra input is for.

    Args:
        module: The network.
        inputs: Extra inputs by the name of the parameter. A tensor's axis 0 is the batch: one row stands for every
            image, and it goes to the device of the images and, if it is of floating-point numbers, to their type. A
            function is called with the normalized images at each pass. Plain values are handed over as they are.
        name: The network's name, for messages.

    Raises:
        BadInputError: `forward` takes no such parameter, lacks one that it needs, or has no place for the images.
    """

    def __init__(self, module: nn.Module, inputs: Mapping[str, ExtraInput], name: str) -> None:
        if not isinstance(inputs, Mapping) or not all(isinstance(parameter, str) for parameter in inputs):
            raise BadInputError(
                f"inputs maps names of parameters to tensors or functions, but {type(inputs).__name__} was given; "
                f"write inputs={{'mask': tensor}}."
            )
        self._module = module
        self._inputs = {parameter: _detached(value) for parameter, value in inputs.items()}
        self._name = name
        self._any_batch = False
        self._moved: dict[tuple[str, torch.device, torch.dtype], Tensor] = {}
        takes = _parameters(module)
        _refuse_unknown(self._inputs, takes, name)
        self._image = _place_of_images(self._inputs, takes, name)
        _refuse_missing({*self._inputs, self._image}, takes, name)
        self._positional = _positional(takes, self._image)
        self._is_plain = not inputs and self._image in self._positional

    def __call__(self, images: Tensor) -> object:
        """Run the network."""
        with default_device_of_network(images.device):
            if self._is_plain:
                return self._module(images)
            values: dict[str, object] = {name: self._value(name, value, images) for name, value in self._inputs.items()}
            values[self._image] = images
            first = [values.pop(name) for name in self._positional if name in values]
            return self._module(*first, **values)

    @property
    def is_data(self) -> bool:
        """Whether no extra input is a function."""
        return not any(callable(value) for value in self._inputs.values())

    @property
    def tensors(self) -> dict[str, Tensor]:
        """The extra inputs that are tensors, by name."""
        return {name: value for name, value in self._inputs.items() if isinstance(value, Tensor)}

    @property
    def is_for_a_batch(self) -> bool:
        """Whether an extra input has one row for each image."""
        return any(one.dim() > 0 and one.shape[0] > 1 for one in self.tensors.values())

    def check_batch(self, batch: int) -> None:
        """Make sure that every extra input is there for so many images."""
        for name, value in self._inputs.items():
            rows = value.shape[0] if isinstance(value, Tensor) and value.dim() else 1
            if rows not in (1, batch):
                raise BadInputError(
                    f"inputs[{name!r}] of {self._name} has {rows} rows for {batch} image{'s' * (batch != 1)}; give one "
                    f"row for all or one for each. If axis 0 is not the batch, write a function: "
                    f"inputs={{{name!r}: lambda images: ...}}."
                )

    def with_any_batch(self) -> ForwardAdapter:
        """Give the same feed for passes that only look at shapes and may be of any number of images."""
        feed = ForwardAdapter(self._module, self._inputs, self._name)
        feed._any_batch = True
        return feed

    def on(self, module: nn.Module) -> ForwardAdapter:
        """Give the same feed for another module that takes the same."""
        feed = ForwardAdapter(module, self._inputs, self._name)
        feed._any_batch = self._any_batch
        return feed

    def _value(self, name: str, value: object, images: Tensor) -> object:
        if isinstance(value, Tensor):
            return self._rows(name, self._at_home(name, value, images), len(images))
        return value(images) if callable(value) else value

    def _at_home(self, name: str, value: Tensor, images: Tensor) -> Tensor:
        key = (name, images.device, images.dtype)
        if key not in self._moved:
            self._moved[key] = value.to(images.device, images.dtype if value.is_floating_point() else None)
        return self._moved[key]

    def _rows(self, name: str, value: Tensor, batch: int) -> Tensor:
        """Fit the rows to the batch, always as a copy: a network may work in place."""
        if value.dim() == 0:
            return value.clone()
        if self._any_batch:
            return value[torch.arange(batch, device=value.device) % len(value)]
        if len(value) not in (1, batch):
            self.check_batch(batch)
        return value.expand(batch, *value.shape[1:]).clone()


def _detached(value: ExtraInput) -> ExtraInput:
    return value.detach() if isinstance(value, Tensor) else value


def _parameters(module: nn.Module) -> list[Parameter]:
    """What `forward` takes; an exported program keeps the names beside a signature that says nothing."""
    graph: Sequence[Any] = getattr(module, "module_call_graph", ())
    names = getattr(graph[0].signature, "forward_arg_names", None) if graph else None
    if names:
        return [Parameter(name, Parameter.POSITIONAL_ONLY) for name in names]
    try:
        return list(inspect.signature(module.forward).parameters.values())
    except (TypeError, ValueError):
        return [Parameter("inputs", Parameter.VAR_POSITIONAL), Parameter("others", Parameter.VAR_KEYWORD)]


def _refuse_unknown(inputs: Mapping[str, object], takes: Sequence[Parameter], name: str) -> None:
    if any(one.kind is Parameter.VAR_KEYWORD for one in takes):
        return
    known = [one.name for one in takes if one.kind not in ANY_NUMBER]
    unknown = [repr(one) for one in inputs if one not in known]
    if unknown:
        raise BadInputError(
            f"inputs names {', '.join(unknown)}, but the forward of {name} takes {_listed(known)}; "
            f"write one of these names."
        )


def _place_of_images(inputs: Mapping[str, object], takes: Sequence[Parameter], name: str) -> str:
    """The parameter that the images go to; without a name, the first place."""
    for one in takes:
        if one.kind is Parameter.VAR_POSITIONAL or (one.kind is not Parameter.VAR_KEYWORD and one.name not in inputs):
            return one.name
    raise BadInputError(
        f"The forward of {name} takes {_listed([one.name for one in takes])}, so that no parameter is left for the "
        f"images; leave the one that takes them out of inputs."
    )


def _refuse_missing(given: set[str], takes: Sequence[Parameter], name: str) -> None:
    needed = [one.name for one in takes if one.default is Parameter.empty and one.kind not in ANY_NUMBER]
    missing = [one for one in needed if one not in given]
    if missing:
        words = ", ".join(f"{one!r}: ..." for one in missing)
        raise BadInputError(
            f"The forward of {name} needs {_listed(missing)} beside the images; give a tensor or a function of the "
            f"images: load_model(..., inputs={{{words}}})."
        )


def _positional(takes: Sequence[Parameter], image: str) -> list[str]:
    """Which parameters are handed over by their place: those that must be, and the images where they come first."""
    names = [one.name for one in takes if one.kind is Parameter.POSITIONAL_ONLY]
    leads = bool(takes) and takes[0].name == image and takes[0].kind is not Parameter.KEYWORD_ONLY
    unnamed = any(one.name == image and one.kind in ANY_NUMBER for one in takes)
    return names if image in names or not (leads or unnamed) else [image, *names]


def _listed(names: Sequence[str]) -> str:
    return ", ".join(repr(name) for name in names) or "nothing"
