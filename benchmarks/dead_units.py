"""Are the units that a network never lights found out? Every channel of SqueezeNet's `features.12`.

    python benchmarks/dead_units.py [-o sheet.png] [--units N] [--steps N]

Dead, by its definition: on the final clean picture the unit's activation, and its gradient to the picture, are zero
everywhere. That is computed here once more, without the loop's own code, and compared with what it reports. Every
unit reported alive must have a picture with a standard deviation above 0.02.
"""

from __future__ import annotations

import argparse
import os
import warnings
from pathlib import Path

import torch
import torch.nn.functional as F
from torch import Tensor

import lucidtorch as lt
from lucidtorch.base.images import encode_png, sheet

LAYER = "features.12"
BATCH = 16
FLAT = 0.02
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])


def truly_dead(model: lt.Model, pictures: Tensor, units: list[int], canvas: tuple[int, int]) -> list[bool]:
    """Look at each picture with the bare network: on the canvas that the network saw, grey around the picture."""
    height, width = ((side - own) // 2 for side, own in zip(canvas, pictures.shape[-2:], strict=True))
    network = model.module.features[: int(LAYER.rpartition(".")[2]) + 1].eval()
    verdicts = []
    for picture, unit in zip(pictures, units, strict=True):
        image = picture[None].clone().requires_grad_(True)
        seen = F.pad(image - 0.5, (width, width, height, height)) + 0.5
        activation = network((seen - MEAN[:, None, None]) / STD[:, None, None])[0, unit]
        (gradient,) = torch.autograd.grad(activation.sum(), image)
        verdicts.append(bool((activation == 0).all()) and bool((gradient == 0).all()))
    return verdicts


def main() -> None:
    """Render, compare and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("-o", "--output", type=Path)
    parser.add_argument("--units", type=int, default=512)
    parser.add_argument("--steps", type=int, default=64)
    words = parser.parse_args()
    warnings.simplefilter("ignore", lt.base.errors.LucidtorchWarning)
    folder = Path(os.environ.get("LUCIDTORCH_TEST_DATA", "../shared"))
    file = folder / "weights" / "squeezenet1_0_imagenet.safetensors"
    model = lt.load_model("squeezenet1_0", weights=file, device="cpu")
    pictures, reported, found = [], list[bool](), list[bool]()
    for start in range(0, words.units, BATCH):
        units = list(range(start, min(start + BATCH, words.units)))
        goal = lt.objectives.channel(LAYER, units)
        made = lt.render(model, goal, param=lt.param.image(128), steps=words.steps, progress=False)
        reported += made.dead
        found += truly_dead(model, made.images, units, tuple(made.recipe["canvas"]))
        pictures.append(torch.stack([made.picture(place) for place in range(len(units))]))
        alive = [float(picture.std()) for picture, dead in zip(made.images, made.dead, strict=True) if not dead]
        print(
            f"channels {units[0]}-{units[-1]}: {sum(made.dead)} dead, least deviation {min(alive, default=1):.4f}",
            flush=True,
        )
        assert all(one > FLAT for one in alive), alive
    wrong = [unit for unit, (said, true) in enumerate(zip(reported, found, strict=True)) if said != true]
    print(f"{sum(found)} of {words.units} channels of {LAYER} are dead; reported otherwise: {wrong or 'none'}")
    if words.output is not None:
        words.output.write_bytes(encode_png(sheet(torch.cat(pictures)), ""))


if __name__ == "__main__":
    main()
