"""Params: parameterizations of images, numbers that a render changes until the image shows what it shall."""

from lucidtorch.base.images import photo
from lucidtorch.param.basis import Basis
from lucidtorch.param.fixed_magnitude import maco
from lucidtorch.param.fourier import fft
from lucidtorch.param.generator import generated
from lucidtorch.param.images import image
from lucidtorch.param.joined import stack
from lucidtorch.param.laplacian import pyramid
from lucidtorch.param.lowres import shared
from lucidtorch.param.param import Param
from lucidtorch.param.part import Part
from lucidtorch.param.pattern_network import cppn
from lucidtorch.param.plain import pixels
from lucidtorch.param.series import aligned, animation
from lucidtorch.param.statistics import Statistics, fit_statistics
from lucidtorch.param.text import parse

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
    "shared",
    "stack",
]
