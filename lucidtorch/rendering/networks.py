"""The networks of one render: one, or several by name, run on the same images."""

from __future__ import annotations

import contextlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import torch
from torch import Tensor, nn

from lucidtorch.base.errors import BadInputError, UnknownLayerError, suggestion
from lucidtorch.base.sizes import Size
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.models.running.address import Address
from lucidtorch.models.running.capture import capture
from lucidtorch.models.running.compiling import compiled
from lucidtorch.models.running.frozen import frozen
from lucidtorch.models.running.private import notes_kept
from lucidtorch.objectives.joins import SEPARATOR
from lucidtorch.rendering.settings import Engine

NetworkLike: TypeAlias = Model | nn.Module | str
ModelLike: TypeAlias = NetworkLike | Mapping[str, NetworkLike]
Look: TypeAlias = Callable[[Tensor], dict[str, Tensor]]  # images as the networks see them, to activations by address
ONLY = ""  # the name of a network that is alone


@dataclass(frozen=True)
class Networks:
    """The networks of a render.

    Args:
        models: By name; one that is alone has the empty name, and addresses in it stand without a name.
    """

    models: Mapping[str, Model]

    @classmethod
    def of(cls, given: ModelLike) -> Networks:
        """Take whatever `render` was given."""
        if not isinstance(given, Mapping):
            return cls({ONLY: _model(given)})
        for name in given:
            if not isinstance(name, str) or not name or SEPARATOR in name:
                raise BadInputError(f"Several networks go by names without a slash, but one is called {name!r}.")
        if not given:
            raise BadInputError("No network was given; write for example {'a': 'vgg16', 'b': 'resnet50'}.")
        found = cls({name: _model(one) for name, one in given.items()})
        for what, values in (
            ("channels", [one.convention.channels for one in found.models.values()]),
            ("devices", [str(one.device) for one in found.models.values()]),
            ("numbers of sides", [len(one.convention.size) for one in found.models.values()]),
        ):
            if len(set(values)) > 1:
                raise BadInputError(f"Networks that look at one image must agree, but their {what} are {values}.")
        return found

    @property
    def first(self) -> Model:
        """The network that decides where nobody says: the size of the picture and its mean colour."""
        return next(iter(self.models.values()))

    @property
    def name(self) -> str:
        """What messages call them."""
        return " and ".join(one.name for one in self.models.values())

    @property
    def device(self) -> torch.device:
        """Where they are."""
        return self.first.device

    @property
    def takes_batches(self) -> bool:
        """Whether all of them take more than one image at a time."""
        return all(one.takes_batches for one in self.models.values())

    @property
    def takes_parts(self) -> bool:
        """Whether some images of a batch may go through without the others."""
        return not any(one.feed.is_for_a_batch for one in self.models.values())

    def owner(self, layer: str) -> tuple[str, str]:
        """Split an address of the expression."""
        if tuple(self.models) == (ONLY,):
            return ONLY, layer
        name, _, rest = layer.partition(SEPARATOR)
        if name not in self.models or not rest:
            raise UnknownLayerError(
                f"{layer!r} says no network; of several, write of({next(iter(self.models))!r}, ...) or name/layer. "
                f"{suggestion(name, self.models)}"
            )
        return name, rest

    def named(self, name: str, layer: str) -> str:
        """Put an address together again."""
        return layer if name == ONLY else f"{name}{SEPARATOR}{layer}"

    def in_order(self, layers: Sequence[str]) -> list[str]:
        """Sort addresses as the networks come to them."""
        names = list(self.models)

        def place(layer: str) -> tuple[int, int]:
            name, own = self.owner(layer)
            return names.index(name), self.models[name].layers.order(own)

        return sorted(layers, key=place)

    def addresses(self, layers: Sequence[str], size: Size | None = None) -> dict[str, Address]:
        """Say where layers are."""
        found = {}
        for layer in layers:
            name, own = self.owner(layer)
            model = self.models[name]
            found[layer] = model.addresses([own], model.layers.size if size is None else size)[own]
        return found

    def before(self, layer: str) -> str | None:
        """Find the layer that feeds the ReLU of a layer."""
        name, own = self.owner(layer)
        found = self.models[name].layers.before(own)
        return None if found is None else self.named(name, found)

    def address_of(self, module: nn.Module) -> str:
        """Find the address of a module that was given as such."""
        for name, model in self.models.items():
            if any(one is module for one in model.module.modules()):
                return self.named(name, model.layers.directory.name_of(module))
        return self.first.layers.directory.name_of(module)  # says that it is not there

    def label_index(self, label: int | str, layer: str) -> int:
        """Look a class up."""
        return self.models[self.owner(layer)[0]].label_index(label)

    def broken(self) -> str | None:
        """Find a weight or buffer that holds NaN or inf."""
        for name, model in self.models.items():
            for own, one in (*model.module.named_parameters(), *model.module.named_buffers()):
                if one.is_floating_point() and not bool(one.detach().isfinite().all()):
                    return self.named(name, own)
        return None

    def check_batch(self, batch: int) -> None:
        """Make sure that so many images can be made together."""
        if batch > 1 and not self.takes_batches:
            raise BadInputError(f"{self.name} takes one image at a time, and {batch} are to be made; write batch=1.")
        for model in self.models.values():
            model.feed.check_batch(batch)

    @contextlib.contextmanager
    def looking(self, addresses: Mapping[str, Address], engine: Engine, *, fast: bool = False) -> Iterator[Look]:
        """Hold the networks still and look inside them while the block runs."""
        with self.still(), contextlib.ExitStack() as hooks:
            runs = {}
            for name, model in self.models.items():
                own = self.own(name, addresses)
                run = hooks.enter_context(capture(model.module, own, model.feed))
                if fast:
                    run = hooks.enter_context(compiled(model.module, own, model.feed, run, model.name))
                runs[name] = run

            def look(seen: Tensor) -> dict[str, Tensor]:
                found: dict[str, Tensor] = {}
                for name, model in self.models.items():
                    with engine.computing.on(model.device):
                        found |= runs[name](model.normalize(seen.to(model.dtype)))
                return {layer: found[layer] for layer in addresses}

            yield look

    @contextlib.contextmanager
    def still(self, copies: Networks | None = None) -> Iterator[None]:
        """Hold the networks still while the block runs: in evaluation mode, and given back as they were."""
        with contextlib.ExitStack() as held:
            for name, model in self.models.items():
                held.enter_context(frozen(model.module))
                if copies is not None and copies.models[name] is not model:
                    held.enter_context(notes_kept(model.module, copies.models[name].module))
            yield

    def private(self, addresses: Mapping[str, Address], engine: Engine) -> Networks:
        """Make the same networks in copies of their own, laid out for speed."""
        copies = {}
        for name, model in self.models.items():
            copies[name] = model.private(
                self.own(name, addresses).values(),
                channels_last=engine.channels_last,
                fold=engine.fold,
                winograd=engine.winograd,
            )
        return Networks(copies)

    def largest(self, addresses: Sequence[str], canvas: Size) -> float:
        """Estimate how many numbers the largest activation of one image has on the way to some layers."""
        found = 0.0
        for name, model in self.models.items():
            own = [layer for owner, layer in map(self.owner, addresses) if owner == name]
            shown = math.prod(canvas) / math.prod(model.layers.size)
            found = max(found, model.layers.largest(own) * shown)
        return max(found, self.first.convention.channels * math.prod(canvas))

    def own(self, name: str, addresses: Mapping[str, Address]) -> dict[str, Address]:
        """Choose the addresses of one network."""
        return {layer: address for layer, address in addresses.items() if self.owner(layer)[0] == name}


def _model(given: NetworkLike) -> Model:
    return given if isinstance(given, Model) else load_model(given)
