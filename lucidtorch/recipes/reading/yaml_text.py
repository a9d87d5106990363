"""YAML as recipes write it, so that every reader of YAML reads the same."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import yaml

from lucidtorch.recipes.reading.yaml_scalars import KINDS

WIDTH = 110
SHORT_TEXT = 32  # letters; lists of such texts stand in one line
LONG_TEXT = 80  # letters; longer texts are folded, and begin on a line of their own
ODD = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\xa0\u2028\u2029\ufeff\ud800-\udfff\ufffe\uffff]")  # is written as an escape
UNFOLDABLE = re.compile(r"\A[ \n]| (?:\n|\Z)|\n\n\Z")  # blanks that a block of lines would lose


class _Writer(yaml.SafeDumper):
    """Puts every text in quotes that YAML 1.1 or 1.2 would take for something else."""

    def ignore_aliases(self, data: Any) -> bool:
        """Write equal values out instead of referring to the first."""
        return True


for _kind in KINDS:
    _Writer.add_implicit_resolver(f"tag:yaml.org,2002:{_kind.name}", _kind.pattern, list(_kind.first))


def dump(values: Mapping[str, Any]) -> str:
    """Write plain data."""
    text: str = yaml.dump(dict(values), Dumper=_Writer, sort_keys=False, allow_unicode=True, width=WIDTH)
    return text


def _write_text(writer: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    style = "|" if "\n" in text else ">" if len(text) > LONG_TEXT else None
    if ODD.search(text) or (style is not None and UNFOLDABLE.search(text)):
        style = '"'
    return writer.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _write_list(writer: yaml.SafeDumper, values: list[Any] | tuple[Any, ...]) -> yaml.SequenceNode:
    short = all(len(one) <= SHORT_TEXT if isinstance(one, str) else not _holds(one) for one in values)
    return writer.represent_sequence("tag:yaml.org,2002:seq", values, flow_style=short)


def _write_mapping(writer: yaml.SafeDumper, values: dict[str, Any]) -> yaml.MappingNode:
    node = writer.represent_mapping("tag:yaml.org,2002:map", values, flow_style=not values)
    for key, _ in node.value:
        key.style = key.style and '"'
    return node


def _holds(value: Any) -> bool:
    return isinstance(value, list | tuple | dict)


_Writer.add_representer(str, _write_text)
_Writer.add_representer(list, _write_list)
_Writer.add_representer(tuple, _write_list)
_Writer.add_representer(dict, _write_mapping)
