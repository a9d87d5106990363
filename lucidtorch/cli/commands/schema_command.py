"""`lucidtorch schema`: what recipes may hold, for editors and validators."""

from __future__ import annotations

import json

import click

from lucidtorch.cli import options
from lucidtorch.recipes.documents.schema import schema


@click.command("schema", short_help="Print the JSON Schema of recipes.")
@options.seed
@options.quiet
def command(seed: int, quiet: bool) -> None:
    """Print the JSON Schema of recipes, by which editors complete and check them.

    The seed changes nothing here.
    """
    print(json.dumps(schema(), indent=1))
