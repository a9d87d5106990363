"""How many threads compute, part of what decides the last bits of a picture; and how many cores there are for them."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from pathlib import Path

import torch

QUOTA = Path("/sys/fs/cgroup/cpu.max")  # what a container may use of Linux: microseconds, of so many


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
