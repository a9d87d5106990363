"""How many threads and cores there are."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
import torch

from lucidtorch.base import machine
from lucidtorch.base.machine import cores, threads


def test_the_users_number_of_threads_is_back_after_an_error() -> None:
    before = torch.get_num_threads()
    with contextlib.suppress(KeyError), threads(before + 1):
        assert torch.get_num_threads() == before + 1
        raise KeyError
    assert torch.get_num_threads() == before


@pytest.mark.parametrize(
    ("written", "counted"),
    [(None, 8), ("max 100000\n", 8), ("300000 100000\n", 3), ("50000 100000\n", 1), ("9900000 100000\n", 8), ("", 8)],
)
def test_a_container_has_the_cores_of_its_share(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, written: str | None, counted: int
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda process: set(range(8)), raising=False)
    monkeypatch.setattr(machine, "QUOTA", tmp_path / "cpu.max")
    if written is not None:
        (tmp_path / "cpu.max").write_text(written)
    assert cores() == counted
