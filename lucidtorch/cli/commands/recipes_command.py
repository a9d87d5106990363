"""`lucidtorch recipes`: the kinds of recipes, and those that ship."""

from __future__ import annotations

import click

from lucidtorch.base.errors import RecipeError, suggestion
from lucidtorch.cli import options
from lucidtorch.recipes.documents.loading import load
from lucidtorch.recipes.documents.shipped import first_comment, shipped_file, shipped_names
from lucidtorch.recipes.kinds import KINDS, kind

USAGE = """\
lucidtorch recipes NAME > r.yaml      a recipe to start from
lucidtorch run r.yaml -o DIR          run it; `lucidtorch run NAME` runs one that ships as it is"""


@click.command("recipes", short_help="List the kinds of recipes, or print one to start from.")
@click.argument("name", required=False, metavar="[NAME]")
@options.seed
@options.quiet
def command(name: str | None, seed: int, quiet: bool) -> None:
    """List the kinds of recipes with those that ship, or print one of them as it is, to start from.

    The seed changes nothing here.
    """
    if name is None:
        print("\n".join(_listing()))
        return
    if name not in shipped_names():
        raise RecipeError(
            f"No recipe {name!r} ships. {suggestion(name, shipped_names())} `lucidtorch recipes` lists them."
        )
    click.echo(shipped_file(name).read_bytes(), nl=False)


def _listing() -> list[str]:
    ships: dict[str, list[str]] = {}
    for name in shipped_names():
        ships.setdefault(load(name).values["recipe"], []).append(name)
    width = max(map(len, shipped_names()), default=0)
    lines = []
    for one in KINDS:
        own = [f"  {name:<{width}}  {first_comment(name)}".rstrip() for name in ships.get(one, [])]
        lines += [f"{one}: {kind(one).summary}", *own, ""]
    return [*lines, USAGE]
