"""Other tools beside lucent: torch-dreams, Horama's MACO, and captum's unreleased optim.

Each runs with its own image, colours, optimizer and transforms, one picture at a time, its settings only changed so
that the network sees as many pixels as with ours; the weights' gradients are computed where the tool does so.
"""

from __future__ import annotations

import contextlib
import importlib
import io
import time
from collections.abc import Callable
from dataclasses import dataclass

import torch
from paired import Variant
from settings import canvas
from torch import Tensor

import lucidtorch as lt
from peers.convention import INNER, Normalizing
from peers.packages import make_importable, stand_in

CROPS = 2  # of Horama, at each step


@dataclass(frozen=True)
class Peer:
    """A tool.

    Attributes:
        module: What is imported.
        told: How it is run, for the table.
        variant: Makes a variant of some steps on a layer of a network: CPU seconds of one step.
    """

    module: str
    told: str
    variant: Callable[[lt.Model, str, int], Variant]

    def reason(self) -> str:
        """Say why it does not run here; empty where it does."""
        make_importable()
        stand_in("cv2")  # torch-dreams reads picture files with it
        try:
            importlib.import_module(self.module)
        except ImportError as error:
            return f"{self.told}: {error}"
        return ""


def torch_dreams(model: lt.Model, layer: str, steps: int) -> Variant:
    """Its `Dreamer.render` with its rotation, at one scale: its random sizes would change what the network sees."""
    from torch_dreams import Dreamer

    network, side = Normalizing(model), canvas()
    dreamer = Dreamer(network, quiet=True, device="cpu")
    watched = network.get_submodule(f"{INNER}.{layer}")

    def render(number: int) -> None:
        dreamer.render(
            layers=[watched],
            width=side,
            height=side,
            iters=number,
            scale_max=1.0,
            scale_min=1.0,
            custom_func=lambda outputs: -outputs[0][:, 0].mean(),
        )

    return _beyond_the_first(render, steps)


def horama(model: lt.Model, layer: str, steps: int) -> Variant:
    """Its `maco` with two crops a step (it takes no single one), counted as two steps; no spectrum is downloaded."""
    from horama import maco_fv

    side = canvas()
    maco_fv.init_maco_buffer = _made_up_spectrum
    network = Normalizing(model)
    watched, kept = network.get_submodule(f"{INNER}.{layer}"), dict[str, Tensor]()
    watched.register_forward_hook(lambda module, inputs, output: kept.update(out=output))

    def value(images: Tensor) -> Tensor:
        network(images)
        return kept["out"][:, 0].mean()

    def render(number: int) -> None:
        with contextlib.redirect_stderr(io.StringIO()):  # its progress bar
            maco_fv.maco(
                value,
                total_steps=number,
                image_size=side,
                model_input_size=side,
                values_range=(0.0, 1.0),
                crops_per_iteration=CROPS,
                device="cpu",
            )

    whole = _beyond_the_first(render, steps)
    return lambda: whole() / CROPS


def captum_optim(model: lt.Model, layer: str, steps: int) -> Variant:
    """Its `InputOptimization` with its standard image and transforms."""
    from captum import optim

    network, side = Normalizing(model), canvas()
    watched = network.get_submodule(f"{INNER}.{layer}")

    def render(number: int) -> None:
        image = optim.images.NaturalImage((side, side))
        loss = optim.loss.ChannelActivation(watched, 0)
        task = optim.InputOptimization(network, loss, image, optim.transforms.TransformationRobustness())
        task.optimize(optim.optimization.n_steps(number, show_progress=False))

    return _beyond_the_first(render, steps)


def _beyond_the_first(render: Callable[[int], None], steps: int) -> Variant:
    """Measure what some steps cost beyond a render of a single one."""

    def measured() -> float:
        marks = [time.process_time()]
        for number in (1, steps + 1):
            render(number)
            marks.append(time.process_time())
        alone, together = marks[1] - marks[0], marks[2] - marks[1]
        return (together - alone) / steps

    return measured


def _made_up_spectrum(image_shape: tuple[int, int], std_deviation: float = 1.0) -> tuple[Tensor, Tensor]:
    """Stand in for the spectrum that Horama downloads: of its shape, 1 over the frequency."""
    height, width = image_shape
    across, down = torch.fft.rfftfreq(width)[None], torch.fft.fftfreq(height)[:, None]
    magnitude = 1 / torch.hypot(across, down).clamp_min(1 / max(height, width))
    return magnitude.expand(3, -1, -1).clone(), torch.randn(3, *magnitude.shape) * std_deviation


PEERS = {
    "torch-dreams": Peer("torch_dreams", "torch-dreams 4.0.0 at one scale", torch_dreams),
    "horama": Peer("horama", "Horama 0.3.0's MACO, per crop of two a step, spectrum made up", horama),
    "captum-optim": Peer("captum.optim", "of captum's optim-wip branch, in no release", captum_optim),
}
