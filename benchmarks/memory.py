"""The peak memory of a render of vgg16's last convolution, batch 8: in a fresh process, what it adds per image.

Of the resident memory of a fresh process: its peak while rendering, less what it holds once torch and the network are
loaded, over the number of images. The private copy that the engine makes of the network is so counted with the images.
The kernel's own counters are read (Linux).
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from rows import Row, at_most

GOAL, ROUNDS, QUICK_ROUNDS = 90.0, 2, 1
BATCH, LAYER, STEPS = 8, "features.28", 1
SIZES = {"vgg16-224": (200, GOAL), "vgg16-248": (224, None)}  # by what the network sees: of the pictures, and the goal
STATUS = Path("/proc/self/status")
CODE = """
import re, sys
from pathlib import Path
import torch
import lucidtorch as lt

def held(what):
    return int(re.search(what + r":\\s+(\\d+)", Path("/proc/self/status").read_text())[1]) * 1024

size, batch, layer = int(sys.argv[1]), int(sys.argv[2]), sys.argv[3]
torch.set_num_threads(1)
model = lt.load_model("vgg16", weights="random", device="cpu")
lt.render  # loads what renders
before = held("VmRSS")
Path("/proc/self/clear_refs").write_text("5")  # forgets the peak of loading
goal = lt.objectives.channel(layer, list(range(batch)))
lt.render(model, goal, param=lt.param.image(size, batch=batch), steps=int(sys.argv[4]), progress=False)
print((held("VmHWM") - before) / batch / 1e6)
"""


def measure(size: int) -> float:
    """Render in a fresh process.

    Args:
        size: Of the pictures.

    Returns:
        Megabytes per image.
    """
    words = [sys.executable, "-W", "ignore", "-c", CODE, str(size), str(BATCH), LAYER, str(STEPS)]
    return float(subprocess.run(words, capture_output=True, text=True, check=True).stdout)


def rows(quick: bool) -> list[Row]:
    """Measure both sizes, or in a quick run the one with the goal.

    Args:
        quick: Whether once is enough.

    Returns:
        A row for each.
    """
    if not STATUS.exists():
        return [Row("memory/vgg16", "peak memory per image", f"<= {GOAL:g}", unit="MB", skipped="needs Linux's /proc")]
    found = []
    for name, (size, goal) in SIZES.items():
        if quick and not goal:
            continue
        values = [measure(size) for _ in range(QUICK_ROUNDS if quick else ROUNDS)]
        what = f"peak memory per image, vgg16 {LAYER}, batch {BATCH}"
        note = f"pictures of {size}, the network sees {size + 24}; a fresh process's peak less what it held before"
        met = at_most(goal, values) if goal else None
        found.append(Row(f"memory/{name}", what, f"<= {goal:g}" if goal else "", values, "MB", met, note))
    return found
