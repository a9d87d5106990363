"""Errors that mean that memory ran out are told from all others."""

from __future__ import annotations

import pytest
import torch

from lucidtorch.base.machine import free_memory, is_out_of_memory

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
