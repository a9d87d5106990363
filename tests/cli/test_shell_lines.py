"""From a line as it was typed to the words of a command."""

from __future__ import annotations

import pytest

from lucidtorch.base.errors import BadInputError
from lucidtorch.cli.shell.line import objective_part, words_of

COMMANDS = ("render", "layers", "gallery", "rerun", "set", "labels", "model")
OPTIONS = ("--steps", "--size", "--quiet", "-q", "-o", "--output")


def words(line: str) -> list[str]:
    return words_of(line, COMMANDS, OPTIONS, "demo")


@pytest.mark.parametrize(
    ("line", "wanted"),
    [
        ("", []),
        ("   ", []),
        ("# render conv1:0", []),
        ("conv1:0", ["render", "--", "conv1:0"]),
        ("  conv1:0  ", ["render", "--", "conv1:0"]),
        ("-conv1:0", ["render", "--", "-conv1:0"]),
        ("conv1:0 -o x.png --steps 4", ["render", "-o", "x.png", "--steps", "4", "--", "conv1:0"]),
        ("2 * conv1:0 - conv2:[1, 2] -q", ["render", "-q", "--", "2 * conv1:0 - conv2:[1, 2]"]),
        ("channel('a b', 3) --size=24", ["render", "--size=24", "--", "channel('a b', 3)"]),
        ("channel ('a', 3)", ["render", "--", "channel ('a', 3)"]),
        ("logit('a -o b')", ["render", "--", "logit('a -o b')"]),
        ("render conv1:0", ["render", "--", "conv1:0"]),
        ('render "conv1:0" --steps 64', ["render", "--steps", "64", "--", "conv1:0"]),
        ("render \"channel('a', 3)\"", ["render", "--", "channel('a', 3)"]),
        ("render channel('a', 3) - 1", ["render", "--", "channel('a', 3) - 1"]),
        ("render --steps 4", ["render", "--steps", "4"]),
        ("render demo conv1:0", ["render", "--", "conv1:0"]),
        ("render", ["render"]),
        ("layers", ["layers"]),
        ("layers demo --json", ["layers", "--json"]),
        ("labels demo", ["labels", "demo"]),
        ("rerun 'a b.png' -o c.png", ["rerun", "a b.png", "-o", "c.png"]),
        ("set", ["set", "--"]),
        ("set steps", ["set", "--", "steps"]),
        ("set --steps -64", ["set", "--", "steps", "-64"]),
        ("set --help", ["set", "--help"]),
        ("set steps 64", ["set", "--", "steps", "64"]),
        ("set transforms pad(12) | jitter(8)", ["set", "--", "transforms", "pad(12) | jitter(8)"]),
        ("set transforms 'pad(12) | jitter(8)'", ["set", "--", "transforms", "pad(12) | jitter(8)"]),
        ("model 'my net.py:make' --weights w.pth", ["model", "my net.py:make", "--weights", "w.pth"]),
    ],
)
def test_a_line_becomes_words(line: str, wanted: list[str]) -> None:
    assert words(line) == wanted


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("rendr conv1:0", "no command 'rendr'. Did you mean 'render'"),
        ("rendr", "Did you mean 'render'"),
        ("layers 'demo", "does not split.*No closing quotation"),
        ('rerun "x.png', "No closing quotation"),
    ],
)
def test_what_is_neither_command_nor_objective_is_refused(line: str, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        words(line)


def test_an_objective_that_begins_with_an_option_is_none() -> None:
    assert objective_part("--steps 4 conv1:0", OPTIONS) == ("", "--steps 4 conv1:0")
    assert objective_part("conv1:0 - conv2:1", OPTIONS) == ("conv1:0 - conv2:1", "")
