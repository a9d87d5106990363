"""Params: parameterizations of images, numbers that a render changes until the image shows what it shall."""

from lucidtorch.param.images import image
from lucidtorch.param.param import Param
from lucidtorch.param.text import parse

__all__ = ["Param", "image", "parse"]
