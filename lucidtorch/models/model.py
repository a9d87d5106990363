"""A network, what it expects, and how to look inside it."""

from __future__ import annotations

import copy
import hashlib
import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cached_property, partial
from typing import Any

import torch
from torch import Tensor, nn

from lucidtorch.base.checks import Images, checked
from lucidtorch.base.errors import UnknownLayerError
from lucidtorch.base.surroundings import one_at_a_time, pinned
from lucidtorch.models.inputs.convention import InputConvention, Normalization, check_images
from lucidtorch.models.inputs.forward_adapter import ForwardAdapter
from lucidtorch.models.layers.aliases import family_aliases
from lucidtorch.models.layers.directory import INPUT, LOGITS
from lucidtorch.models.layers.dry_run import SIZES_TO_TRY, DryRun, dry_run
from lucidtorch.models.layers.table import LayerLike, LayerTable
from lucidtorch.models.layouts.stamps import GREY
from lucidtorch.models.running.address import Address, Parts, Step
from lucidtorch.models.running.capture import capture
from lucidtorch.models.running.frozen import frozen, probing
from lucidtorch.models.running.private import CONVOLUTIONS, Fold, agree, find_folds, private_copy, rearranged
from lucidtorch.models.sources.labels import find_label
from lucidtorch.models.sources.model_source import ModelSource, display_name

CHECKS = itertools.count()  # of copies, in this process
DRY_RUN_IMAGES = 2  # two images, so that the batch is never mistaken for an axis of size one
DEFAULT_KINDS = (nn.Conv2d, nn.Conv3d, nn.Linear)  # of the layers that are looked at when nobody names any


class Model:
    """A network with its input convention, labels and table of layers; `load_model` makes it.

    Args:
        module: The network; whatever is done to it here is undone before the call returns.
        convention: What it expects of its input.
        name: What messages call it.
        source: How it can be loaded again, or None where only its owner can.
        labels: The names of its classes in their order, or None.
        size_known: Whether the convention's size is more than a guess; if not, the dry run tries several.
        feed: What runs the module on normalized images, where it takes more than them.
        output: Which part of what the network gives is its output: a key, a place, or a function of it.
        note: What whoever asks for a layer that it does not have should know.
        heads: The names of the classes of each head by the address of its layer, where there are several heads.
    """

    def __init__(
        self,
        module: nn.Module,
        convention: InputConvention,
        *,
        name: str,
        source: ModelSource | None = None,
        labels: Sequence[str] | None = None,
        size_known: bool = True,
        feed: ForwardAdapter | None = None,
        output: Step | None = None,
        note: str = "",
        heads: Mapping[str, Sequence[str]] | None = None,
    ) -> None:
        self.module = module
        self.name, self.source = (name := display_name(name)), source
        self._note = note
        self.size_known = size_known
        self.labels = None if labels is None else list(labels)
        self._heads = heads
        self._given = convention
        self.feed = ForwardAdapter(module, {}, name) if feed is None else feed
        self.takes_batches = True  # known after the first dry run
        self.output: Parts = () if output is None else (output,)  # the way to its own output
        self._tables: dict[tuple[int, ...], LayerTable] = {}
        self._sound: dict[tuple[bool, bool, bool, frozenset[Address]], bool] = {}  # which copies give the same
        self._normalization = Normalization(convention, name)

    def __repr__(self) -> str:
        return f"<Model {self.name} on {self.device}>"

    @property
    def device(self) -> torch.device:
        """Where the network's weights are."""
        return torch.device("cpu") if (weight := self._first_weight()) is None else weight.device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the network's weights, float32 where it has none."""
        return torch.float32 if (weight := self._first_weight()) is None else weight.dtype

    @cached_property
    def heads(self) -> dict[str, tuple[str, ...]]:
        """The layers that say which class an image is of, by address, each with the names of its classes.

        One head ``logits`` of a usual classifier; its names are empty where nobody gave them, or gave another number.
        No head of a network that is no classifier, or whose heads nobody named.
        """
        if self._heads is not None:
            return {head: tuple(names) for head, names in self._heads.items()}
        if LOGITS not in self.layers:
            return {}
        fits = self.labels is not None and len(self.labels) == self.layers[LOGITS].channels
        return {LOGITS: tuple(self.labels or ()) if fits else ()}

    @checked
    def classes_of(self, layer: LayerLike) -> tuple[str, ...]:
        """Name the units of a layer that is a head.

        Args:
            layer: An address or a module.

        Returns:
            The names of the classes; none where the layer is no head, or nobody named its classes.
        """
        address = self.layers[layer].address
        return next((names for head, names in self.heads.items() if self.layers[head].address == address), ())

    @property
    def is_data(self) -> bool:
        """Whether all that decides its activations is data: no extra input or choice of an output is a function."""
        return self.feed.is_data and not any(callable(step) for step in self.output)

    @cached_property
    def convention(self) -> InputConvention:
        """What the network expects of its input; a size that nobody stated is the one its dry run went through at."""
        return self._given if self.size_known else replace(self._given, size=self.layers.size)

    @cached_property
    @pinned()
    def layers(self) -> LayerTable:
        """The table of layers, filled by one dry run at the first look and kept."""
        others = () if self.size_known else SIZES_TO_TRY[len(self._given.size)]
        found, batch = self._dry_run(*dict.fromkeys((self._given.size, *others)))
        self.takes_batches = batch > 1 or found.broken is not None
        return self._table(found)

    @checked
    def layers_at(self, size: Sequence[int]) -> LayerTable:
        """Give the table as it is for images of a size, by another dry run where it is not the usual one.

        Args:
            size: The sides of the images in pixels.

        Returns:
            The table; it ends early where the network does not take that size.
        """
        if (sides := tuple(size)) == self.layers.size:
            return self.layers
        if sides not in self._tables:
            self._tables[sides] = self._table(self._dry_run(sides)[0])
        return self._tables[sides]

    @checked
    def addresses(self, layers: Iterable[LayerLike], size: Sequence[int]) -> dict[str, Address]:
        """Read addresses for a forward pass of images of a size.

        Args:
            layers: Addresses, or modules of the network.
            size: The sides of the images in pixels, as the network will see them.

        Returns:
            Each address as it was written, and where and how its activations are read.

        Raises:
            UnknownLayerError: There is no such layer.
        """
        wanted = list(layers)
        found = {self._written(layer): self.layers.resolve(layer) for layer in wanted}
        if tuple(size) == self.layers.size or not any(one.layout and one.layout.sized for one in found.values()):
            return found
        table = self.layers_at(size)  # where tokens or windows stand in one axis, its length does not say how
        return found if table.broken else {self._written(layer): table.resolve(layer) for layer in wanted}

    @cached_property
    def folds(self) -> tuple[Fold, ...]:
        """The batch normalizations that a private copy may fold, found by one forward pass at the first look."""
        return find_folds(self.module, self._grey(self.convention.size, 1), self.feed.with_any_batch())

    @one_at_a_time()
    def private(
        self, addresses: Iterable[Address], *, channels_last: bool = True, fold: bool = True, winograd: bool = True
    ) -> Model:
        """Make a model of the same network in a copy of its own, laid out for speed; weights are shared where possible.

        The first time, the copy shows on an image of noise that it gives what the network gives. One that does not,
        since the network flattens maps by `view` or reads what a hook kept, is not laid out anew, or not used at all.

        Args:
            addresses: What will be read of it; these layers give what they give in the network.
            channels_last: Whether its convolutions work with the channels of a place side by side in memory.
            fold: Whether batch normalizations become parts of the convolutions before them.
            winograd: Whether wide 3 x 3 convolutions go Winograd's way on a CPU, which rounds a little coarser.

        Returns:
            The model; this one itself where it has no convolutions, or its module cannot be copied.
        """
        read = frozenset(addresses)
        convolutional = any(isinstance(one, CONVOLUTIONS) for one in self.module.modules())
        for in_last in dict.fromkeys((channels_last, False)) if convolutional and read else ():
            form = (in_last, fold, winograd, read)
            made = self._copied(*form) if any(form[:-1]) and self._sound.get(form, True) else None
            if made is not None and form not in self._sound:
                self._sound[form] = self._is_sound(made, read)
            if made is not None and self._sound[form]:
                return made
        return self

    def normalize(self, images: Tensor) -> Tensor:
        """Turn images into what the network takes; differentiable.

        Args:
            images: `[B, C, H, W]` in [0, 1]; `[B, C, T, H, W]` of clips and volumes.

        Returns:
            A new tensor of that shape in the network's own units.

        Raises:
            ImageError: The images have another number of dimensions or channels, or are whole numbers.
        """
        return self._normalization(images)

    @checked
    def activations(self, images: Images, layers: LayerLike | Sequence[LayerLike]) -> dict[str, Tensor]:
        """Run images through the network in eval mode and give what layers make of them.

        Args:
            images: `[B, C, H, W]` in [0, 1]; `[B, C, T, H, W]` of clips and volumes.
            layers: Addresses or modules of the network, or one of them; `input` is the images themselves.

        Returns:
            The activations `[B, C, H, W]` or `[B, C]` by address as it was written, without gradients; those of a
            module by its name.

        Raises:
            UnknownLayerError: There is no such layer.
            ImageError: The images do not fit the network.
        """
        wanted = [layers] if isinstance(layers, str | nn.Module) else list(layers)
        check_images(images, self._given, self.name)
        seen = self.normalize(images := images.to(self.device, self.dtype))
        addresses = self.addresses((layer for layer in wanted if layer != INPUT), seen.shape[2:])
        with torch.no_grad(), frozen(self.module), capture(self.module, addresses, self.feed) as run:
            found = run(seen)
        return {text: images if text == INPUT else found[text] for text in map(self._written, wanted)}

    @checked
    def refusal(self, size: Sequence[int]) -> str | None:
        """Try, by one forward pass of one grey image, whether the network takes images of a size.

        Args:
            size: Their sides in pixels.

        Returns:
            What it raises, or None where it takes them.
        """
        with probing(self.module) as attempt:
            self.feed.with_any_batch()(self._grey(tuple(size), 1))
        return attempt.reason

    @checked
    def label_index(self, label: int | str) -> int:
        """Find the number of a class.

        Args:
            label: A class's number, or its name as in `labels`, in any case.

        Returns:
            The number of the class, from 0.

        Raises:
            UnitError: There is no class of that number.
            UnknownLabelError: No class, or more than one, has that name, or the network has no labels.
        """
        return find_label(label, self.labels, None if isinstance(label, str) else self._class_count(), self.name)

    def _written(self, layer: LayerLike) -> str:
        return layer if isinstance(layer, str) else self.layers.directory.name_of(layer)

    def _first_weight(self) -> Tensor | None:
        weights = (*self.module.parameters(), *self.module.buffers())
        return next((one for one in weights if one.is_floating_point()), None)

    def _copied(self, channels_last: bool, fold: bool, winograd: bool, read: Iterable[Address]) -> Model | None:
        module = private_copy(self.module)
        if module is None:
            return None
        made, wanted = copy.copy(self), {one.module for one in read}
        run = self.layers.running_to(read)
        made.module = rearranged(
            module,
            self.folds if fold else (),
            wanted,
            channels_last=channels_last,
            winograd=run if winograd else (),
            only=frozenset(run),
        )
        made.feed = self.feed.on(made.module)
        return made

    def _is_sound(self, made: Model, read: Iterable[Address]) -> bool:
        """Whether a copy gives what the network gives on an image of noise."""
        noise = torch.Generator().manual_seed(next(CHECKS))  # of a new image, which no part remembers
        seen = self._seen(torch.rand(1, self._given.channels, *self.convention.size, generator=noise))
        return agree([(one.module, one.feed.with_any_batch()) for one in (self, made)], read, seen)

    def _class_count(self) -> int | None:
        try:
            return self.layers[LOGITS].channels
        except UnknownLayerError:
            return None if self.labels is None else len(self.labels)

    def _grey(self, size: tuple[int, ...], batch: int) -> Tensor:
        return self._seen(torch.full((batch, self._given.channels, *size), GREY))

    def _seen(self, images: Tensor) -> Tensor:
        return self.normalize(images.to(self.device, self.dtype))

    @one_at_a_time()
    def _dry_run(self, *sizes: tuple[int, ...]) -> tuple[DryRun, int]:
        """The first run that the network completes, else the longest; of one image where it takes one at a time."""
        run = partial(dry_run, self.module, channels=self._given.channels, normalize=self._seen, output=self.output)
        found = []
        for size, batch in itertools.product(sizes, (DRY_RUN_IMAGES, 1)):
            found.append((run(size, batch=batch, run=self.feed.with_any_batch()), batch))
            if found[-1][0].broken is None:
                return found[-1]
        return max(found, key=lambda one: len(one[0].calls))

    def _table(self, found: DryRun) -> LayerTable:
        listing = f"`lucidtorch layers {self.source.spec}` lists all." if self.source else "`model.layers` lists all."
        aliases, advice = family_aliases(self.module), f"{listing} {self._note}".rstrip()
        return LayerTable(found, self.module, name=self.name, aliases=aliases, listing=advice)


def network_key(model: Model) -> str | None:
    """Sum up everything about a network that decides what it makes of images."""
    if not model.is_data:
        return None
    source = None if model.source is None else _facts(model.source)
    digest = hashlib.sha256(f"{source} {model.convention} {model.device.type} {model.dtype} {model.output}".encode())
    if source is None:
        for name, value in (*model.module.state_dict().items(), *model.feed.tensors.items()):
            digest.update(f"{name} {value.dtype} {list(value.shape)}".encode())
            digest.update(value.detach().cpu().flatten().contiguous().view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()


def _facts(source: ModelSource) -> dict[str, Any]:
    """What decides the values of a network: files by their content and not by their paths."""
    facts = source.to_dict()
    told = {"sha256": "weights", "mean_sha256": "mean"}
    left_out = {"labels", "labels_sha256", *(path for checksum, path in told.items() if checksum in facts)}
    return {name: value for name, value in facts.items() if name not in left_out}


def default_layers(model: Model, layers: Sequence[LayerLike] | None) -> tuple[str, ...]:
    """Find the layers that are looked at, in the order of the network."""
    table = model.layers
    if layers is None:
        named = {name: table.resolve(name).module for name, record in table.items() if record.channels}
        return tuple(
            name for name, part in named.items() if isinstance(model.module.get_submodule(part), DEFAULT_KINDS)
        )
    names = [layer if isinstance(layer, str) else table.directory.name_of(layer) for layer in layers]
    for name in names:
        table.resolve(name)
    return tuple(sorted(dict.fromkeys(names), key=table.order))
