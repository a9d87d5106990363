"""How the layers of a network are written: reading an address, and saying what is wrong with one."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from torch import nn

from lucidtorch.base.errors import UnknownLayerError, suggestion
from lucidtorch.models.layers.dry_run import ROOT, DryRun, Leaf, ModuleCall
from lucidtorch.models.layers.views import (
    LayerView,
    advice_on,
    only_registers,
    stated_view,
    token_views,
    why_no_index,
    why_no_view,
)
from lucidtorch.models.layouts.layout import Layout
from lucidtorch.models.running.address import CLASS, HEADS, Parts, words_of_cell, written
from lucidtorch.models.running.address import OUTPUT as STATES

WHOLE_NETWORK = "output"  # how whatever the whole network gives is written
INPUT = "input"
LOGITS = "logits"
PROBABILITIES = "prob"
PARTED = re.compile(r"(?P<name>[^\[\]]+)(?P<words>(?:\[[^\[\]]+\])+)")


@dataclass(frozen=True, slots=True)
class LayerOutput:
    """One tensor of a forward pass."""

    text: str  # its canonical address
    call: ModuleCall
    parts: Parts | None  # the way to it in what the call returned; None where nothing says which tensor is meant

    @property
    def leaf(self) -> Leaf | None:
        """The tensor, or None where nothing says which is meant."""
        return None if self.parts is None else self.call.leaves[self.parts]

    @property
    def layout(self) -> Layout | None:
        """How it becomes an activation; None where it is one already."""
        layout = None if self.leaf is None else self.leaf.layout
        return None if layout is None or layout.is_plain else layout

    @property
    def refused(self) -> str | None:
        """Why it cannot be a target, or None where it can."""
        return self.call.gives if self.leaf is None else self.leaf.refused

    @property
    def views(self) -> dict[str, LayerView]:
        """How it can be read beside its activations, by the word for each."""
        leaf = self.leaf
        tokens = [] if leaf is None else token_views(leaf.layout, leaf.shape)
        return {view.word: view for view in (*tokens, *self._of_call)}

    @property
    def states(self) -> LayerView | None:
        """The states over time, where it is a recurrent layer that gives them; no other view is built to see that."""
        return next((view for view in self._of_call if view.word == STATES), None)

    @property
    def _of_call(self) -> tuple[LayerView, ...]:
        return self.call.views if self.parts == self.call.main else ()


@dataclass(frozen=True, slots=True)
class LayerTarget:
    """What an address stands for: a tensor, and how it is read."""

    place: LayerOutput
    view: LayerView | None = None  # None for its activations
    index: int | None = None  # which token, head or step of the view; all of them where None

    @property
    def text(self) -> str:
        """Its canonical address."""
        if self.view is None:
            return self.place.text
        index = "" if self.index is None else f"[{self.index}]"
        return f"{self.place.text or WHOLE_NETWORK}[{self.view.word}]{index}"

    @property
    def shape(self) -> tuple[int, ...] | None:
        """What it gives for one image as an activation; None where that is no tensor."""
        if self.view is None:
            return None if self.place.leaf is None else self.place.leaf.shape
        return self.view.shape if self.index is None else self.view.item


class Directory:
    """The addresses of all that fires in one forward pass, in the order in which it finishes."""

    def __init__(
        self, found: DryRun, module: nn.Module, *, name: str, aliases: Mapping[str, str], listing: str
    ) -> None:
        self.name = name
        self.listing = listing
        self._size = found.size
        sides = "x".join(map(str, found.size))
        advice = "" if found.broken is None else advice_on(found.broken, found.size)
        self.ending = ""
        if found.broken is not None:
            why = f"{found.broken.rstrip('. ')}; {advice}" if advice else found.broken
            self.ending = f" (The table {'ends early' if found.calls else 'is empty'}, at {sides} pixels: {why})"
        self._modules = dict(module.named_modules())
        self._only_registers = only_registers(module)
        self.calls: dict[str, int] = {}
        for call in found.calls:
            self.calls[call.module] = call.number + 1
        self.places: dict[str, LayerOutput] = {}
        self._parts: dict[tuple[str, str], str] = {}  # further ways to write parts, by the place and what follows it
        for call in found.calls:
            address = self.address_of(call.module, call.number)
            self.places[address] = LayerOutput(address, call, call.main)
            owner = address or WHOLE_NETWORK
            others = [LayerOutput(owner + written(parts), call, parts) for parts in call.leaves if parts != call.main]
            self.places.update({place.text: place for place in others})
            self._parts |= {(address, words): text for words, text in self._other_words(address, call)}
        fires = {alias: address for alias, address in aliases.items() if address in self.places}
        self.aliases: dict[str, str] = {alias: to for alias, to in fires.items() if alias not in self.places}

    def address_of(self, name: str, call: int) -> str:
        """Write the address of a call."""
        return name if self.calls[name] == 1 else f"{name}@{call}"

    def find(self, text: str) -> LayerTarget:
        """Read an address."""
        parted = PARTED.fullmatch(text)
        if parted is None or text in self.places:
            return self._whole(self.places[self._canonical(text)])
        place = self.places[self._canonical(parted["name"])]
        words = parted["words"][1:-1].split("][")
        for count in range(len(words), 0, -1):
            inner = self._inner(place, "".join(f"[{word}]" for word in words[:count]))
            if inner is not None:
                return self._viewed(text, inner, words[count:])
        return self._viewed(text, place, words)

    def _inner(self, place: LayerOutput, brackets: str) -> LayerOutput | None:
        return self.places.get(self._parts.get((place.text, brackets), (place.text or WHOLE_NETWORK) + brackets))

    def views(self, place: LayerOutput) -> dict[str, LayerView]:
        """Say how a tensor can be read beside its activations."""
        return {word: view for word, view in place.views.items() if word != CLASS or not self._only_registers}

    def _whole(self, place: LayerOutput) -> LayerTarget:
        """Recurrent layers give their states over time."""
        return LayerTarget(place, place.states)

    def _viewed(self, text: str, place: LayerOutput, words: Sequence[str]) -> LayerTarget:
        if not words:
            return self._whole(place)
        word, *rest = words
        view = self.views(place).get(word)
        if view is None and place.leaf is not None and not rest:
            view = stated_view(word, place.leaf.raw, self._size, f"{self.name}'s {text!r}")
        if view is None:
            raise UnknownLayerError(self._why_no_view(text, place, word))
        if not rest:
            return LayerTarget(place, view)
        index = view.place(rest[0]) if len(rest) == 1 else None
        if index is None:
            raise UnknownLayerError(f"{self.name} has no {text!r}: {why_no_index(view)}")
        return LayerTarget(place, view, index)

    def _other_words(self, address: str, call: ModuleCall) -> Iterator[tuple[str, str]]:
        """Further words for parts: the index of the main part, and the names of the states of a cell."""
        named: dict[str, Parts] = {
            f"[{word}]": parts for word, parts in words_of_cell(self._modules[call.module]).items()
        }
        if call.main:
            named[written(call.main)] = call.main
        for words, parts in named.items():
            yield words, address if parts == call.main else (address or WHOLE_NETWORK) + written(parts)

    def _why_no_view(self, text: str, place: LayerOutput, word: str) -> str:
        owner = text[: text.index(f"[{word}]")]
        headed = [f"{one.text}[{HEADS}]" for one in self.places.values() if HEADS in one.views]
        layer, shape = self._modules[place.call.module], () if place.leaf is None else place.leaf.shape
        reason = why_no_view(word, owner, layer, shape, list(self.views(place)), headed)
        if reason is not None:
            return f"{self.name} has no {text!r}: {reason}"
        leaves = place.call.leaves.items() if place.parts == place.call.main else ()
        parts = [owner + written(found) for found, leaf in leaves if found != place.parts and leaf.refused is None]
        known = [*parts, *(f"{owner}[{one}]" for one in self.views(place))]
        listed = f"write one of {', '.join(map(repr, known))}" if known else "it is one tensor"
        return f"{self.name} has no {text!r}: {owner!r} {place.call.gives}; {listed}."

    def _canonical(self, text: str) -> str:
        if text in self.places and text != ROOT:
            return text
        if text in self.aliases:
            return self.aliases[text]
        if text in (LOGITS, PROBABILITIES):
            return self._logits(text)
        if text == WHOLE_NETWORK and ROOT in self.places:
            return ROOT
        name, at, number = text.rpartition("@")
        if at and number.isdecimal():
            return self._canonical_call(text, self.aliases.get(name, name), int(number))
        raise UnknownLayerError(self._why_unknown(text))

    def _logits(self, text: str) -> str:
        """Find the output of the classifier: a layer called `logits`, else the output of the network."""
        if LOGITS in self.places:
            return LOGITS
        if LOGITS in self.aliases:
            return self.aliases[LOGITS]
        place = self.places.get(ROOT)
        if place is not None and place.refused is None and place.leaf is not None and len(place.leaf.shape) == 1:
            return ROOT
        gives = "was not reached" if place is None else place.refused
        if place is not None and place.refused is None and place.leaf is not None:
            gives = f"gives {list(place.leaf.shape)} per image, which 'output' stands for"
        why = f"no layer of it is called 'logits', and it {gives}"
        raise UnknownLayerError(f"{self.name} has no {text!r}: {why}.{self.ending}")

    def _output_word(self) -> str:
        try:
            self._logits(LOGITS)
        except UnknownLayerError:
            return WHOLE_NETWORK
        return LOGITS

    def _canonical_call(self, text: str, name: str, call: int) -> str:
        calls = self.calls.get(name)
        if calls is None:
            raise UnknownLayerError(self._why_unknown(text))
        if call >= calls:
            times = "once" if calls == 1 else f"{calls} times"
            raise UnknownLayerError(f"{text!r} is no call of {self.name}: {name!r} is called {times}, from @0.")
        return self.address_of(name, call)

    def _why_unknown(self, text: str) -> str:
        if text == INPUT:
            return (
                f"'input' is the image itself and no layer of {self.name}; a layer of that name is written 'input@0'."
            )
        if self.calls.get(text, 0) > 1:
            calls = ", ".join(repr(f"{text}@{call}") for call in range(self.calls[text]))
            return f"{self.name} calls {text!r} {self.calls[text]} times: write which call you mean, one of {calls}."
        if text and text in self._modules:
            return f"{self.name} has {text!r}, but it does not fire in the forward pass.{self.ending} {self.listing}"
        if text == WHOLE_NETWORK:
            return f"{self.name} gave no output in the dry run.{self.ending}"
        known = [*self.aliases, *(known for known in self.places if known != ROOT)]
        known += [self._output_word()] * (ROOT in self.places)
        inside = [one for one in known if one.endswith(f".{text}")]  # of a network that something was put around
        if inside:
            listed = " or ".join(map(repr, inside[:3]))
            return f"{self.name} has no layer {text!r}. Did you mean {listed}?{self.ending} {self.listing}"
        return f"{self.name} has no layer {text!r}. {suggestion(text, known)}{self.ending} {self.listing}"

    def name_of(self, module: nn.Module) -> str:
        """Find the address of a module."""
        for name, child in self._modules.items():
            if child is module:
                return name or WHOLE_NETWORK
        raise UnknownLayerError(
            f"This {type(module).__name__} is no part of {self.name}; give one of its own modules. {self.listing}"
        )

    def silent(self) -> list[str]:
        """List the modules without parts of their own that did not fire."""
        simple = [name for name, child in self._modules.items() if name and not any(True for _ in child.children())]
        return [name for name in simple if name not in self.calls]
