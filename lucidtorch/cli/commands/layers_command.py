"""`lucidtorch layers`: what a network is made of."""

from __future__ import annotations

import json
from pathlib import Path

import click

from lucidtorch.cli import options
from lucidtorch.cli.console import Voice


@click.command("layers", short_help="List the layers of a network.")
@options.model
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@options.weights
@options.device
@options.convention
@options.seed
@options.quiet
def command(
    model: str,
    as_json: bool,
    weights: str,
    device: str,
    mean: str | None,
    std: str | None,
    value_range: str | None,
    labels: Path | None,
    seed: int,
    quiet: bool,
) -> None:
    """List the layers of a network: address, kind, shape, channels, parameters and receptive field.

    Nothing is downloaded: the table does not depend on the weights. The seed changes nothing here.
    """
    chosen = "random" if weights == "default" else weights
    network = options.open_model(model, chosen, device, mean=mean, std=std, value_range=value_range, labels=labels)
    table = network.layers
    print(json.dumps(table.as_dict(), indent=1) if as_json else table.as_text())
    if table.broken is not None:
        Voice(quiet=quiet).note(f"note: the table ends where the network raised: {table.broken}")
