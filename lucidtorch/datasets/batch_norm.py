"""Batch normalization that a network wears for its training only."""

from __future__ import annotations

from torch import nn
from torch.nn.utils.fusion import fuse_conv_bn_eval, fuse_linear_bn_eval

HIDDEN = "fc"  # the name of dense layers that are no output


def put_on(network: nn.Module) -> None:
    """Follow every convolution and every hidden dense layer by a batch normalization."""
    for name, module in list(network.named_modules()):
        if isinstance(module, nn.Conv2d):
            _replace(network, name, nn.Sequential(module, nn.BatchNorm2d(module.out_channels)))
        elif isinstance(module, nn.Linear) and name.rpartition(".")[2] == HIDDEN:
            _replace(network, name, nn.Sequential(module, nn.BatchNorm1d(module.out_features)))


def fold(network: nn.Module) -> None:
    """Work what `put_on` added into the weights of the layers before; the outputs in eval mode stay the same."""
    for name, module in list(network.named_modules()):
        if not isinstance(module, nn.Sequential) or len(module) != 2:
            continue
        layer, normalization = module
        if isinstance(layer, nn.Conv2d) and isinstance(normalization, nn.BatchNorm2d):
            _replace(network, name, fuse_conv_bn_eval(layer, normalization))
        elif isinstance(layer, nn.Linear) and isinstance(normalization, nn.BatchNorm1d):
            _replace(network, name, fuse_linear_bn_eval(layer, normalization))


def _replace(network: nn.Module, name: str, module: nn.Module) -> None:
    parent, _, child = name.rpartition(".")
    network.get_submodule(parent).register_module(child, module)
