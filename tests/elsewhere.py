"""A device that is not there: its tensors hold real numbers, and an operation that mixes it with the CPU raises.

It goes by torch's name `lazy`, a device that needs no library and whose backward passes run in the caller's thread.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves, tree_map

DEVICE = torch.device("lazy", 0)
MOVES = ("aten._to_copy", "aten.copy_", "aten._copy_from")  # what may meet both devices
INDEXES = ("aten.index", "aten.index_put", "aten.index_put_", "aten._index_put_impl_")  # on the CPU too, as CUDA does


class There(Tensor):
    """A tensor on the device.

    Args:
        numbers: Its numbers, on the CPU.
    """

    numbers: Tensor

    @staticmethod
    def __new__(cls, numbers: Tensor) -> There:
        made: There = Tensor._make_wrapper_subclass(  # type: ignore[attr-defined]
            cls,
            numbers.shape,
            strides=numbers.stride(),
            storage_offset=numbers.storage_offset(),
            dtype=numbers.dtype,
            device=DEVICE,
        )
        made.numbers = numbers
        return made

    def tolist(self) -> Any:
        """As a tensor of CUDA does, by way of the CPU."""
        return self.cpu().tolist()

    @classmethod
    def __torch_dispatch__(cls, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        return run(func, args, kwargs or {})


class Elsewhere(TorchDispatchMode):
    """Lets tensors be made on the device while the block runs."""

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Mapping[str, Any] | None = None) -> Any:
        return run(func, args, kwargs or {})


def run(func: Any, args: Any, kwargs: Mapping[str, Any]) -> Any:
    """Do an operation with the numbers.

    Args:
        func: The operation.
        args: Its arguments.
        kwargs: Those by name.

    Returns:
        What it gives, on the device of its tensors or the one that it names.

    Raises:
        RuntimeError: Its tensors are on several devices; one without axes may be on the CPU.
    """
    name = str(func).rpartition(".")[0]
    given = [one for one in tree_leaves((args, dict(kwargs))) if isinstance(one, Tensor)]
    there = any(isinstance(one, There) for one in given)
    if name in MOVES[1:]:
        there = isinstance(given[0], There)
    elif (
        there
        and not (name in INDEXES and isinstance(given[0], There))
        and any(not isinstance(one, There) and one.dim() for one in given)
    ):
        raise RuntimeError(f"{name} mixes devices: {[(one.device.type, list(one.shape)) for one in given]}")
    if kwargs.get("device") is not None:
        there = torch.device(kwargs["device"]).type == DEVICE.type
        kwargs = {**kwargs, "device": torch.device("cpu")}
    found = func(*tree_map(real, args), **tree_map(real, dict(kwargs)))
    if isinstance(given[0] if given else None, There) and name.endswith("_") and isinstance(found, Tensor):
        return given[0]  # worked in place
    return tree_map(lambda one: There(one) if there and isinstance(one, Tensor) else one, found)


def real(value: Any) -> Any:
    """Give the numbers of a tensor of the device on the CPU.

    Args:
        value: Anything.

    Returns:
        Its numbers; the value itself where it is of no such tensor.
    """
    return value.numbers if isinstance(value, There) else value
