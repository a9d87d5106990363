"""`lucidtorch layers`: what a network is made of, and what will go wrong with it."""

from __future__ import annotations

import json
import warnings

import click

from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.cli import network_words, options
from lucidtorch.cli.console import Voice
from lucidtorch.cli.loading import Loading, open_model
from lucidtorch.models.model import Model
from lucidtorch.models.preflight import expectation, findings


@click.command("layers", short_help="List the layers of a network.", cls=network_words.NetworkCommand)
@network_words.argument
@click.option("--json", "as_json", is_flag=True, help="Print the table as JSON, and the notes on the other stream.")
@network_words.options
@options.seed
@options.quiet
def command(loading: Loading, as_json: bool, seed: int, quiet: bool) -> None:
    """List the layers of a network, and say what will go wrong with it before it does.

    The table has each layer's address, kind, shape, channels, parameters, operations to get there and receptive field.
    Below it stand what the network expects of its input, and notes.

    Nothing is downloaded: the table does not depend on the weights. The seed changes nothing here.
    """
    voice = Voice(quiet=quiet)
    network, notes = _examined(loading)
    table = network.layers
    said = [f"input: {expectation(network)}", *(f"note: {note}" for note in notes)]
    if not as_json:
        print("\n".join([table.as_text(), "", *said]))
        return
    print(json.dumps(table.as_dict(), indent=1), flush=True)
    for line in said:
        voice.note(line)


def _examined(loading: Loading) -> tuple[Model, list[str]]:
    """Load a network and look at it; what loading it warns of is one of the notes."""
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", LucidtorchWarning)
        network = open_model(loading, trained=False)
        notes = findings(network)
    own = [str(one.message) for one in told if issubclass(one.category, LucidtorchWarning)]
    return network, list(dict.fromkeys([*own, *notes]))
