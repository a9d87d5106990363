"""A second look at pictures: what they start from, and what a network makes of them as they stand in their files."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import torch
from torch import Tensor

from lucidtorch.base.errors import LucidtorchWarning
from lucidtorch.base.sizes import PLANE, short_size
from lucidtorch.objectives.algebra import Objective
from lucidtorch.param.images import image
from lucidtorch.param.param import Param
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.rendering.loop import Loop
from lucidtorch.rendering.preparation import prepare
from lucidtorch.rendering.settings import Schedule

SHOWN_AS_THEY_ARE = (1, 3)  # numbers of channels of which a file holds just what the network saw


def clean_scores(stage: Stage, objective: Objective, images: Tensor) -> tuple[float | None, ...]:
    """Evaluate an objective on finished pictures, without chance, as the score of a render is."""
    channels = stage.network.convention.channels
    if not _shown_whole(stage.param) or images.shape[1] != channels:
        return (None,) * len(images)
    size = short_size(tuple(images.shape[-PLANE:]))
    shown = image(size, batch=len(images), channels=channels, fft=False, decorrelate=False, bounds="clip", init=images)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", LucidtorchWarning)  # they were given when the pictures were planned
        job = prepare(
            stage.network,
            objective,
            shown,
            stage.craft.transforms,
            Schedule(1),
            tuple(range(len(images))),
            engine=stage.craft.engine,
        )
        values = Loop(job).finish()[1]
    return tuple(float(f"{value:.6g}") for value in values.tolist())


def start_of(stage: Stage, seeds: Sequence[int]) -> Tensor | None:
    """Give the pictures that a render starts from."""
    param = stage.param.resized(batch=len(seeds))
    if not _shown_whole(param):
        return None
    param.fill(seeds)
    with torch.no_grad():
        images: Tensor = param()
    return images


def _shown_whole(param: Param) -> bool:
    flat = len(param.size) == PLANE
    return flat and not param.held and not param.alpha and param.channels in SHOWN_AS_THEY_ARE
