"""The hundredth render finds what the first did, and leaves as little behind."""

from __future__ import annotations

import gc
import resource
import warnings

import torch
from torch import nn

import lucidtorch as lt

RENDERS = 100
SETTLED = 20  # after so many renders every pool and cache is warm
TOLERANCE = 36 << 20  # bytes that the peak may grow by: noise of an allocator that served other tests; weights are 45


def hooks_of(module: nn.Module) -> int:
    kinds = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
    return sum(len(getattr(part, kind)) for part in module.modules() for kind in kinds)


def live_tensors() -> tuple[int, int]:
    """How many tensors there are, and how many bytes they hold."""
    gc.collect()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # some module attributes warn when they are looked at
        found = [one for one in gc.get_objects() if issubclass(type(one), torch.Tensor)]
    return len(found), sum(one.untyped_storage().nbytes() for one in found if one.device.type == "cpu")


def peak() -> int:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def test_a_hundred_renders_leave_no_hooks_and_take_no_more_memory(resnet18: lt.Model) -> None:
    objectives = ("layer2.0.conv1:3", "layer1.0.relu@1:5", "logit(4)", "layer3.0.conv1:2 - 0.1 * L1()")
    param = lt.param.image(48)
    settled, settled_peak = (0, 0), 0
    for number in range(RENDERS):
        lt.render(resnet18, objectives[number % len(objectives)], param=param, steps=2, progress=False)
        assert hooks_of(resnet18.module) == 0, number
        if number + 1 == SETTLED:
            settled, settled_peak = live_tensors(), peak()
    assert live_tensors() == settled
    assert peak() - settled_peak < TOLERANCE
