"""Which network a command is about, as its words say, and the network that a shell holds."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from pathlib import Path

import click

from lucidtorch.base.plugins import SUFFIX
from lucidtorch.base.sizes import size_sides
from lucidtorch.cli.reading import numbers, numbers_or_file
from lucidtorch.models.loading import load_model
from lucidtorch.models.model import Model
from lucidtorch.models.sources.program_source import SUFFIXES


@dataclass(frozen=True)
class Loading:
    """All that is said of a network on the command line, as it was written.

    Args:
        spec: Its name or file.
        weights: ``default``, ``random`` or a file.
        device: Where it shall compute.
        mean: Numbers between commas, or the path of a mean-image file.
        std: Numbers between commas.
        value_range: Two numbers between commas.
        channel_order: ``rgb`` or ``bgr``.
        input_size: The size of the input that it was made for.
        channels: The number of channels of its input.
        labels: A file with the names of its classes.
        trace: Whether operations that are no modules shall be layers too.
        trust: Whether a saved program may run code, and a scan name images anywhere.
    """

    spec: str
    weights: str = "default"
    device: str = "auto"
    mean: str | None = None
    std: str | None = None
    value_range: str | None = None
    channel_order: str | None = None
    input_size: str | None = None
    channels: int | None = None
    labels: Path | None = None
    trace: bool = False
    trust: bool = False

    @property
    def short_spec(self) -> str:
        """The name without the folders or the source before it, for the names of files."""
        return self.spec.replace("\\", "/").rpartition("/")[2]

    def untrained(self) -> Loading:
        """Leave the download of weights out, for what does not depend on them."""
        own = self.spec.endswith((SUFFIX, *SUFFIXES)) or self.spec.rpartition(":")[0].endswith(SUFFIX)
        return self if own or self.weights != "default" else replace(self, weights="random")

    def load(self) -> Model:
        """Load the network."""
        return load_model(
            self.spec,
            weights=self.weights,
            device=self.device,
            mean=numbers_or_file(self.mean, "--mean"),
            std=numbers(self.std, "--std"),
            value_range=numbers(self.value_range, "--range"),
            channel_order=self.channel_order,
            size=None if self.input_size is None else size_sides(self.input_size, what="--input-size"),
            channels=self.channels,
            labels=self.labels,
            trace=self.trace,
            trust=self.trust,
        )


@dataclass
class Workbench:
    """What a shell holds between its commands, and hands to each.

    Args:
        loading: The words by which the network was loaded.
        model: The network.
        settings: What stands for options that a command leaves out, by the option's name.
        ended: Whether the shell is to end.
    """

    loading: Loading
    model: Model
    settings: dict[str, str] = field(default_factory=dict)
    ended: bool = False


def open_model(loading: Loading, *, trained: bool = True) -> Model:
    """Load the network that a command names; a shell that holds just this one gives it."""
    bench = workbench()
    if bench is not None and bench.loading == loading:
        return bench.model
    return (loading if trained else loading.untrained()).load()


def workbench(context: click.Context | None = None) -> Workbench | None:
    """Find what the shell holds, where a command is called in one."""
    found = click.get_current_context(silent=True) if context is None else context
    return None if found is None else found.find_object(Workbench)
