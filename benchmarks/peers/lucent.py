"""Lucent 0.1.8 as its users run it, patched in place for today's kornia.

Two names of kornia that it uses have moved, and it imports IPython whether or not anything is shown. Nothing else is
changed: the image is its Fourier one with decorrelated colours, the transforms are its standard ones, the optimizer is
Adam at 0.05, the weights' gradients are computed, and the whole network runs. Its hooks, which it never takes away, are
taken away after each picture, so that a long run does not slow it down.
"""

from __future__ import annotations

import time
import types
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

import lucidtorch as lt
from peers.convention import INNER, Normalizing
from peers.packages import make_importable, stand_in

MOVED = ("get_rotation_matrix2d", "warp_affine")
OWN_SIZE = 224  # what it feeds to a network, whatever the size of the image
MARGIN = 24  # by how much its padding, and ours, enlarge an image


@dataclass(frozen=True)
class Made:
    """A picture, and the CPU seconds that it took.

    Attributes:
        image: `[3, H, W]` in [0, 1].
        seconds: For everything.
        marks: The clock after each step, since the start; the set-up ends somewhere before the first.
    """

    image: Tensor
    seconds: float
    marks: list[float]

    @property
    def step_seconds(self) -> float:
        """The mean over the steps behind the first, which sets the optimizer up."""
        return (self.marks[-1] - self.marks[0]) / (len(self.marks) - 1)

    @property
    def setup_seconds(self) -> float:
        """What is there once, whatever the number of steps."""
        return max(0.0, self.seconds - self.step_seconds * len(self.marks))


@dataclass
class Clock:
    """Its optimizer, with a look at the clock after each step.

    Attributes:
        parameters: Of the image.
        marks: Where the times go.
        now: The clock, in seconds.
    """

    parameters: list[Tensor]
    marks: list[float]
    now: Callable[[], float]
    adam: torch.optim.Adam = field(init=False)

    def __post_init__(self) -> None:
        self.adam = torch.optim.Adam(self.parameters, lr=5e-2)

    def zero_grad(self) -> None:
        self.adam.zero_grad()

    def step(self, closure: Callable[[], Tensor]) -> None:
        self.adam.step(closure)  # type: ignore[arg-type]
        self.marks.append(self.now())


class Lucent:
    """Lucent on a private copy of a network.

    Args:
        model: The network; it is not touched.
        clock: What tells the time; the CPU time of this process where None.

    Raises:
        ImportError: Lucent is not installed.
    """

    def __init__(self, model: lt.Model, clock: Callable[[], float] = time.process_time) -> None:
        self.lucent = modules()
        self.clock = clock
        self.network = Normalizing(model).to(self.lucent.spatial.device)

    def picture(
        self,
        layer: str,
        unit: int,
        *,
        size: int = 128,
        network_size: int | None = None,
        steps: int = 512,
        seed: int = 0,
    ) -> Made:
        """Make one picture of a channel.

        Args:
            layer: The channel's layer, by its `named_modules()` name in the network.
            unit: The channel.
            size: Of the picture, in pixels.
            network_size: What the network sees, in pixels: ours where None (the size and the padding); `OWN_SIZE` is
                lucent's default. Lucent resizes to it (`fixed_image_size`).
            steps: How many.
            seed: Of torch's and numpy's dice.

        Returns:
            The picture.
        """
        torch.manual_seed(seed)
        np.random.seed(seed)  # lucent draws its transforms from numpy's global dice
        began, marks = self.clock(), list[float]()
        (image,) = self.lucent.render.render_vis(
            self.network,
            f"{INNER}_{layer.replace('.', '_')}:{unit}",
            lambda: self.lucent.param.image(size),
            optimizer=lambda parameters: Clock(parameters, marks, lambda: self.clock() - began),
            thresholds=(steps,),
            preprocess=False,  # the network normalizes by itself
            progress=False,
            show_image=False,
            fixed_image_size=size + MARGIN if network_size is None else network_size,
        )
        seconds = self.clock() - began
        for module in self.network.modules():
            module._forward_hooks.clear()
        return Made(torch.from_numpy(image[0]).permute(2, 0, 1).contiguous(), seconds, marks)


def modules() -> Any:
    """Import lucent's modules, patched.

    Returns:
        Its `render`, `param`, `spatial` and `transform`.

    Raises:
        ImportError: It is not installed.
    """
    make_importable()
    stand_in("IPython.display")
    import kornia  # patched before lucent reads it

    for name in MOVED:
        if not hasattr(kornia, name):
            setattr(kornia, name, getattr(kornia.geometry.transform, name))
    from lucent.optvis import param, render, transform
    from lucent.optvis.param import spatial

    return types.SimpleNamespace(param=param, render=render, spatial=spatial, transform=transform)
