"""Numbers as tones: grey, or colours whose lightness grows evenly with the number."""

from __future__ import annotations

import math
from typing import Literal, TypeAlias

import torch
from torch import Tensor

Tones: TypeAlias = Literal["heat", "grey"]

# From OKLab to linear RGB (Bjorn Ottosson, "A perceptual color space for image processing", 2020).
TO_CONES = ((1.0, 0.3963377774, 0.2158037573), (1.0, -0.1055613458, -0.0638541728), (1.0, -0.0894841775, -1.2914855480))
TO_RGB = (
    (4.0767416621, -3.3077115913, 0.2309699292),
    (-1.2684380046, 2.6097574011, -0.3413193965),
    (-0.0041960863, -0.7034186147, 1.7076147010),
)
LINEAR_UP_TO = 0.0031308  # where the sRGB curve leaves its straight beginning
VIOLET, TURN = 290.0, 175.0  # degrees: the hue of what is faint, and how far it turns until what is strong
ORANGE, BLUE = 50.0, 255.0  # above zero, and below


def toned(shares: Tensor, signed: bool, tones: Tones) -> Tensor:
    """Write numbers as tones."""
    if tones == "grey":
        return ((shares + 1) / 2 if signed else shares)[None]
    return _two_hues(shares) if signed else _one_way(shares)


def _one_way(shares: Tensor) -> Tensor:
    return _rgb(0.9 * shares + 0.08, 0.16 * (math.pi * shares).sin().clamp(min=0), VIOLET + TURN * shares)


def _two_hues(shares: Tensor) -> Tensor:
    size = shares.abs()
    hues = torch.where(shares < 0, torch.full_like(shares, BLUE), torch.full_like(shares, ORANGE))
    return _rgb(0.08 + 0.68 * size, 0.13 * size.sqrt(), hues)


def _rgb(lightness: Tensor, chroma: Tensor, hue: Tensor) -> Tensor:
    """Turn lightness, colourfulness and hue of OKLab into sRGB."""
    angle = hue * (math.pi / 180)
    lab = torch.stack([lightness, chroma * angle.cos(), chroma * angle.sin()]).double()
    cones = torch.einsum("ij,j...->i...", lab.new_tensor(TO_CONES), lab) ** 3
    linear = torch.einsum("ij,j...->i...", lab.new_tensor(TO_RGB), cones).clamp(0, 1)
    curved = 1.055 * linear.clamp(min=LINEAR_UP_TO) ** (1 / 2.4) - 0.055
    return torch.where(linear <= LINEAR_UP_TO, 12.92 * linear, curved).to(lightness.dtype)
