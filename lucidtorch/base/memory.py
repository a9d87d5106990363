"""Running out of memory: how to tell, and how to give back what is no longer needed."""

from __future__ import annotations

import gc

import torch

# What is said in a plain RuntimeError: by PyTorch's CPU allocators, by oneDNN, by Apple's, and by NVIDIA's libraries.
REFUSALS = (
    "can't allocate memory",
    "not enough memory",
    "could not create a memory object",
    "std::bad_alloc",
    "MPS backend out of memory",
    "_STATUS_ALLOC_FAILED",
)


def is_out_of_memory(error: BaseException) -> bool:
    """Say whether an error means that memory ran out.

    Args:
        error: What was raised.

    Returns:
        Whether it does.
    """
    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(one in str(error) for one in REFUSALS)


def free_memory(device: torch.device) -> None:
    """Give memory back that nothing uses any longer.

    Args:
        device: Where it is.
    """
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()
