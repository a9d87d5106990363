"""The table of a network's layers: what each is, gives and sees, and how its address is written."""

from __future__ import annotations

import html
import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, replace
from typing import TypeAlias

from torch import nn

from lucidtorch.base.errors import UnknownLayerError
from lucidtorch.models.layers.directory import LOGITS, PROBABILITIES, WHOLE_NETWORK, Directory, LayerOutput, LayerTarget
from lucidtorch.models.layers.dry_run import ROOT, UNKNOWN_AXES, DryRun
from lucidtorch.models.layouts.receptive_field import ReceptiveField
from lucidtorch.models.running.address import OUTPUT as STATES
from lucidtorch.models.running.address import Address, written

HEADINGS = ("layer", "alias", "kind", "shape", "channels", "parameters", "FLOPs", "receptive field", "layout")
RIGHT_ALIGNED = ("channels", "parameters", "FLOPs")
PREFIXES = ("", "k", "M", "G", "T")
THOUSAND = 1000
AXES_BY_RANK = {2: "B C", 3: "B N C", 4: "B H W C", 5: "B T H W C"}
ELSEWHERE = "name a layer inside or after it"
LayerLike: TypeAlias = str | nn.Module


@dataclass(frozen=True, slots=True)
class LayerRecord:
    """What one dry run found out about one layer.

    Args:
        address: How the layer is written: its `named_modules()` name, with `@k` where it is called several times, and
            with the part in square brackets where its output holds several tensors.
        kind: The name of its class.
        shape: What it gives for one image as an activation, `(C, H, W)` or `(C,)`; None where that is no tensor.
        channels: The number of its channels; None where it cannot be a target.
        parameters: How many weights it has, those of its parts included.
        receptive_field: What one unit sees; None for the whole image, or where that cannot be followed.
        calls: How often it is called in one forward pass.
        flops: The floating-point operations that it takes to get there, for one image.
        layout: The layer's own axes where they are others than `[B, C, H, W]`, such as ``B 1+(H W) C``.
        tokens: How many class and register tokens stand beside the grid.
        refused: Why it cannot be a target, or None where it can.
    """

    address: str
    kind: str
    shape: tuple[int, ...] | None
    channels: int | None
    parameters: int
    receptive_field: ReceptiveField | None
    calls: int
    flops: int = 0
    layout: str = ""
    tokens: int = 0
    refused: str | None = None


class LayerTable(Mapping[str, LayerRecord]):
    """All layers that fire in one forward pass, in the order in which they finish.

    Its keys are addresses; `table[...]` takes aliases, modules, `logits`, `prob` and `output` as well.

    Args:
        found: What a dry run noted.
        module: The network it was run on.
        name: The network's name, for messages.
        aliases: The literature's names, and the addresses they stand for; those of layers that never fire are left out.
        listing: What the reader of an error message is told to do to see all layers.
    """

    def __init__(
        self, found: DryRun, module: nn.Module, *, name: str, aliases: Mapping[str, str], listing: str
    ) -> None:
        self.size = found.size
        self.broken = found.broken
        self.directory = Directory(found, module, name=name, aliases=aliases, listing=listing)
        self.aliases = self.directory.aliases
        self._module = module
        self._records = {text: self._record(place) for text, place in self.directory.places.items()}
        self._calls = found.calls
        self._order = {id(call): number for number, call in enumerate(found.calls)}

    def __getitem__(self, layer: LayerLike) -> LayerRecord:
        target = self._find(layer)
        record = self._records[target.place.text]
        if target.view is None or target.text == f"{record.address}[{STATES}]":
            return record
        shape = target.shape or ()
        return replace(record, address=target.text, shape=shape, channels=shape[0], refused=None)

    def __contains__(self, layer: object) -> bool:
        try:
            return isinstance(layer, str | nn.Module) and bool(self[layer])
        except UnknownLayerError:
            return False

    def __iter__(self) -> Iterator[str]:
        return (text for text, place in self.directory.places.items() if place.call.module != ROOT)

    def __len__(self) -> int:
        return sum(1 for _ in self)

    def resolve(self, layer: LayerLike) -> Address:
        """Read a layer's address.

        `input`, the image before transforms, is no layer: whoever takes addresses looks for it before asking here.

        Args:
            layer: A canonical address, `name@k`, `name[part]`, `name[view]`, `name[view][index]`, an alias, `logits`,
                `prob`, `output`, or a module itself.

        Returns:
            The module, call and part that it stands for, and how the activations are read.

        Raises:
            UnknownLayerError: No such layer fires, the layer needs the number of the call or the part, or it gives
                something else than activations.
        """
        target = self._find(layer)
        place, view = target.place, target.view
        if view is None and (place.leaf is None or place.leaf.refused is not None):
            raise UnknownLayerError(self._why_no_target(place, layer if isinstance(layer, str) else place.text))
        return Address(
            place.call.module,
            place.call.number,
            softmax=layer == PROBABILITIES and PROBABILITIES not in self._records,
            parts=place.parts or (),
            view="" if view is None else view.word,
            layout=place.layout if view is None else view.layout,
            index=target.index,
        )

    def order(self, layer: LayerLike) -> int:
        """Say when a layer finishes.

        Args:
            layer: Any form of address that `resolve` reads.

        Returns:
            Its place in the order in which layers finish, from 0.

        Raises:
            UnknownLayerError: There is no such layer.
        """
        return self._order[id(self._find(layer).place.call)]

    def running_to(self, addresses: Iterable[Address]) -> list[str]:
        """List the modules that finish until some outputs are there.

        Args:
            addresses: Where the outputs are.

        Returns:
            Names as in `named_modules()`, in the order in which they finish; all that do where an address is unknown.
        """
        places = {(call.module, call.number): place for place, call in enumerate(self._calls)}
        last = max((places.get((one.module, one.call), len(places)) for one in addresses), default=-1)
        return [call.module for call in self._calls[: last + 1]]

    def largest(self, layers: Iterable[LayerLike]) -> int:
        """Say how many numbers the largest activation has that one image leaves on the way to some layers.

        Args:
            layers: Any forms of address that `resolve` reads.

        Returns:
            The number at the size of this table; 0 where nothing is known.

        Raises:
            UnknownLayerError: There is no such layer.
        """
        last = max((self.order(layer) for layer in layers), default=-1)
        leaves = (leaf for call in self._calls[: last + 1] for leaf in call.leaves.values())
        return max((math.prod(leaf.shape) for leaf in leaves), default=0)

    def before(self, layer: LayerLike) -> str | None:
        """Find the pre-activation of a ReLU.

        Args:
            layer: Any form of address that `resolve` reads.

        Returns:
            The address of the layer whose very output the ReLU takes; None where the layer is no `nn.ReLU` or
            `nn.ReLU6`, or where something else than a layer feeds it (such as the sum in a residual block).

        Raises:
            UnknownLayerError: There is no such layer.
        """
        feeder = self._find(layer).place.call.fed_by
        return None if feeder is None else self.directory.address_of(*feeder)

    def as_dict(self) -> list[dict[str, object]]:
        """Give the table as plain data.

        Returns:
            One dictionary per layer: the fields of its record, and its alias or None. The network's own output comes
            last, as `logits` or `output` where no layer bears that name, and with its parts where it has several.
        """
        return [asdict(record) | {"alias": alias} for record, alias in self._rows()]

    def as_text(self) -> str:
        """Print the table.

        Returns:
            One line per layer in aligned columns, under a line of headings; where the network raised, a last line
            that says why.
        """
        rows = self._cells()
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = [
            "  ".join(
                cell.rjust(width) if heading in RIGHT_ALIGNED else cell.ljust(width)
                for heading, cell, width in zip(HEADINGS, row, widths, strict=True)
            ).rstrip()
            for row in rows
        ]
        return "\n".join([*lines, *([] if self.broken is None else [self.directory.ending.strip()])])

    def _repr_html_(self) -> str:
        lines = ("".join(f"<td>{html.escape(cell)}</td>" for cell in row) for row in self._cells())
        body = "".join(f"<tr>{line}</tr>" for line in lines)
        return f"<table>{body}</table><p>{html.escape(self.directory.ending.strip())}</p>"

    def _cells(self) -> list[tuple[str, ...]]:
        return [HEADINGS, *(_written(record, alias) for record, alias in self._rows())]

    def _rows(self) -> list[tuple[LayerRecord, str | None]]:
        spoken = {address: alias for alias, address in self.aliases.items()}
        rows = [(record, spoken.get(address)) for address, record in self.items()]
        word = LOGITS if LOGITS in self else WHOLE_NETWORK
        if word in self and self._find(word).place.text == ROOT:
            rows.append((replace(self._records[ROOT], address=word), None))
        parts = (text for text, place in self.directory.places.items() if place.call.module == ROOT and text != ROOT)
        return [*rows, *((self._records[text], None) for text in parts)]

    def _find(self, layer: LayerLike) -> LayerTarget:
        return self.directory.find(layer if isinstance(layer, str) else self.directory.name_of(layer))

    def _why_no_target(self, place: LayerOutput, text: str) -> str:
        leaf, address = place.leaf, self.directory.address_of(place.call.module, place.call.number)
        spoken = f"{self.directory.name}'s " + (f"layer {text!r}" if address != ROOT else "own output")
        if leaf is None:
            known = [(address or WHOLE_NETWORK) + written(parts) for parts in place.call.leaves if parts]
        else:
            known = [f"{address}[{view.word}]" for view in place.call.views]
        advice = f"write which part is meant, one of {', '.join(map(repr, known))}" if known else ELSEWHERE
        if not known and leaf is not None and (leaf.refused or "").endswith(UNKNOWN_AXES):
            axes = AXES_BY_RANK.get(len(leaf.raw), "B C")
            advice = f"{ELSEWHERE}, or write what its axes are, such as '{text}[{axes}]'"
        needed = "where [B, C, H, W] or [B, C] is needed"
        return f"{spoken} {place.refused}, {needed}; {advice}. {self.directory.listing}"

    def _record(self, place: LayerOutput) -> LayerRecord:
        layer, leaf, layout = self._module.get_submodule(place.call.module), place.leaf, place.layout
        states = place.states
        shape = states.shape if states is not None else None if leaf is None else leaf.shape
        refused = None if states is not None else place.refused
        return LayerRecord(
            address=place.text,
            kind=getattr(layer, "kind", type(layer).__name__),
            shape=shape,
            channels=shape[0] if shape and refused is None else None,
            parameters=sum(weight.numel() for weight in layer.parameters()),
            receptive_field=None if leaf is None else leaf.receptive_field,
            calls=self.directory.calls[place.call.module],
            flops=place.call.flops,
            layout="" if layout is None else str(layout),
            tokens=0 if layout is None else layout.prefix + layout.suffix,
            refused=refused,
        )


def _written(record: LayerRecord, alias: str | None) -> tuple[str, ...]:
    """Write a record, in the order of `HEADINGS`."""
    shape = "-" if record.shape is None else "x".join(map(str, record.shape))
    field = "whole image" if record.receptive_field is None else str(record.receptive_field)
    channels = "-" if record.channels is None else str(record.channels)
    own = (record.address, alias or "", record.kind, shape, channels, f"{record.parameters:,}")
    return (*own, _rounded(record.flops), field, record.layout)


def _rounded(count: int) -> str:
    """Write a large count with three digits and a prefix."""
    number, steps = float(count), 0
    while number >= THOUSAND - 0.5 and steps < len(PREFIXES) - 1:
        number, steps = number / THOUSAND, steps + 1
    return f"{number:.3g}{PREFIXES[steps]}" if steps else str(count)
