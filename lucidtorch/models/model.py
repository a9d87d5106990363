"""A network, what it expects, and how to look inside it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import replace
from functools import cached_property

import torch
from torch import Tensor, nn

from lucidtorch.base.errors import SizeError, UnknownLayerError
from lucidtorch.models.aliases import family_aliases
from lucidtorch.models.capture import capture
from lucidtorch.models.convention import InputConvention
from lucidtorch.models.frozen import frozen
from lucidtorch.models.labels import find_label
from lucidtorch.models.layers import INPUT, LOGITS, LayerTable
from lucidtorch.models.model_source import ModelSource
from lucidtorch.models.normalization import Normalization, check_images
from lucidtorch.models.probe import probing
from lucidtorch.models.walk import Walk, walk

GREY = 0.5
SIZES_TO_TRY = (224, 128, 96, 64, 48, 32, 28, 256, 299, 384)  # of networks whose size nobody stated
SIZES_TO_SUGGEST = (8, 16, 32, 48, 64, 96, 128, 160, 192, 224, 256, 299, 384, 512)


class Model:
    """A network with its input convention, labels and table of layers; `load_model` makes it.

    The module stays the caller's own: whatever is done to it here is undone before the call returns.

    Args:
        module: The network.
        convention: What it expects of its input.
        name: What messages call it.
        source: How it can be loaded again, or None where only its owner can.
        labels: The names of its classes in their order, or None.
        size_known: Whether the convention's size is more than a guess; if not, the dry run tries several.
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
    ) -> None:
        self.module = module
        self.name = name
        self.source = source
        self.labels = None if labels is None else list(labels)
        self._given = convention
        self._size_known = size_known
        self._normalization = Normalization(convention, name)

    def __repr__(self) -> str:
        return f"<Model {self.name} on {self.device}>"

    @property
    def device(self) -> torch.device:
        """Where the network's weights are."""
        weight = self._first_weight()
        return torch.device("cpu") if weight is None else weight.device

    @property
    def dtype(self) -> torch.dtype:
        """The type of the network's weights, float32 where it has none."""
        weight = self._first_weight()
        return torch.float32 if weight is None else weight.dtype

    @cached_property
    def convention(self) -> InputConvention:
        """What the network expects of its input; a size that nobody stated is the one its dry run went through at."""
        return self._given if self._size_known else replace(self._given, size=self.layers.size)

    @cached_property
    def layers(self) -> LayerTable:
        """The table of layers, filled by one dry run at the first look and kept."""
        listing = f"`lucidtorch layers {self.name}` lists all." if self.source else "`model.layers` lists all."
        aliases = family_aliases(self.module)
        return LayerTable(self._walk(), self.module, name=self.name, aliases=aliases, listing=listing)

    def normalize(self, images: Tensor) -> Tensor:
        """Turn images into what the network takes; differentiable.

        Args:
            images: `[B, C, H, W]` in [0, 1].

        Returns:
            A new tensor `[B, C, H, W]` in the network's own units.

        Raises:
            ImageError: The images have another number of dimensions or channels, or are whole numbers.
        """
        return self._normalization(images)

    def activations(self, images: Tensor, layers: str | Sequence[str]) -> dict[str, Tensor]:
        """Run images through the network in eval mode and give what layers make of them.

        Args:
            images: `[B, C, H, W]` in [0, 1].
            layers: Addresses, or one of them; `input` is the images themselves.

        Returns:
            The activations `[B, C, H, W]` or `[B, C]` by address as it was written, without gradients.

        Raises:
            UnknownLayerError: There is no such layer.
            ImageError: The images do not fit the network.
        """
        texts = [layers] if isinstance(layers, str) else list(layers)
        addresses = {text: self.layers.resolve(text) for text in texts if text != INPUT}
        images = images.to(self.device, self.dtype) if images.is_floating_point() else images
        with torch.no_grad(), frozen(self.module), capture(self.module, addresses) as run:
            found = run(self.normalize(images))
        return {text: images if text == INPUT else found[text] for text in texts}

    def check_images(self, channels: int, size: tuple[int, int], layers: Iterable[str] = ()) -> None:
        """Make sure, by one forward pass of one grey image, that the network can take such images.

        Args:
            channels: The number of image channels.
            size: Height and width in pixels, as the network will see them.
            layers: Addresses of the layers that are needed, where the pass may end; none for the whole network.

        Raises:
            ImageError: The network takes another number of channels.
            SizeError: It raises on that size; the message gives its reason and a size that works.
            UnknownLayerError: There is no such layer.
        """
        if min(size) < 1:
            raise SizeError(f"A size is a whole number of pixels from 1, but {size[0]}x{size[1]} was given.")
        check_images(torch.empty(0, channels, *size), self._given.channels, self.name)
        texts = [text for text in layers if text != INPUT]
        reason = self._reason_against(size, texts)
        if reason is None:
            return
        raise SizeError(
            f"{self.name} cannot take {size[0]}x{size[1]} pixels ({reason}).{self._working_size(size, texts)}"
        )

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
        count = None if isinstance(label, str) else self._class_count()
        return find_label(label, self.labels, count, self.name)

    def _first_weight(self) -> Tensor | None:
        tensors = (*self.module.parameters(), *self.module.buffers())
        return next((tensor for tensor in tensors if tensor.is_floating_point()), None)

    def _class_count(self) -> int | None:
        try:
            return self.layers[LOGITS].channels
        except UnknownLayerError:
            return None if self.labels is None else len(self.labels)

    def _grey(self, size: tuple[int, int]) -> Tensor:
        image = torch.full((1, self._given.channels, *size), GREY, device=self.device, dtype=self.dtype)
        return self.normalize(image)

    def _walk(self) -> Walk:
        walks: list[Walk] = []
        others = () if self._size_known else SIZES_TO_TRY
        for size in dict.fromkeys((self._given.size, *((side, side) for side in others))):
            walks.append(walk(self.module, self._grey(size)))
            if walks[-1].broken is None:
                return walks[-1]
        return max(walks, key=lambda one: len(one.firings))

    def _reason_against(self, size: tuple[int, int], texts: Sequence[str]) -> str | None:
        addresses = {text: self.layers.resolve(text) for text in texts}
        images = self._grey(size)
        with probing(self.module) as attempt, capture(self.module, addresses) as run:
            _ = run(images) if addresses else self.module(images)
        return attempt.reason

    def _working_size(self, refused: tuple[int, int], texts: Sequence[str]) -> str:
        squares = [(side, side) for side in SIZES_TO_SUGGEST]
        for size in dict.fromkeys((*squares, self._given.size)):
            if size != refused and self._reason_against(size, texts) is None:
                return f" The smallest size tried that works is {size[0]}x{size[1]}."
        return ""
