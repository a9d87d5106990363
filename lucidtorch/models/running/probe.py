"""Running a network to learn something about it, and leaving no mark on it."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from types import TracebackType

import torch
from torch import nn

from lucidtorch.base.errors import LucidtorchError
from lucidtorch.base.surroundings import one_at_a_time
from lucidtorch.models.running.checkpoints import without_checkpoints
from lucidtorch.models.running.frozen import frozen

LONGEST_REASON = 200


class Attempt(contextlib.AbstractContextManager["Attempt"]):
    """Lets a network's forward pass raise whatever it likes, and keeps the reason instead.

    A network is the user's own code: no list of exceptions covers it. Interrupts, exhausted memory and our own errors
    pass through.
    """

    def __init__(self) -> None:
        self.reason: str | None = None

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        ours = (MemoryError, torch.cuda.OutOfMemoryError, LucidtorchError)
        if not isinstance(error, Exception) or isinstance(error, ours):
            return False
        lines = str(error).strip().splitlines() or ["no reason given"]
        said = " ".join(lines[: 2 if lines[0].endswith(":") else 1])  # of a compiler's message the next line says it
        self.reason = f"{type(error).__name__}: {said[:LONGEST_REASON]}"
        return True


@contextlib.contextmanager
def probing(module: nn.Module) -> Iterator[Attempt]:
    """Let the block run a network once: in eval mode, without gradients, whatever it raises.

    Weights, buffers, flags and the global random state are afterwards what they were.
    """
    places = {tensor.device for tensor in (*module.parameters(), *module.buffers()) if tensor.is_cuda}
    random_state = torch.random.fork_rng(devices=list(places))
    with one_at_a_time(), random_state, frozen(module), torch.no_grad(), without_checkpoints(), Attempt() as attempt:
        yield attempt
