"""The hundredth render finds what the first did, and leaves as little behind."""

from __future__ import annotations

import gc
import subprocess
import sys
import warnings

import torch
from torch import nn

import lucidtorch as lt

RENDERS = 100
SETTLED = 20  # after so many renders every pool and cache is warm
TOLERANCE = 36 << 20  # bytes that the peak may grow by: noise of an allocator; weights are 45


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


OBJECTIVES = ("layer2.0.conv1:3", "layer1.0.relu@1:5", "logit(4)", "layer3.0.conv1:2 - 0.1 * L1()")
MEASURED = f"""
import resource, torch, lucidtorch as lt
torch.set_num_threads(1)
model, peaks = lt.load_model("resnet18", weights="random", device="cpu"), []
for number in range({RENDERS}):
    goal = {OBJECTIVES}[number % {len(OBJECTIVES)}]
    lt.render(model, goal, param=lt.param.image(48), steps=2, progress=False)
    peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024)
print(peaks[-1] - peaks[{SETTLED} - 1])
"""


def test_a_hundred_renders_leave_no_hooks_and_no_tensors(resnet18: lt.Model) -> None:
    param, settled = lt.param.image(48), (0, 0)
    for number in range(RENDERS):
        lt.render(resnet18, OBJECTIVES[number % len(OBJECTIVES)], param=param, steps=2, progress=False)
        assert hooks_of(resnet18.module) == 0, number
        if number + 1 == SETTLED:
            settled = live_tensors()
    assert live_tensors() == settled


def test_a_hundred_renders_take_no_more_memory() -> None:
    """In a process of its own, whose allocator served no other tests."""
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", MEASURED], capture_output=True, text=True, check=True)
    assert int(done.stdout) < TOLERANCE
