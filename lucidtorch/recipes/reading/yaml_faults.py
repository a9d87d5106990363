"""What is wrong with a text that is no YAML, in a plain sentence and at the place to mend."""

from __future__ import annotations

from typing import NamedTuple

import yaml


class Fault(NamedTuple):
    """A fault that PyYAML finds.

    Args:
        problem: A part of what it says.
        sentence: What is wrong and what to write instead.
        at_start: Whether the place to mend is where the thing begins that it was reading.
    """

    problem: str
    sentence: str
    at_start: bool = False


FAULTS = (
    Fault("character '\\t'", "A tab stands here; indent with blanks instead."),
    Fault("that cannot start any token", "No value begins with this letter; put the value in quotes."),
    Fault("block entries are not allowed", "A list entry cannot begin here; put each `- ` on a line of its own."),
    Fault("sequence entries are not allowed", "A list entry cannot begin here; put each `- ` on a line of its own."),
    Fault(
        "mapping values are not allowed",
        "A colon with a blank behind it begins a value, and none can begin here; put a text with a colon in quotes, "
        "and give the keys of a mapping the same indentation.",
    ),
    Fault("could not find expected ':'", "This is no `key: value`; write a colon and a blank behind the key.", True),
    Fault(
        "expected <block end>",
        "This line does not go on with what stands before it; give the keys of a mapping the same indentation, and "
        "put a text with quotes in it in quotes of the other sort.",
    ),
    Fault("expected ',' or ']'", "This list is not closed, or lacks a comma; write [1, 2].", True),
    Fault("expected ',' or '}'", "This mapping is not closed, or lacks a comma; write {key: value}.", True),
    Fault("found unexpected end of stream", "These quotes are not closed.", True),
    Fault("found unexpected document separator", "These quotes are not closed.", True),
    Fault(
        "found unknown escape character",
        "Behind a backslash in double quotes stands no such letter; put the text in single quotes.",
    ),
    Fault("undefined alias", "This * names an anchor that is not above it; put a text that begins with * in quotes."),
    Fault("duplicate anchor", "An anchor & of this name is above it already; give this one another name."),
    Fault("expected alphabetic or numeric character", "* and & begin no text; put it in quotes.", True),
    Fault(
        "found another document",
        "A second document begins here, and a recipe is one; put it in a file of its own.",
    ),
    Fault("expected '<document start>'", "The document ended before this line; the lines behind it belong nowhere."),
    Fault("expected the node content", "A value is missing here."),
    Fault("expected a comment or a line break", "This cannot stand behind | or >; begin the text on the next line."),
    Fault("expected chomping or indentation", "This cannot stand behind | or >; begin the text on the next line."),
)


def explained(error: yaml.MarkedYAMLError) -> tuple[str, yaml.Mark | None]:
    """Say what is wrong."""
    said = str(error.problem)
    for fault in FAULTS:
        if fault.problem in said:
            return fault.sentence, (error.context_mark if fault.at_start else None) or error.problem_mark
    context = f"{error.context}, " if error.context else ""
    return f"This is no YAML: {context}{said}.", error.problem_mark or error.context_mark
