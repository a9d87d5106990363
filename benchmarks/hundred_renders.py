"""Does the hundredth render cost what the first did? CPU time of 100 renders in a row on ResNet-18.

    python benchmarks/hundred_renders.py

Prints the median CPU time of the first ten and of the last ten renders, their ratio, and the growth of the peak memory.
Process CPU time at one thread, since the clock on the wall measures the neighbours too.
"""

from __future__ import annotations

import resource
import statistics
import time

import torch

import lucidtorch as lt

RENDERS = 100
TEN = 10


def main() -> None:
    """Render and print."""
    torch.set_num_threads(1)
    model = lt.load_model("resnet18", weights="random", device="cpu")
    param = lt.param.image(64)
    seconds: list[float] = []
    peaks: list[int] = []
    lt.render(model, "layer3.0.conv1:1", param=param, steps=4, progress=False)  # the first look lists the layers
    for number in range(RENDERS):
        began = time.process_time()
        lt.render(model, f"layer3.0.conv1:{number}", param=param, steps=4, progress=False)
        seconds.append(time.process_time() - began)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    first, last = statistics.median(seconds[:TEN]), statistics.median(seconds[-TEN:])
    print(
        f"median CPU time of the first ten {first * 1000:.1f} ms, of the last ten "
        f"{last * 1000:.1f} ms: {last / first:.3f}"
    )
    print(f"peak memory grew by {(peaks[-1] - peaks[TEN]) / 1024:.1f} MiB from the tenth render to the last")


if __name__ == "__main__":
    main()
