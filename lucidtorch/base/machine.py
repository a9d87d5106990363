"""What the machine has: threads and cores, memory, and copies between the CPU and another device."""

from __future__ import annotations

import contextlib
import gc
import os
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor

from lucidtorch.base.errors import SizeError

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # what a container may use of Linux: microseconds, of so many
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


@contextlib.contextmanager
def threads(count: int) -> Iterator[None]:
    """Let the block compute with a number of threads; the user's own number is back afterwards."""
    users = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(users)


def cores() -> int:
    """Count the cores that this process may use."""
    present = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    try:
        share, period = QUOTA.read_text(encoding="ascii").split()
        return max(1, min(present, int(share) // int(period)))
    except (OSError, ValueError):  # no container, or no limit
        return present


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
    """Release memory that nothing uses any longer."""
    gc.collect()
    if device.type == "cuda":
        torch.cuda.empty_cache()


def sent(values: Tensor, device: torch.device) -> Tensor:
    """Copy numbers to a device; to a GPU through pinned memory, while Python goes on."""
    if device.type == "cuda" and values.device.type == "cpu":
        return values.pin_memory().to(device, non_blocking=True)
    return values.to(device)


def fetched(values: Tensor) -> Tensor:
    """Copy numbers to the CPU; from a GPU they arrive when its earlier work is done."""
    if values.device.type != "cuda":
        return values.cpu()
    place = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
    return place.copy_(values, non_blocking=True)
