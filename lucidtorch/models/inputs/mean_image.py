"""The mean image of a training set, as older networks subtract it: reading its file, and bringing it to a size."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from lucidtorch.base.arrays import Array
from lucidtorch.base.checks import is_dense
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.files import read_npy
from lucidtorch.base.images import photo
from lucidtorch.base.trust import check_read

PICTURES = (".png", ".jpg", ".jpeg")
TENSORS = (".pth", ".pt")
ARRAYS = (".npy",)
ADVICE = "Give [C, H, W], [H, W, C], [H, W] or one number per channel in a .npy, .pth or .pt file, or a picture."


def read_mean(path: Path, channels: int, value_range: tuple[float, float], channel_order: str) -> Array:
    """Read the file of a mean image, or of one mean per channel.

    Numbers in `.npy`, `.pth` and `.pt` files are taken as they are, in units of `value_range` and in the network's own
    channel order. A picture is RGB from 0 to 255: it is stretched to `value_range` and brought into that order.
    """
    check_read(path)
    if not path.is_file():
        raise BadInputError(f"There is no file {path} for the mean; give numbers, or the path of a mean image.")
    suffix = path.suffix.lower()
    if suffix in PICTURES:
        return Array.of(_of_picture(path, channels, value_range, channel_order))
    if suffix in ARRAYS + TENSORS:
        return Array.of(_arranged(_numbers(path, suffix), channels, path))
    raise BadInputError(f"The mean {path} is none of {', '.join(ARRAYS + TENSORS + PICTURES)}. {ADVICE}")


def resized_mean(mean: Array, sides: Sequence[int]) -> Tensor:
    """Bring a mean image to a size, bilinearly and without aliasing; one of a clip also in time."""
    values = torch.tensor(mean.numpy(), dtype=torch.float64)[None]
    wanted = tuple(sides)[2 - values.dim() :]
    if tuple(values.shape[2:]) != wanted and len(wanted) == 3:
        values = F.interpolate(values, wanted, mode="trilinear")
    elif tuple(values.shape[2:]) != wanted:
        values = F.interpolate(values, wanted, mode="bilinear", antialias=True)
    return values if len(wanted) == len(sides) else values.unsqueeze(2)


def _of_picture(path: Path, channels: int, value_range: tuple[float, float], channel_order: str) -> Tensor:
    picture = torch.tensor(photo(path).numpy())
    if len(picture) not in (1, channels):
        raise BadInputError(
            f"The mean {path} is a picture of {len(picture)} channels for images of {channels}. {ADVICE}"
        )
    low, high = value_range
    values = picture.double().expand(channels, -1, -1) * (high - low) + low
    return values.flip(0) if channel_order == "bgr" else values


def _numbers(path: Path, suffix: str) -> Tensor:
    """Read the numbers of a file without running any code in it."""
    try:
        if suffix in ARRAYS:
            return torch.from_numpy(np.asarray(read_npy(path), dtype=np.float64))
        with warnings.catch_warnings(action="ignore", category=UserWarning):  # of the pickle's protocol
            held = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, ValueError, TypeError, EOFError, RuntimeError, LookupError, pickle.UnpicklingError) as error:
        reason = (str(error).strip().splitlines() or [type(error).__name__])[0]
        raise BadInputError(f"The mean {path} holds no plain numbers ({reason[:120]}). {ADVICE}") from error
    if not isinstance(held, Tensor) or held.is_complex() or not is_dense(held) or _is_expanded(held):
        raise BadInputError(f"The mean {path} holds a {type(held).__name__}, not one tensor of numbers. {ADVICE}")
    return held.double()


def _is_expanded(values: Tensor) -> bool:
    """Whether a tensor is larger than its file: a small file could fill the memory."""
    return values.numel() * values.element_size() > values.untyped_storage().nbytes()


def _arranged(values: Tensor, channels: int, path: Path) -> Tensor:
    """Bring an array into `[C]`, `[C, H, W]` or `[C, T, H, W]`."""
    if values.dim() == 4 and values.shape[:2] == (1, channels):  # a batch of one, as converted files have it
        values = values[0]
    if values.dim() == 2:
        return values.expand(channels, -1, -1)
    if values.dim() in (1, 3, 4) and values.shape[0] == channels:
        return values
    if values.dim() in (3, 4) and values.shape[-1] == channels:
        return values.movedim(-1, 0)
    raise BadInputError(f"The mean {path} is of shape {list(values.shape)} for images of {channels} channels. {ADVICE}")
