"""Params: parameterizations of images, numbers that a render changes until the image shows what it shall."""

from lucidtorch.base.images import photo
from lucidtorch.param.bases import Basis, Part, fft, pixels, pyramid
from lucidtorch.param.fixed_magnitude import maco
from lucidtorch.param.generator import generated
from lucidtorch.param.images import image
from lucidtorch.param.param import Param, stack
from lucidtorch.param.pattern_network import cppn
from lucidtorch.param.series import aligned, animation, shared
from lucidtorch.param.statistics import Statistics, fit_statistics
from lucidtorch.param.text import parse, register

__all__ = [
    "Basis",
    "Param",
    "Part",
    "Statistics",
    "aligned",
    "animation",
    "cppn",
    "fft",
    "fit_statistics",
    "generated",
    "image",
    "maco",
    "parse",
    "photo",
    "pixels",
    "pyramid",
    "register",
    "shared",
    "stack",
]
