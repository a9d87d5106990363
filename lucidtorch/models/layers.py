"""The table of a network's layers: what each is, gives and sees, and how its address is written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import asdict, replace

from torch import nn

from lucidtorch.base.errors import UnknownLayerError, suggestion
from lucidtorch.models.address import Address
from lucidtorch.models.layer_record import LayerRecord, as_columns
from lucidtorch.models.walk import ROOT, Firing, Walk

INPUT = "input"
LOGITS = "logits"
PROBABILITIES = "prob"


class LayerTable(Mapping[str, LayerRecord]):
    """All layers that fire in one forward pass, in the order in which they finish.

    Its keys are addresses; `table[...]` takes aliases, `logits` and `prob` as well.

    Args:
        found: What a dry run noted.
        module: The network it was run on.
        name: The network's name, for messages.
        aliases: The literature's names, and the addresses they stand for; those of layers that never fire are left out.
        listing: What the reader of an error message is told to do to see all layers.
    """

    def __init__(self, found: Walk, module: nn.Module, *, name: str, aliases: Mapping[str, str], listing: str) -> None:
        self.size = found.size
        self.broken = found.broken
        self._name = name
        self._listing = listing
        self._module_names = frozenset(child for child, _ in module.named_modules())
        self._calls: dict[str, int] = {}
        for firing in found.firings:
            self._calls[firing.module] = firing.call + 1
        self._firings = {self._address_of(firing.module, firing.call): firing for firing in found.firings}
        self._records = {address: self._record(module, address, one) for address, one in self._firings.items()}
        self._order = {address: place for place, address in enumerate(self._records)}
        fires = {alias: address for alias, address in aliases.items() if address in self._records}
        self.aliases: dict[str, str] = {alias: to for alias, to in fires.items() if alias not in self._records}

    def __getitem__(self, text: str) -> LayerRecord:
        return self._records[self._canonical(text)]

    def __contains__(self, text: object) -> bool:
        try:
            return isinstance(text, str) and bool(self[text])
        except UnknownLayerError:
            return False

    def __iter__(self) -> Iterator[str]:
        return (address for address in self._records if address != ROOT)

    def __len__(self) -> int:
        return len(self._records) - (ROOT in self._records)

    def resolve(self, text: str) -> Address:
        """Read a layer's address.

        `input`, the image before transforms, is no layer: whoever takes addresses looks for it before asking here.

        Args:
            text: A canonical address, `name@k`, an alias, `logits` or `prob`.

        Returns:
            The module and call that it stands for.

        Raises:
            UnknownLayerError: No such layer fires, the layer needs the number of the call, or it gives something else
                than one tensor `[B, C, H, W]` or `[B, C]`.
        """
        canonical = self._canonical(text)
        firing = self._firings[canonical]
        if firing.refused is not None:
            raise UnknownLayerError(
                f"{self._spoken(text, canonical)} {firing.refused}, where [B, C, H, W] or [B, C] is needed; "
                f"name a layer inside or after it. {self._listing}"
            )
        return Address(firing.module, firing.call, softmax=text == PROBABILITIES and text not in self._records)

    def order(self, text: str) -> int:
        """Say when a layer finishes.

        Args:
            text: Any form of address that `resolve` reads.

        Returns:
            Its place in the order in which layers finish, from 0.

        Raises:
            UnknownLayerError: There is no such layer.
        """
        return self._order[self._canonical(text)]

    def before(self, text: str) -> str | None:
        """Find the pre-activation of a ReLU.

        Args:
            text: Any form of address that `resolve` reads.

        Returns:
            The address of the layer whose very output the ReLU takes; None where the layer is no `nn.ReLU` or
            `nn.ReLU6`, or where something else than a layer feeds it (such as the sum in a residual block).

        Raises:
            UnknownLayerError: There is no such layer.
        """
        feeder = self._firings[self._canonical(text)].fed_by
        return None if feeder is None else self._address_of(*feeder)

    def as_dict(self) -> list[dict[str, object]]:
        """Give the table as plain data.

        Returns:
            One dictionary per layer: the fields of its record, and its alias or None. Where the network's own output
            is what `logits` stands for, it is the last one.
        """
        return [asdict(record) | {"alias": alias} for record, alias in self._rows()]

    def as_text(self) -> str:
        """Print the table.

        Returns:
            One line per layer in aligned columns, under a line of headings; where the network raised, a last line
            that says why.
        """
        text = as_columns(self._rows())
        return text if self.broken is None else f"{text}\n{self._break().strip()}"

    def _rows(self) -> list[tuple[LayerRecord, str | None]]:
        spoken = {address: alias for alias, address in self.aliases.items()}
        rows = [(record, spoken.get(address)) for address, record in self.items()]
        if LOGITS in self and self._canonical(LOGITS) == ROOT:
            rows.append((replace(self._records[ROOT], address=LOGITS), None))
        return rows

    def _canonical(self, text: str) -> str:
        if text in self._records and text != ROOT:
            return text
        if text in self.aliases:
            return self.aliases[text]
        if text in (LOGITS, PROBABILITIES):
            return self._logits(text)
        name, at, number = text.rpartition("@")
        if at and number.isdecimal():
            return self._canonical_call(text, self.aliases.get(name, name), int(number))
        raise UnknownLayerError(self._why_unknown(text))

    def _logits(self, text: str) -> str:
        """Find the classifier's output: a layer called `logits`, else what the whole network gives."""
        if LOGITS in self._records:
            return LOGITS
        if LOGITS in self.aliases:
            return self.aliases[LOGITS]
        root = self._firings.get(ROOT)
        if root is None or root.refused or len(root.shape or ()) != 1:
            gives = "was not reached" if root is None else root.refused or f"gives {list(root.shape or ())} per image"
            why = f"no layer of it is called 'logits', and it {gives}"
            raise UnknownLayerError(f"{self._name} has no {text!r}: {why}.{self._break()}")
        return ROOT

    def _canonical_call(self, text: str, name: str, call: int) -> str:
        calls = self._calls.get(name)
        if calls is None:
            raise UnknownLayerError(self._why_unknown(text))
        if call >= calls:
            times = "once" if calls == 1 else f"{calls} times"
            raise UnknownLayerError(f"{text!r} is no call of {self._name}: {name!r} is called {times}, from @0.")
        return self._address_of(name, call)

    def _why_unknown(self, text: str) -> str:
        if text == INPUT:
            return (
                f"'input' is the image itself and no layer of {self._name}; a layer of that name is written 'input@0'."
            )
        if self._calls.get(text, 0) > 1:
            calls = ", ".join(repr(f"{text}@{call}") for call in range(self._calls[text]))
            return f"{self._name} calls {text!r} {self._calls[text]} times: write which call you mean, one of {calls}."
        if text and text in self._module_names:
            return (
                f"{self._name} has {text!r}, but it does not fire in the forward pass.{self._break()} {self._listing}"
            )
        known = [*self.aliases, *self, LOGITS]
        return f"{self._name} has no layer {text!r}. {suggestion(text, known)}{self._break()} {self._listing}"

    def _break(self) -> str:
        if self.broken is None:
            return ""
        return f" (The table ends early, at {self.size[0]}x{self.size[1]} pixels: {self.broken})"

    def _spoken(self, text: str, canonical: str) -> str:
        return f"{self._name}'s layer {text!r}" if canonical != ROOT else f"{self._name}'s own output"

    def _address_of(self, name: str, call: int) -> str:
        return name if self._calls[name] == 1 else f"{name}@{call}"

    def _record(self, module: nn.Module, address: str, firing: Firing) -> LayerRecord:
        layer = module.get_submodule(firing.module)
        return LayerRecord(
            address=address,
            kind=type(layer).__name__,
            shape=firing.shape,
            channels=firing.shape[0] if firing.shape and firing.refused is None else None,
            parameters=sum(weight.numel() for weight in layer.parameters()),
            receptive_field=firing.receptive_field,
            calls=self._calls[firing.module],
        )
