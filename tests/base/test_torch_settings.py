"""Passes compute by torch's settings of a fresh program, and the caller's are as before afterwards."""

from __future__ import annotations

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from small_networks import as_model
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.surroundings import pinned

SIDE = 20
BACKENDS: Any = torch.backends
PARTS_OF_TORCH = ("cuda.matmul", "mkldnn.matmul", "mkldnn.conv", "cudnn.conv")  # set one by one since torch 2.9
WORDS: dict[str, Callable[[], object]] = {
    "products": torch.get_float32_matmul_precision,
    "convolutions": lambda: BACKENDS.cudnn.allow_tf32,
}


def settings() -> dict[str, object]:
    """What torch computes by, in the calling thread; None for what its two kinds of words do not agree on."""
    found: dict[str, object] = {"benchmark": BACKENDS.cudnn.benchmark}
    found["flushed"] = bool(torch.full((1,), 1e-40).mul(0.5).item() == 0)
    for name, one in WORDS.items():
        found[name] = None
        with contextlib.suppress(RuntimeError):
            found[name] = one()
    if NEW_WORDS:
        found |= {name: part(name).fp32_precision for name in PARTS_OF_TORCH}
    return found


def part(name: str) -> Any:
    return getattr(getattr(BACKENDS, name.partition(".")[0]), name.partition(".")[2])


NEW_WORDS = hasattr(BACKENDS.cudnn, "conv")


@contextlib.contextmanager
def with_settings(change: Callable[[], object]) -> Iterator[None]:
    """Change what torch computes by, and set it back as it is in a fresh program."""
    change()
    try:
        yield
    finally:
        torch.set_float32_matmul_precision("highest")
        BACKENDS.cudnn.allow_tf32, BACKENDS.cudnn.benchmark = True, False
        torch.set_flush_denormal(False)
        if NEW_WORDS:
            for name, precision in FRESH.items():
                part(name).fp32_precision = precision


FRESH = {name: part(name).fp32_precision for name in PARTS_OF_TORCH} if NEW_WORDS else {}
CHANGES: dict[str, Callable[[], object]] = {
    "high": lambda: torch.set_float32_matmul_precision("high"),
    "medium": lambda: torch.set_float32_matmul_precision("medium"),
    "products in TF32": lambda: setattr(BACKENDS.cuda.matmul, "allow_tf32", True),
    "convolutions in float32": lambda: setattr(BACKENDS.cudnn, "allow_tf32", False),
    "choice by timing": lambda: setattr(BACKENDS.cudnn, "benchmark", True),
    "flushed denormals": lambda: torch.set_flush_denormal(True),
}
if NEW_WORDS:
    CHANGES |= {
        "products in bfloat16": lambda: setattr(part("mkldnn.matmul"), "fp32_precision", "bf16"),
        "convolutions in bfloat16": lambda: setattr(part("mkldnn.conv"), "fp32_precision", "bf16"),
    }


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_a_pass_computes_by_the_settings_of_a_fresh_program(change: Callable[[], object]) -> None:
    class Noting(nn.Conv2d):
        def forward(self, images: Tensor) -> Tensor:
            inside.append(settings())
            return super().forward(images)

    def computing(found: dict[str, object]) -> dict[str, object]:
        return {name: "ieee" if value == "none" else value for name, value in found.items()}  # two words for the same

    inside: list[dict[str, object]] = []
    fresh = settings()
    model = as_model(nn.Sequential(Noting(3, 4, 1)), size=SIDE)
    with with_settings(change):
        before = settings()
        assert before != fresh
        lt.render(model, "0:1", param=lt.param.image(SIDE, channels=3), steps=1, progress=False)
        assert settings() == before
        with contextlib.suppress(ZeroDivisionError), pinned(), pinned():
            inside.append(settings())
            inside.append({"never": 1 / 0})
        assert settings() == before
    assert settings() == fresh
    assert [computing(one) for one in inside] == [computing(fresh)] * len(inside)


def test_settings_come_back_when_the_last_thread_is_done() -> None:
    inside, leave = threading.Event(), threading.Event()

    def work() -> None:
        with pinned():
            inside.set()
            leave.wait(10)

    with with_settings(CHANGES["medium"]):
        other = threading.Thread(target=work)
        other.start()
        inside.wait(10)
        with pinned():
            pass
        assert torch.get_float32_matmul_precision() == "highest"
        leave.set()
        other.join()
        assert torch.get_float32_matmul_precision() == "medium"
