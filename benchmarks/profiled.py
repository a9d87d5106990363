"""Where each millisecond of a step goes: the operations of a few steps, in groups, by PyTorch's profiler.

    python benchmarks/profiled.py [--networks vgg16,squeezenet1_0] [--steps 5]

Self time of operations on the CPU at one thread, or on the GPU where there is one; what is left of the process's CPU
time (Python, dispatch, allocation outside of operations) stands in a line of its own. Weights are random where the real
ones are not at hand: speed does not depend on them.
"""

from __future__ import annotations

import argparse
import time
from collections import Counter

import torch
from settings import CASES, SIZE, ours
from torch.profiler import ProfilerActivity, profile

import lucidtorch as lt
from lucidtorch.models.running.redirect import STEPS as REDIRECTED_STEPS

BATCH = 8
# The first group whose words are in an operation's name takes it.
GROUPS = {
    "products of 1 x 1 and of Winograd's convolutions": ("mm", "Pointwise", "Winograd"),
    "convolutions, backward": ("convolution_backward", "conv2d_backward", "wgrad", "dgrad", "StridedBackward"),
    "convolutions, forward": ("convolution", "conv2d", "fprop", "Strided"),
    "warp, forward and backward": ("grid_sampler",),
    "frequencies to pixels, and back": ("fft", "complex", "conj"),
    "ReLU, forward and backward": ("threshold", "relu", "clamp"),
    "pooling, forward and backward": ("pool",),
    "concatenation": ("cat",),
    "sigmoid, forward and backward": ("sigmoid",),
    "normalization layers": ("norm",),
    "optimizer": ("adam", "addcmul_", "addcdiv_", "sqrt", "lerp"),
    "filling with zeros": ("fill", "zero"),
    "copies and layout": ("copy", "contiguous", "clone", "index", "gather", "select", "slice"),
    "additions and products": ("add", "mul", "sub", "sum", "div", "mean", "neg"),
}
REST, HOST = "other operations", "Python, dispatch and the rest"


def group_of(name: str) -> str:
    """Find the group of an operation.

    Args:
        name: As the profiler calls it.

    Returns:
        The group's name.
    """
    return next((group for group, words in GROUPS.items() if any(word in name for word in words)), REST)


def profiled(network: str, layer: str, steps: int) -> dict[str, float]:
    """Measure one network.

    Args:
        network: Of torchvision.
        layer: What is optimized.
        steps: How many steps are looked at.

    Returns:
        Milliseconds per step and picture by group, the largest first.
    """
    on_gpu = torch.cuda.is_available()
    model = lt.load_model(network, weights="random")
    loop = ours(model, layer, list(range(BATCH)), steps=REDIRECTED_STEPS + steps + 2)
    for _ in range(REDIRECTED_STEPS + 2):
        next(loop)
    activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if on_gpu else [])]
    began = time.process_time()
    with profile(activities=activities) as profiler:
        for _ in range(steps):
            next(loop)
        if on_gpu:
            torch.cuda.synchronize()
    whole = time.process_time() - began
    found: Counter[str] = Counter()
    for event in profiler.key_averages():
        found[group_of(event.key)] += event.self_device_time_total if on_gpu else event.self_cpu_time_total
    milliseconds = {group: spent / 1000 / steps / BATCH for group, spent in found.items()}
    if not on_gpu:
        milliseconds[HOST] = max(0.0, whole * 1000 / steps / BATCH - sum(milliseconds.values()))
    return dict(sorted(milliseconds.items(), key=lambda pair: -pair[1]))


def table(network: str, layer: str, found: dict[str, float]) -> str:
    """Write one network's table as Markdown."""
    total = sum(found.values())
    lines = [f"| {network} to {layer}, {SIZE} px, batch {BATCH} | ms per picture and step | share |", "|---|---|---|"]
    lines += [
        f"| {group} | {spent:.2f} | {spent / total:.0%} |" for group, spent in found.items() if spent / total >= 0.002
    ]
    return "\n".join([*lines, f"| all | {total:.2f} | |", ""])


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--networks", default=",".join(case.network for case in CASES), help="names between commas")
    parser.add_argument("--steps", type=int, default=5)
    given = parser.parse_args()
    torch.set_num_threads(1)
    print(f"torch {torch.__version__}, {'one GPU' if torch.cuda.is_available() else 'CPU, one thread'}\n")
    for case in CASES:
        if case.network in given.networks.split(","):
            print(table(case.network, case.layer, profiled(case.network, case.layer, given.steps)), flush=True)


if __name__ == "__main__":
    main()
