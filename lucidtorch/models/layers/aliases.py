"""The literature's names for the layers of well-known families."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

FIRST_DENSE = 6  # in both families the dense layers count on from the fifth group of convolutions
GOOGLENET_BRANCHES = {
    "1x1": "branch1",
    "3x3_bottleneck": "branch2.0",
    "3x3": "branch2.1",
    "pool": "branch4.0",
    "pool_reduce": "branch4.1",
}


def family_aliases(module: nn.Module) -> dict[str, str]:
    """Give the literature's names of a network's layers."""
    module = getattr(module, "traced_from", module)
    for kind in type(module).__mro__:
        namer = NAMERS.get(f"{kind.__module__}.{kind.__qualname__}")
        if namer is not None:
            return namer(module)
    return {}


def _vgg(module: nn.Module) -> dict[str, str]:
    """`conv1_1` is the convolution's output, `bn1_1` the batch norm's, `relu1_1` what comes after."""
    words = {nn.Conv2d: "conv", nn.BatchNorm2d: "bn", nn.ReLU: "relu"}
    aliases: dict[str, str] = {}
    group, place = 1, 0
    for address, layer in _children(module, "features"):
        if isinstance(layer, nn.MaxPool2d):
            aliases[f"pool{group}"] = address
            group, place = group + 1, 0
            continue
        place += isinstance(layer, nn.Conv2d)
        if type(layer) in words:
            aliases[f"{words[type(layer)]}{group}_{place}"] = address
    return aliases | _dense(module)


def _alexnet(module: nn.Module) -> dict[str, str]:
    """`pool1`, `pool2` and `pool5` follow the convolutions of the same number."""
    words = {nn.Conv2d: "conv", nn.ReLU: "relu", nn.MaxPool2d: "pool"}
    aliases: dict[str, str] = {}
    place = 0
    for address, layer in _children(module, "features"):
        place += isinstance(layer, nn.Conv2d)
        if type(layer) in words:
            aliases[f"{words[type(layer)]}{place}"] = address
    return aliases | _dense(module)


def _googlenet(module: nn.Module) -> dict[str, str]:
    """Lucid's names, except for the 5x5 branch, here of 3x3, and for pools: `maxpool1` is another pool."""
    stem = {f"conv2d{place}": f"conv{place + 1}" for place in range(3)}
    aliases = {alias: address for alias, address in stem.items() if hasattr(module, address)}
    for name, _ in module.named_children():
        block = name.removeprefix("inception")
        if block != name:
            aliases[f"mixed{block}"] = name
            aliases |= {f"mixed{block}_{part}": f"{name}.{address}" for part, address in GOOGLENET_BRANCHES.items()}
    return aliases


def _resnet(module: nn.Module) -> dict[str, str]:
    """The paper counts the stem as stage 1: `conv2_x` is the first stage of blocks, `conv2_1` a block."""
    aliases = {"pool1": "maxpool"} if hasattr(module, "maxpool") else {}
    for name, stage in module.named_children():
        number = name.removeprefix("layer")
        if number != name and number.isdecimal() and isinstance(stage, nn.Sequential):
            group = f"conv{int(number) + 1}"
            aliases[f"{group}_x"] = name
            aliases |= {f"{group}_{place + 1}": f"{name}.{place}" for place in range(len(stage))}
    return aliases


def _inceptionv1(_: nn.Module) -> dict[str, str]:
    """The network gives probabilities; its logits are one layer before."""
    return {"logits": "softmax2_pre_activation"}


def _dense(module: nn.Module) -> dict[str, str]:
    aliases: dict[str, str] = {}
    number = FIRST_DENSE - 1
    for address, layer in _children(module, "classifier"):
        if isinstance(layer, nn.Linear):
            number += 1
            aliases[f"fc{number}"] = address
        elif isinstance(layer, nn.ReLU):
            aliases[f"relu{number}"] = address
    return aliases


def _children(module: nn.Module, part: str) -> list[tuple[str, nn.Module]]:
    sequence = getattr(module, part, None)
    if not isinstance(sequence, nn.Sequential):
        return []
    return [(f"{part}.{name}", layer) for name, layer in sequence.named_children()]


NAMERS: dict[str, Callable[[nn.Module], dict[str, str]]] = {
    "torchvision.models.vgg.VGG": _vgg,
    "torchvision.models.alexnet.AlexNet": _alexnet,
    "torchvision.models.googlenet.GoogLeNet": _googlenet,
    "torchvision.models.resnet.ResNet": _resnet,
    "lucidtorch.models.networks.inceptionv1.InceptionV1": _inceptionv1,
}
