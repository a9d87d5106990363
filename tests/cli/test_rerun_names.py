"""Where a rerun is written that nobody named a file for: never over a picture that is not that rerun."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

RENDER = "render demo conv2_1:3 --weights random --device cpu --size 24 --steps 2 -o a.png"


def test_a_rerun_takes_the_next_free_name(cli: Callable[..., Any], tmp_path: Path) -> None:
    assert cli(*RENDER.split()).code == 0
    Image.new("RGB", (3, 3)).save(tmp_path / "a-again.png")
    mine = (tmp_path / "a-again.png").read_bytes()
    for _ in range(2):  # the second time it is that rerun
        assert cli("rerun", "a.png").out == "wrote a-again-2.png\n"
    assert (tmp_path / "a-again.png").read_bytes() == mine
    assert (tmp_path / "a-again-2.png").read_bytes() == (tmp_path / "a.png").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a-again-2.png", "a-again.png", "a.png"]


def test_a_rerun_of_another_picture_is_not_overwritten(cli: Callable[..., Any], tmp_path: Path) -> None:
    for seed in ("1", "2"):
        cli(*RENDER.split(), "--seed", seed)
        cli("rerun", "a.png")
    assert (tmp_path / "a-again-2.png").read_bytes() == (tmp_path / "a.png").read_bytes()
    assert (tmp_path / "a-again.png").read_bytes() != (tmp_path / "a.png").read_bytes()


def test_a_name_that_is_given_is_taken(cli: Callable[..., Any], tmp_path: Path) -> None:
    cli(*RENDER.split())
    (tmp_path / "b.png").write_text("old")
    assert cli("rerun", "a.png", "-o", "b.png").code == 0
    assert (tmp_path / "b.png").read_bytes() == (tmp_path / "a.png").read_bytes()
