"""The sessions on the page of the shell go as they are printed there."""

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from guards.pages import snippets
from guards.sources import ROOT

PROMPT = "demo> "


@pytest.mark.slow
def test_the_lines_of_the_page_do_what_it_says(cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    blocks = [one.text for one in snippets(ROOT / "docs" / "shell.md") if one.language == "text"]
    shown = [line for block in blocks for line in block.splitlines()]
    typed = [line.removeprefix(PROMPT) for line in shown if line.startswith(PROMPT)]
    promised = [line for line in shown if not line.startswith(PROMPT) and line != "..."]
    assert len(typed) > 8
    monkeypatch.setattr("sys.stdin", io.StringIO("\n".join(typed)))
    found = cli("shell", "demo", "--device", "cpu")
    assert found.code == 0, found.err
    said = iter(found.out.splitlines())
    assert all(line in said for line in promised)  # in this order
