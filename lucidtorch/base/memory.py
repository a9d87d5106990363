"""Running out of memory: how to tell, and how to give back what is no longer needed."""

from __future__ import annotations

import gc
import os

import torch

from lucidtorch.base.errors import SizeError

BYTES = 4  # of a number
# What is said in a plain RuntimeError: by PyTorch's CPU allocators, by oneDNN, by Apple's, and by NVIDIA's libraries.
REFUSALS = (
    "can't allocate memory",
    "not enough memory",
    "could not create a memory object",
    "std::bad_alloc",
    "MPS backend out of memory",
    "_STATUS_ALLOC_FAILED",
)


def check_memory(numbers: float, what: str) -> None:
    """Refuse what could never be held, before the system ends the process for trying."""
    limit = 64 * 2**30
    if hasattr(os, "sysconf") and "SC_PHYS_PAGES" in os.sysconf_names:
        limit = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    if numbers * BYTES > limit:
        raise SizeError(
            f"{what} takes {numbers * BYTES / 2**30:.3g} GB, but the memory here is {limit / 2**30:.3g} GB; make it "
            "smaller."
        )


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that memory ran out."""
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(one in str(error) for one in REFUSALS)


def free_memory(device: torch.device) -> None:
    """Give memory back that nothing uses any longer."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
