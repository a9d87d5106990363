"""The literature's names for the layers of well-known families."""

from __future__ import annotations

from collections.abc import Callable

from torch import nn

FIRST_DENSE = 6  # in both families the dense layers count on from the fifth group of convolutions


def family_aliases(module: nn.Module) -> dict[str, str]:
    """Give the literature's names of a network's layers.

    Args:
        module: A network; torchvision's VGG and AlexNet have such names, subclasses of them, and InceptionV1.

    Returns:
        Alias to the module's name in `named_modules()`; empty for other networks.
    """
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
    "lucidtorch.models.networks.inceptionv1.InceptionV1": _inceptionv1,
}
