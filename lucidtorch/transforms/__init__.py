"""Transforms: what an image must survive, in lower case, because that is how they are written in expressions."""

from lucidtorch.transforms.distortions import perspective, random_crop, rotate, scale, shear
from lucidtorch.transforms.geometry import Geometric, crop, crop_or_pad_to, flip, jitter, pad
from lucidtorch.transforms.meshes.view import textured
from lucidtorch.transforms.noises import background, colour_noise, noise, uniform_noise
from lucidtorch.transforms.pipeline import atlas, crops, identity, standard, strong
from lucidtorch.transforms.ranges import powers, span
from lucidtorch.transforms.text import parse, register
from lucidtorch.transforms.tints import blur, colour_jitter, normalize_gradient
from lucidtorch.transforms.transform import Pipeline, Transform

__all__ = [
    "Geometric",
    "Pipeline",
    "Transform",
    "atlas",
    "background",
    "blur",
    "colour_jitter",
    "colour_noise",
    "crop",
    "crop_or_pad_to",
    "crops",
    "flip",
    "identity",
    "jitter",
    "noise",
    "normalize_gradient",
    "pad",
    "parse",
    "perspective",
    "powers",
    "random_crop",
    "register",
    "rotate",
    "scale",
    "shear",
    "span",
    "standard",
    "strong",
    "textured",
    "uniform_noise",
]
