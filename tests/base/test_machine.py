"""Threads, cores, memory, and copies between devices."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

import pytest
import torch

from lucidtorch.base import machine
from lucidtorch.base.machine import cores, fetched, free_memory, is_out_of_memory, sent, threads


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


MEANT = [
    MemoryError(),
    torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB"),
    RuntimeError("[enforce fail at alloc_cpu.cpp:125] err == 0. DefaultCPUAllocator: can't allocate memory: you tried"),
    RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 8 bytes."),
    RuntimeError("could not create a memory object"),
    RuntimeError("std::bad_alloc"),
    RuntimeError("MPS backend out of memory (MPS allocated: 9 GB, other allocations: 3 GB)"),
    RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    RuntimeError("CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"),
]
OTHERS = [
    RuntimeError("mat1 and mat2 shapes cannot be multiplied"),
    ValueError("can't allocate memory"),
    KeyboardInterrupt(),
    RuntimeError(""),
]


@pytest.mark.parametrize("error", MEANT, ids=repr)
def test_errors_that_mean_it(error: BaseException) -> None:
    assert is_out_of_memory(error)


@pytest.mark.parametrize("error", OTHERS, ids=repr)
def test_errors_that_do_not(error: BaseException) -> None:
    assert not is_out_of_memory(error)


def test_what_pytorch_raises_here() -> None:
    with pytest.raises(RuntimeError) as caught:
        torch.empty(2**60, dtype=torch.uint8)
    assert is_out_of_memory(caught.value)


def test_what_refers_to_itself_is_given_back() -> None:
    class Ring:
        left = 0

        def __init__(self) -> None:
            self.me = self
            Ring.left += 1

        def __del__(self) -> None:
            Ring.left -= 1

    Ring()
    free_memory(torch.device("cpu"))
    assert Ring.left == 0


DEVICES = ["cpu", pytest.param("cuda", marks=pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU here"))]


@pytest.mark.parametrize("device", DEVICES)
def test_the_numbers_stay_what_they_are(device: str) -> None:
    numbers = torch.arange(12.0).reshape(3, 4).t()
    there = sent(numbers, torch.device(device))
    assert there.device.type == device
    doubled = fetched(there * 2)
    there.sum().item()  # waits
    assert doubled.device.type == "cpu"
    assert torch.equal(doubled, numbers * 2)
