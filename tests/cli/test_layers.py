"""`lucidtorch layers` says what a network takes and what will go wrong with it, below the table."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

Cli = Callable[..., Any]
NETWORKS = """
import torch
from torch import nn

class Raising(nn.Module):
    def __init__(self):
        super().__init__()
        self.a, self.b = nn.Conv2d(3, 4, 3), nn.Conv2d(4, 4, 3)

    def forward(self, images):
        self.a(images)
        raise RuntimeError("it always does")

def raising():
    return Raising()

def failing():
    raise ValueError("no network today")

def number():
    return 5
"""


@pytest.fixture
def networks(tmp_path: Path) -> None:
    (tmp_path / "mine.py").write_text(NETWORKS)


def test_below_the_table_stands_what_the_network_takes(cli: Cli) -> None:
    found = cli("layers", "digits")
    assert (found.code, found.err) == (0, "")
    table, notes = found.out.split("\n\n")
    assert "logits" in table
    assert notes == "input: 1 channel, 32 x 32 pixels, range 0,1, mean 0.5, std 0.25 (stated)\n"


def test_with_json_the_notes_are_on_the_other_stream(cli: Cli) -> None:
    found = cli("layers", "resnet18", "--json")
    rows = json.loads(found.out)
    assert [row["address"] for row in rows][-1] == "logits"
    assert found.err.splitlines()[0].startswith("input: 3 channels")
    assert found.err.splitlines()[1].startswith("note: 8 layers are called several times")
    quiet = cli("layers", "resnet18", "--json", "--quiet")
    assert (quiet.out, quiet.err) == (found.out, "")


@pytest.mark.usefixtures("networks")
def test_a_network_that_raises_is_listed_up_to_there(cli: Cli) -> None:
    found = cli("layers", "mine.py:raising", "--mean", "0", "--input-size", "20x24")
    assert found.code == 0
    assert re.search(r"^a +Conv2d +4x18x22", found.out, re.MULTILINE)
    notes = [line for line in found.out.splitlines() if line.startswith("note: ")]
    assert [line for line in notes if "at 20 x 24 pixels" in line and "RuntimeError: it always does." in line]
    assert "Traceback" not in found.out + found.err


@pytest.mark.usefixtures("networks")
@pytest.mark.parametrize(
    ("spec", "said"),
    [("mine.py:failing", "no network today"), ("mine.py:number", "int|Module"), ("none.py:net", "none.py")],
)
def test_a_factory_that_gives_no_network_is_told_in_a_line(spec: str, said: str, cli: Cli) -> None:
    found = cli("layers", spec)
    assert (found.code, found.out) == (2, "")
    assert re.search(said, found.err)
    assert len(found.err.splitlines()) == 1


@pytest.mark.usefixtures("networks")
def test_a_guess_is_told_once(cli: Cli) -> None:
    found = cli("layers", "mine.py:raising")
    assert "(a guess)" in found.out
    assert (found.out + found.err).count("does not say what input it expects") == 1


def test_the_traced_view_has_functional_operations_too(cli: Cli) -> None:
    plain = json.loads(cli("layers", "resnet18", "--json", "--input-size", "32").out)
    traced = json.loads(cli("layers", "resnet18", "--json", "--input-size", "32", "--trace").out)
    added = {row["address"] for row in traced} - {row["address"] for row in plain}
    assert {"layer1.0.add", "layer1.0.relu_1", "flatten"} <= added
