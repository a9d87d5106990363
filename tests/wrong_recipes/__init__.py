"""Recipes that are refused, by what is wrong with them."""

from __future__ import annotations

from wrong_recipes.case import FILES, Case
from wrong_recipes.fields import FIELDS
from wrong_recipes.kinds import KINDS
from wrong_recipes.network import NETWORK
from wrong_recipes.sources import SOURCES
from wrong_recipes.syntax import SYNTAX

WRONG: dict[str, Case] = {**SYNTAX, **SOURCES, **FIELDS, **NETWORK, **KINDS}

__all__ = ["FILES", "WRONG", "Case"]
