"""Transforms: what an image must survive, in lower case, because that is how they are written in expressions."""

from lucidtorch.transforms.geometry import Geometric, crop_or_pad_to, jitter, pad, rotate, scale
from lucidtorch.transforms.pipeline import identity, standard
from lucidtorch.transforms.text import parse
from lucidtorch.transforms.transform import Pipeline, Transform

__all__ = [
    "Geometric",
    "Pipeline",
    "Transform",
    "crop_or_pad_to",
    "identity",
    "jitter",
    "pad",
    "parse",
    "rotate",
    "scale",
    "standard",
]
