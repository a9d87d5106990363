"""Do the pictures of a network's classes look like the classes, to the network and to another one that never saw them?

Renders the default `logit` picture of every class of `demo`, asks `demo` and `demo-judge` what they see on the clean
pictures, and writes a contact sheet. Run: `python benchmarks/logit_pictures.py -o classes.png`.
"""

from __future__ import annotations

import argparse
from pathlib import Path

import torch
from torch import Tensor

import lucidtorch as lt
from lucidtorch.base.images import encode_png, sheet
from lucidtorch.objectives import logit

BATCH = 17  # 51 classes in three batches
COLUMNS = 10


def class_pictures(model: lt.Model, size: int, steps: int) -> Tensor:
    """Render every class of a network with the default settings, `[K, C, H, W]`."""
    count = len(model.labels or ())
    pictures = []
    for start in range(0, count, BATCH):
        classes = list(range(start, min(start + BATCH, count)))
        rendering = lt.render(model, logit(classes), param=lt.param.image(size), steps=steps, seed=0, progress=False)
        pictures.append(rendering.images)
    return torch.cat(pictures)


def named_right(pictures: Tensor, judge: lt.Model) -> Tensor:
    """Say of each picture whether a network takes it for its class, `[K]`."""
    scores = judge.activations(pictures, "logits")["logits"]
    return scores.argmax(1).cpu() == torch.arange(len(pictures))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=96)
    parser.add_argument("--steps", type=int, default=256)
    parser.add_argument("-o", "--output", type=Path, default=Path("classes.png"))
    options = parser.parse_args()
    model = lt.load_model("demo")
    pictures = class_pictures(model, options.size, options.steps)
    for name in ("demo", "demo-judge"):
        right = named_right(pictures, lt.load_model(name))
        missed = [(model.labels or [])[place] for place in torch.nonzero(~right).flatten().tolist()]
        print(f"{name}: {right.float().mean():.1%} of {len(right)} classes; missed: {', '.join(missed) or 'none'}")
    options.output.write_bytes(encode_png(sheet(pictures, columns=COLUMNS)))
    print(f"wrote {options.output}")


if __name__ == "__main__":
    main()
