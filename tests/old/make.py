"""How the files of this folder were made, by version 0.1.0: `python make.py` in an empty folder.

It documents them and is no test: later versions make other files. It writes into the current folder, so that no path of
a machine gets into a file, and refuses to replace anything.
"""

from __future__ import annotations

import contextlib
import json
import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

import lucidtorch as lt
from lucidtorch.cli.main import run
from lucidtorch.datasets import digits, drawings, lines, scan
from lucidtorch.objectives import activation_difference, caricature, direction, grid, inversion, spatial_match, style
from lucidtorch.scanning.answers import right_answers

LARGE = 2**53 + 1  # the first whole number that a double cannot hold
HUGE = 2**62 + 2**30 + 7
SIDE = 32
HERE = Path(__file__).parent
CALLS: dict[str, dict[str, Any]] = json.loads((HERE / "calls.json").read_text(encoding="utf-8"))

torch.set_num_threads(1)
photo = torch.as_tensor(drawings("test", length=51, size=SIDE)[46][0])
rows, columns = torch.meshgrid(torch.linspace(-1, 1, SIDE), torch.linspace(-1, 1, SIDE), indexing="ij")
disc = ((rows**2 + columns**2) < 0.5).float()


def vector(count: int) -> list[float]:
    """Numbers of a direction: few stand in the text of an objective, many in a file beside the picture."""
    return [round(math.sin(3 * place + 1), 3) for place in range(count)]


def interrupting(after: int) -> Callable[[Any], None]:
    def stop(step: Any) -> None:
        if step.number == after:
            raise KeyboardInterrupt

    return stop


demo = "demo"
image = lt.param.image

# name: model, objective, settings of the render
PICTURES: dict[str, tuple[Any, Any, dict[str, Any]]] = {
    # params
    "fft": (demo, "conv2_1:3", {"param": "image(32, decay=1.3, sd=0.02)", "seed": HUGE, "steps": 8}),
    "pixels": (
        demo,
        "conv2_1:3 - 0.5 * conv1_2:1",
        {
            "param": "image((33, 20), fft=False, decorrelate=False, sd=0.5, bounds='clip')",
            "transforms": "identity()",
            "constraints": "decay(0.01) | blur(0.5, every=2) | clip_norm(20)",
            "optimizer": "sgd(momentum=0.5)",
            "lr": 0.7,
            "seed": LARGE,
        },
    ),
    "pyramid": (
        demo,
        "conv2_2:7",
        {"param": "image((40, 28), spatial=pyramid(levels=3))", "transforms": "pad(4) | jitter(4)"},
    ),
    "cppn": (
        demo,
        "conv2_2:7",
        {"param": "image(32, spatial=cppn(hidden=8, layers=3), decorrelate=False)", "lr": 0.005},
    ),
    "maco": (demo, "logit('star')", {"param": "image(48, spatial=maco())", "transforms": "crops(2)", "lr": 0.1}),
    "sum": (
        demo,
        "channel('conv2_1', 3) - 0.2 * diversity('conv2_1')",
        {"param": "image(24, batch=4, spatial=fft(decay=1.3)) + shared([1, 3, 6, 6])", "seed": HUGE},
    ),
    "stack": (
        demo,
        "each(channel('conv1_1', 2), -channel('conv1_2', 1))",
        {"param": "stack(image(24), image(24, spatial=pixels()))", "lr_schedule": "cosine"},
    ),
    "masked": (demo, "deepdream('conv2_2')", {"param": image(SIDE, init=photo, mask=disc)}),
    "held": (demo, "conv2_1:[1, 2]", {"param": image(24, batch=2, hold={1: 0.4}), "seed": [5, LARGE]}),
    "aligned": (
        demo,
        "interpolate(channel('conv3_1', 4), channel('conv3_1', 9), 3) - 0.1 * alignment('conv2_2')",
        {"param": "aligned(24, 3)", "optimizer": "adam(beta1=0.5)"},
    ),
    "animation": (demo, "conv2_1:3", {"param": "animation(24, 4)"}),
    "alpha": (
        demo,
        "logit('star') - 4 * alpha_coverage() - 0.1 * blur_alpha()",
        {"param": "image(32, alpha=True)", "transforms": "background() | pad(4) | jitter(4)"},
    ),
    "clip": (
        {"spec": "s3d", "weights": "random", "size": (8, 32, 32)},
        "features.2.0:3",
        {"param": "image((8, 32, 32))", "transforms": "jitter(2)", "steps": 3},
    ),
    # objectives
    "neuron": (
        demo,
        "neuron('conv3_2', 5, x=1, y=2) - 0.0005 * total_variation() - 0.001 * L2(constant=0.5)",
        {"param": "image(32)", "seed": HUGE},
    ),
    "label": ("digits", "logit('8') - 0.5 * logit(2)", {"param": "image((33, 28), channels=1)"}),
    "head": ("lines", "logit(0, 'colour') + logit(2, 'length')", {"param": "image(32)"}),
    "direction": (
        demo,
        lt.objectives.minimum(direction("conv4_1", vector(128), cossim_pow=2), 3 * direction("conv1_1", vector(24))),
        {"param": "image(48)"},
    ),
    "grid": (demo, grid("conv3_1", photo, cossim_pow=1), {"param": "image(16, batch=16) + shared([1, 3, 4, 4])"}),
    "inversion": (
        demo,
        -inversion("conv2_2", photo) - 0.001 * lt.objectives.tv_beta() - 0.001 * lt.objectives.alpha_norm(),
        {"param": image(SIDE), "transforms": "identity()", "lr": 0.1, "seed": HUGE},
    ),
    "caricature": (
        demo,
        caricature("conv3_2", photo, cossim_pow=1) - activation_difference("conv1_1", photo),
        {"param": image(SIDE, init=photo), "lr": 0.02},
    ),
    "style": (
        demo,
        spatial_match("conv3_1", photo) - style("conv1_2", photo) - style("conv2_2", photo, distance="L2", decay=0.9),
        {"param": image(SIDE), "transforms": "identity()"},
    ),
    "networks": (
        {"a": demo, "b": "demo-judge"},
        "of('a', logit('star')) + of('b', logit('star'))",
        {"param": "image(48)", "steps": 4},
    ),
    "ramps": (
        demo,
        "conv3_1:4 + before(3, conv2_1:5) - after(2, 0.001 * total_variation()) - ramp(0, 6, blur_input(), 0, 0.1)",
        {"param": "image(32)"},
    ),
    # how the network is run, and how steps are made
    "bfloat16": (demo, "conv2_1:3", {"param": "image(32)", "precision": "bfloat16"}),
    "plainly": (
        demo,
        "conv2_1:[1, 2, 3]",
        {
            "param": "image(24)",
            "seed": [HUGE, 0, LARGE],
            "compute_batch": 2,
            "channels_last": False,
            "fold": False,
            "winograd": False,
        },
    ),
    "plateau": (demo, "conv1_1:[2, 3]", {"param": "image(24)", "steps": 12, "stop": "plateau(patience=2, rise=0.3)"}),
    "random": (
        {"spec": "squeezenet1_1", "weights": "random", "mean": (0.4, 0.5, 0.6), "std": (0.5, 0.5, 0.5), "size": 64},
        "layer_mean('features.3') + features.3.squeeze:2",
        {"param": "image(32)", "lr_schedule": "trapezoid(warmup=0.2)"},
    ),
    "words": (
        {"spec": demo, "weights": "random", "value_range": (-1, 1), "channel_order": "bgr", "labels": ["a", "b"]},
        "logit('b')",
        {"param": "image(24)"},
    ),
    # transforms and constraints
    "transforms": (
        demo,
        "conv2_1:3",
        {
            "param": "image((28, 36))",
            "transforms": "pad(5, mode='reflect') | jitter(3) | scale([0.9, 1.0, 1.1]) | rotate(-8, 8) | shear(-5, 5) "
            "| perspective(0.2) | flip() | blur(0.2, 0.6) | colour_jitter(0.1, 0.1, 0.1, 0.02) | noise(0.02) "
            "| colour_noise(0.02) | normalize_gradient() | crop_or_pad_to(40, 33)",
            "seed": HUGE,
        },
    ),
    "ball": (
        demo,
        "logit('heart')",
        {
            "param": image(SIDE, fft=False, init=photo),
            "constraints": lt.constraints.linf_ball(16 / 255, centre=photo) | lt.constraints.l2_ball(2, centre=photo),
            "transforms": "strong(32)",
        },
    ),
    "contribution": (
        demo,
        "conv2_1:3",
        {"param": "image(24, fft=False)", "constraints": "clip_contribution(30)", "transforms": "identity()"},
    ),
}
SHOWN: dict[str, dict[str, Any]] = {"plainly": {"images": [2, 0]}}


def load(said: Any) -> Any:
    if isinstance(said, str):
        return lt.load_model(said, device="cpu")
    if "spec" in said:
        return lt.load_model(**said, device="cpu")
    return {name: load(one) for name, one in said.items()}


def make_pictures(folder: Path) -> None:
    """Single renders, each a PNG; some have the arrays beside them that their texts name."""
    values = {}
    for name, (model, goal, settings) in PICTURES.items():
        made = lt.render(load(model), goal, **({"steps": 6, "progress": False} | settings))
        made.save(folder / f"{name}.png", **SHOWN.get(name, {}))
        values[name] = made.values.tolist()
    settings = {"param": "image(24)", "steps": 6, "snapshots": (1, 3), "seed": HUGE, "progress": False}
    made = lt.render(load(demo), "conv2_1:3", **settings)
    made.save(folder / "snapshot.png", snapshot=3)
    values["snapshot"] = made.values.tolist()
    settings |= {"callbacks": [interrupting(3)], "lr_schedule": "cosine"}
    made = lt.render(load(demo), "conv2_1:3", **settings)
    made.save(folder / "interrupted.png")
    values["interrupted"] = made.values.tolist()
    (folder / "values.json").write_text(json.dumps(values, indent=1) + "\n", encoding="utf-8")


def make_runs(folder: Path) -> None:
    """One run of each recipe beside this file, by the command line."""
    shutil.copytree(HERE / "recipes", "recipes")
    for path in sorted(Path("recipes").glob("*.yaml")):
        if path.stem != "base":
            assert run(["run", str(path), "--workers", "1", "-q", "-o", str(folder / path.stem)]) == 0
    for path in folder.glob("*/provenance.json"):
        known = json.loads(path.read_text(encoding="utf-8"))
        kept = {word: known[word] for word in ("recipe_id", "kind", "network", "made_with")}
        path.write_text(json.dumps(kept, indent=1) + "\n", encoding="utf-8")


def make_scans(folder: Path) -> None:
    """A finished scan of data that has a name, one of an array, and that one as an interrupt left it."""
    network, data = load("lines"), lines("test", length=24, head="colour")
    answers = right_answers(network, data.classes)
    scan(network, data, folder / "lines", answers=answers, **CALLS["lines"])
    images = np.stack([np.asarray(digits("test")[place][0]) for place in range(32)])
    images = (images * 255).round().astype(np.uint8)  # in any other form, they differ from processor to processor
    np.save(folder / "images.npy", images)
    scan(load("digits"), images, folder / "digits", **CALLS["digits"])
    with contextlib.suppress(KeyboardInterrupt):
        scan(load("digits"), images, folder / "interrupted", report=interrupt_at(16), **CALLS["digits"])


def make_galleries(folder: Path) -> None:
    """A finished gallery and one that was interrupted, both with real images of the scans beside the pictures."""
    lt.gallery(load("lines"), folder / "lines", scan="scans/lines", **CALLS["gallery of lines"])
    seen = {"scan": "scans/digits", "data": np.load("scans/images.npy")}
    lt.gallery(load("digits"), folder / "interrupted", **seen, report=interrupt_at(3), **CALLS["gallery of digits"])


def interrupt_at(wanted: int) -> Callable[..., None]:
    def report(done: int, *others: Any) -> None:
        if done == wanted:
            raise KeyboardInterrupt

    return report


def main() -> None:
    made = [Path(name) for name in ("pictures", "recipes", "runs", "scans", "galleries")]
    for folder in made:
        if folder.exists():
            raise SystemExit(f"{folder} is there already; start in an empty folder")
    if lt.__version__ != "0.1.0":
        raise SystemExit(f"only version 0.1.0 makes these files, and this is {lt.__version__}")
    make_pictures(Path("pictures"))
    make_runs(Path("runs"))
    make_scans(Path("scans"))
    make_galleries(Path("galleries"))


if __name__ == "__main__":
    main()
