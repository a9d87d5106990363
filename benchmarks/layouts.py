"""Compares the channel axis of every output of many networks with a naive table, and writes docs/networks.md.

    python benchmarks/layouts.py [--against FOLDER] [NAME ...]

The table says which axis torch's own layers take for the channels (axis 1 of a convolution, the last of a linear
layer); a module whose last such layer gives a tensor of the same shape has the same channels; of all other modules it
says no more than that their channels are as many as some weight of the network has rows or columns. Names are
torchvision's, `timm/NAME`, or one of those made here; weights are random, sizes those the networks are made for.
FOLDER is another checkout of the package, whose time is measured beside.
"""

from __future__ import annotations

import argparse
import os
import subprocess
import sys
import time
import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
import torchvision
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.errors import LucidtorchWarning

PAGE = Path(__file__).resolve().parents[1] / "docs" / "networks.md"
FIRST = (nn.Conv1d, nn.Conv2d, nn.Conv3d, nn.BatchNorm1d, nn.BatchNorm2d, nn.GroupNorm)
LAST = (nn.Linear, nn.LayerNorm, nn.LSTM, nn.GRU)
SIDE = 224
NAMES_SHOWN = 3
PATCHES = 4
ROWS = 4
COLOURS = 3
TIMED = (  # of torchvision's, one of each family: the largest ones take long
    *(
        "alexnet",
        "convnext_tiny",
        "densenet121",
        "efficientnet_b0",
        "googlenet",
        "inception_v3",
        "maxvit_t",
        "mnasnet0_5",
    ),
    *(
        "mobilenet_v2",
        "regnet_y_400mf",
        "resnet50",
        "shufflenet_v2_x0_5",
        "squeezenet1_0",
        "swin_t",
        "vgg11",
        "vit_b_16",
    ),
)
HEADING = "## Which axis is the channels"
OWN = ("efficientnet_lite0", "dinov2")  # with weights of their own, where LUCIDTORCH_TEST_DATA has them
FAMILIES = (
    *("beit_base_patch16_224", "cait_xxs24_224", "coat_tiny", "convnext_atto", "convnextv2_atto", "crossvit_tiny_240"),
    *("davit_tiny", "deit_tiny_distilled_patch16_224", "edgenext_xx_small", "efficientformer_l1", "efficientvit_b0"),
    *("eva02_tiny_patch14_224", "fastvit_t8", "focalnet_tiny_srf", "gcvit_xxtiny", "ghostnet_100", "gmlp_ti16_224"),
    *("hrnet_w18_small", "levit_128s", "mixer_s32_224", "mobilenetv4_conv_small", "mobilevit_xxs", "mobilevitv2_050"),
    *(
        "poolformer_s12",
        "pvt_v2_b0",
        "resmlp_12_224",
        "sequencer2d_s",
        "swin_tiny_patch4_window7_224",
        "twins_svt_small",
    ),
    *("swinv2_tiny_window8_256", "vit_tiny_patch16_224", "xcit_nano_12_p16_224"),
)


@dataclass
class Verdict:
    """What was found out about one network.

    Args:
        name: Its name.
        outputs: How many tensors it gives, its parts' outputs included.
        wrong: Those whose channels are others than the table says.
        unordered: Those whose channels are known, but not the order of their places.
        refused: Those that cannot be read.
        seconds: What `layers` took, on one core.
        before: What it took in the other checkout.
    """

    name: str
    outputs: int = 0
    wrong: list[str] = field(default_factory=list)
    unordered: list[str] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    seconds: float = 0.0
    before: float | None = None

    def row(self) -> str:
        """Write a line of the table."""
        agree = self.outputs - len(self.refused) - len(self.wrong)
        times = f"{self.seconds:.2f}" + (f" ({self.seconds / self.before:.1f}x)" if self.before else "")
        cells = [f"`{self.name}`", str(self.outputs), str(agree), _listed(self.wrong), str(len(self.unordered))]
        return f"| {' | '.join([*cells, _listed(self.refused), times])} |"


def judged(name: str, against: Path | None = None) -> Verdict:
    """Compare one network with the table."""
    module, size = network(name)
    model = lt.load_model(module, mean=0.5, std=0.5, size=size)
    if against is not None and (name in (*TIMED, *OWN) or "/" in name):
        _ = lt.load_model(module, mean=0.5, std=0.5, size=size).layers  # the first pass of all loads libraries
    began = time.process_time()
    table = model.layers
    found = Verdict(name, seconds=time.process_time() - began)
    widths = {size for weight in module.parameters() for size in weight.shape}
    own: dict[tuple[str, tuple[int, ...]], int] = {}  # by the names of the modules around a layer, and its shape
    for text, place in table.directory.places.items():
        leaf = place.leaf
        if leaf is None or not leaf.shape or (leaf.refused or "").startswith(("gives torch", "gives what")):
            continue
        found.outputs += 1
        layer = module.get_submodule(place.call.module)
        if leaf.refused is not None:
            found.refused.append(text or "output")
            continue
        inside, known = place.call.module, of_layer(layer)
        if known is not None:
            around = [inside[:at] for at, letter in enumerate(inside) if letter == "."]
            own.update({(outer, leaf.raw): known for outer in ("", *around)})
        known = known or own.get((inside, leaf.raw))
        if leaf.shape[0] != known if known else leaf.shape[0] not in widths and leaf.shape[0] > COLOURS:
            found.wrong.append(f"{text} ({leaf.shape[0]})")
        elif leaf.layout is not None and not leaf.layout.is_ordered:
            found.unordered.append(text)
    if against is not None and (name in (*TIMED, *OWN) or "/" in name):
        found.before = measured(name, against)
    return found


def of_layer(layer: nn.Module) -> int | None:
    """Say how many channels one of torch's own layers gives; None for other modules."""
    if isinstance(layer, FIRST) and type(layer).forward is next(k for k in FIRST if isinstance(layer, k)).forward:
        return getattr(layer, "out_channels", None) or getattr(layer, "num_features", None) or layer.num_channels
    if isinstance(layer, nn.Linear):
        return layer.out_features
    if isinstance(layer, nn.LayerNorm) and type(layer).forward is nn.LayerNorm.forward:
        return layer.normalized_shape[-1]
    if isinstance(layer, nn.LSTM | nn.GRU):
        return layer.hidden_size * (2 if layer.bidirectional else 1)
    return None


class Rows(nn.Module):
    """Reads the rows of a map one after the other, as recurrent networks for text in images do."""

    def __init__(self, kind: type[nn.RNNBase], **settings: Any) -> None:
        super().__init__()
        self.conv = nn.Conv2d(3, 16, 3, stride=4, padding=1)
        self.memory = kind(16 * ROWS, 40, **settings)
        self.head = nn.Linear(40 * (2 if settings.get("bidirectional") else 1), 10)

    def forward(self, images: Tensor) -> Tensor:
        columns = (
            nn.functional.adaptive_avg_pool2d(self.conv(images).relu(), (ROWS, None)).permute(0, 3, 1, 2).flatten(2)
        )
        steps = columns if self.memory.batch_first else columns.transpose(0, 1)
        return self.head(self.memory(steps)[0].mean(1 if self.memory.batch_first else 0))


def detr() -> nn.Module:
    """Build a small DETR."""
    import transformers

    config = transformers.DetrConfig(
        use_timm_backbone=False,
        use_pretrained_backbone=False,
        backbone=None,
        backbone_config=transformers.ResNetConfig(depths=[1, 1, 1, 1], out_features=["stage4"]),
        d_model=64,
        encoder_layers=2,
        decoder_layers=2,
        num_queries=25,
        num_labels=11,
        **{f"{half}_attention_heads": 4 for half in ("encoder", "decoder")},
        **{f"{half}_ffn_dim": 128 for half in ("encoder", "decoder")},
    )
    return transformers.DetrForObjectDetection(config)


MADE: dict[str, Callable[[], nn.Module]] = {
    "lstm": lambda: Rows(nn.LSTM, batch_first=True),
    "gru": lambda: Rows(nn.GRU),
    "bidirectional lstm": lambda: Rows(nn.LSTM, bidirectional=True),
    "detr": detr,
}


def network(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    """Build a network with random weights, and say what size it is made for."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        if name in OWN:
            return own_network(name)
        if name in MADE:
            return MADE[name]().eval(), (SIDE, SIDE)
        library, slash, rest = name.rpartition("/")
        if slash and library == "timm":
            import timm

            made = timm.create_model(rest, pretrained=False).eval()
            for weight in made.parameters():
                if not weight.any():  # zeros, as norms at the end of a block begin, hide what goes through them
                    torch.nn.init.normal_(weight, std=0.1)
            return made, tuple(made.pretrained_cfg["input_size"][1:])
        if name.startswith("vit_"):  # built for 4 x 4 patches: the largest ones take long
            side = PATCHES * int(name.rpartition("_")[2])
            return torchvision.models.get_model(name, weights=None, image_size=side).eval(), (side, side)
        options = {"init_weights": False} if name in ("googlenet", "inception_v3") else {}
        return torchvision.models.get_model(name, weights=None, **options).eval(), (SIDE, SIDE)


def own_network(name: str) -> tuple[nn.Module, tuple[int, ...]]:
    """Load a network whose weights lie in the folder of test data."""
    folder = Path(os.environ["LUCIDTORCH_TEST_DATA"]) / "weights"
    if name == "dinov2":
        side = 126
        return lt.load_model(f"hf/{folder / 'dinov2_vits14_saliency'}", size=side).module, (side, side)
    weights = folder / "efficientnet_lite0_imagenet.safetensors"
    return lt.load_model("timm/tf_efficientnet_lite0", weights=weights).module, (SIDE, SIDE)


def measured(name: str, checkout: Path) -> float:
    """Time the table of a network as another checkout makes it, in a process of its own."""
    code = (
        f"import sys, time, warnings; warnings.simplefilter('ignore'); sys.path.insert(0, {str(checkout)!r})\n"
        f"sys.path.append({str(Path(__file__).parent)!r}); import lucidtorch as lt; from layouts import network\n"
        f"made, size = network({name!r})\n"
        "for _ in range(2):\n"
        "    model = lt.load_model(made, mean=0.5, std=0.5, size=size); began = time.process_time(); model.layers\n"
        "    took = time.process_time() - began\n"
        "print(took)"
    )
    environment = {**os.environ, "PYTHONPATH": str(checkout)}
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, env=environment)
    return float(done.stdout)


def _listed(names: Sequence[str]) -> str:
    rest = len(names) - NAMES_SHOWN
    shown = ", ".join(f"`{name}`" for name in names[:NAMES_SHOWN])
    return (f"{len(names)}: {shown}" + (f" and {rest} more" if rest > 0 else "")) if names else "0"


def page(verdicts: Sequence[Verdict]) -> str:
    """Write the part of the page that this script measures."""
    outputs, refused = sum(one.outputs for one in verdicts), sum(len(one.refused) for one in verdicts)
    version = torch.__version__.partition("+")[0]
    loose, wrong = sum(len(one.unordered) for one in verdicts), sum(len(one.wrong) for one in verdicts)
    return "\n".join(
        [
            HEADING,
            "",
            f"Of {outputs:,} outputs of {len(verdicts)} networks, {wrong} have other channels than a naive table says,",
            f"{loose:,} are read without an order of places, and {refused:,} are refused (torch {version}).",
            "The table knows which axis torch's own layers take for the channels; a module whose last such layer gives",
            "a tensor of the same shape has the same; of others it knows that their channels are as many as a weight",
            "of the network has rows or columns.",
            "",
            "- **agree**: the channels are those of the table; **differ**: they are others;",
            "- **unordered**: the channels are known, but not which place is which: `channel` and `token` read",
            "  the layer, `neuron` does not;",
            "- **refused**: no axis could be told for sure; attention weights are among these, which have no channels;",
            "- **seconds**: what the table of layers takes, and how many times what version 0.1.0 took.",
            "",
            "`python benchmarks/layouts.py --against FOLDER` makes this part again; `FOLDER` is a checkout of 0.1.0.",
            "",
            "| network | outputs | agree | differ | unordered | refused | seconds |",
            "| --- | ---: | ---: | --- | ---: | --- | ---: |",
            *(one.row() for one in verdicts),
            "",
        ]
    )


def main() -> None:
    """Judge the networks, and write the page where all of them were judged."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path)
    parser.add_argument("names", nargs="*")
    given = parser.parse_args()
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", LucidtorchWarning)
    classifiers = sorted(torchvision.models.list_models(module=torchvision.models))
    verdicts = []
    for name in given.names or [*classifiers, *(f"timm/{name}" for name in FAMILIES), *MADE, *OWN]:
        verdicts.append(judged(name, given.against))
        print(verdicts[-1].row(), flush=True)
    if not given.names:
        before = PAGE.read_text(encoding="utf-8").partition(HEADING)[0]
        PAGE.write_text(f"{before.rstrip()}\n\n{page(verdicts)}", encoding="utf-8")


if __name__ == "__main__":
    main()
