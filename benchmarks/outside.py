"""What a step costs outside the network, over the bare pieces that no such step can do without.

Ours is the loop of `optimize` as it is by default on a network that gives its input back, with the normalization of
ImageNet and an objective that sums everything up: the param and what it holds, drawing and applying the transforms,
sigmoid, normalization, the guard, the optimizer and all bookkeeping. Eight pictures of 128 pixels, RGB, on a canvas of
152, at one thread in float32.

The bare pieces, each with numbers made beforehand and its gradient to what it takes, and nothing between them:

- `affine_grid` on the canvas for 8 matrices that turn and scale as much as `standard()` does, which matters for the
  time, and `grid_sample` of 8 images of 128 pixels at these places, bilinear, zeros outside; forward, and backward to
  the images;
- `irfft2`, orthonormal, of 8 x 3 spectra times real amplitudes; forward, and backward to the real numbers behind them;
- `einsum` of a 3 x 3 matrix with the colours of 8 images; forward, and backward to the images;
- one step of fused Adam on as many numbers as the spectra have.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from paired import paired, ratios, timed
from rows import Row, at_most
from settings import SIZE, canvas
from torch import Tensor, nn

import lucidtorch as lt
from lucidtorch.base.seeds import generators
from lucidtorch.objectives import Activations, objective

BATCH, CHANNELS = 8, 3
GOAL = 1.15
STEADY = 10**6  # more steps than any run takes
WARM_UP = 20  # steps; the first 16 redirect gradients
STEPS, ROUNDS, QUICK_ROUNDS = 3, 60, 20
BUDGET, QUICK_BUDGET = 60.0, 15.0  # seconds
IMAGENET = {"mean": (0.485, 0.456, 0.406), "std": (0.229, 0.224, 0.225)}

Work = Callable[[], object]


@objective
def everything(activations: Activations, layer: str) -> Tensor:
    """The sum of a layer's numbers: the objective that costs least.

    Formula: sum of a[layer].
    Source: none.

    Args:
        activations: The layer's.
        layer: Its address.

    Returns:
        `[B]`.
    """
    return activations[layer].flatten(1).sum(1)


class Same(nn.Module):
    """A network whose output is its input."""

    def __init__(self) -> None:
        super().__init__()
        self.same = nn.Identity()

    def forward(self, images: Tensor) -> Tensor:
        """Give back what is given.

        Args:
            images: `[B, C, H, W]`.

        Returns:
            The same.
        """
        given: Tensor = self.same(images)
        return given


@dataclass(frozen=True)
class Bare:
    """The bare pieces, on numbers of their own.

    Attributes:
        images: `[B, C, S, S]`.
        spectrum: Real and imaginary parts, `[B, C, S, S // 2 + 1, 2]`.
        on_canvas: A gradient to what a network sees.
        on_images: A gradient to images.
        turns: An affine matrix for each image, `[B, 2, 3]`.
        amplitude: Of each frequency.
        colours: A matrix of colours.
        optimizer: Of as many numbers as the spectrum has.
    """

    images: Tensor
    spectrum: Tensor
    on_canvas: Tensor
    on_images: Tensor
    turns: Tensor
    amplitude: Tensor
    colours: Tensor
    optimizer: torch.optim.Optimizer

    @classmethod
    def made(cls) -> Bare:
        """Make all numbers that the pieces work on."""
        dice = torch.Generator().manual_seed(0)
        drawn = lambda *shape: torch.rand(shape, generator=dice)  # noqa: E731
        frequencies = (SIZE, SIZE // 2 + 1)
        numbers = nn.Parameter(drawn(BATCH, CHANNELS, *frequencies, 2))
        numbers.grad = drawn(*numbers.shape)
        return cls(
            images=drawn(BATCH, CHANNELS, SIZE, SIZE).requires_grad_(True),
            spectrum=drawn(BATCH, CHANNELS, *frequencies, 2).requires_grad_(True),
            on_canvas=drawn(BATCH, CHANNELS, canvas(), canvas()),
            on_images=drawn(BATCH, CHANNELS, SIZE, SIZE),
            turns=_turns(10 * (2 * drawn(BATCH) - 1), 0.9 + 0.2 * drawn(BATCH)),
            amplitude=drawn(*frequencies),
            colours=drawn(CHANNELS, CHANNELS),
            optimizer=torch.optim.Adam([numbers], lr=0.05, fused=True),
        )

    def warp(self) -> None:
        """Place 8 images on the canvas, and back."""
        places = F.affine_grid(self.turns, [BATCH, CHANNELS, canvas(), canvas()], align_corners=False)
        _back(F.grid_sample(self.images, places, align_corners=False), self.images, self.on_canvas)

    def transform(self) -> None:
        """Make pixels of frequencies, and back."""
        scaled = torch.view_as_complex(self.spectrum) * self.amplitude
        _back(torch.fft.irfft2(scaled, s=(SIZE, SIZE), norm="ortho"), self.spectrum, self.on_images)

    def colour(self) -> None:
        """Mix colours, and back."""
        _back(torch.einsum("ij,bjhw->bihw", self.colours, self.images), self.images, self.on_images)

    def sum(self) -> None:
        """Do every piece once."""
        self.warp()
        self.transform()
        self.colour()
        self.optimizer.step()

    def param(self) -> None:
        """Do the pieces of a param."""
        self.transform()
        self.colour()


def whole_step() -> Work:
    """Start our loop on a network that does nothing, and give what makes one step."""
    model = lt.load_model(Same(), **IMAGENET, device="cpu")  # type: ignore[arg-type]  # the convention alone
    steps = lt.optimize(model, everything("same"), param=lt.param.image(SIZE, batch=BATCH), steps=STEADY)
    for _ in range(WARM_UP):
        next(steps)
    return lambda: next(steps)


def our_param(bare: Bare) -> Work:
    """Make our images, and take a gradient back to their numbers."""
    param = lt.param.image(SIZE, batch=BATCH)
    param.fill(range(BATCH))
    numbers = next(param.parameters())
    return lambda: _back(param(), numbers, bare.on_images)


def our_transforms(bare: Bare) -> Work:
    """Draw and apply our standard transforms, and take a gradient back to the images."""
    pipeline, dice = lt.transforms.standard(), generators(range(BATCH), "benchmark")

    def step() -> None:
        moved = pipeline.apply(bare.images, pipeline.sample(bare.images.shape, dice))
        _back(moved, bare.images, bare.on_canvas)

    return step


def _turns(degrees: Tensor, factors: Tensor) -> Tensor:
    """Make the matrices, `[B, 2, 3]`, that put images on the canvas, turned and scaled about its centre."""
    sine, cosine = torch.deg2rad(degrees).sin(), torch.deg2rad(degrees).cos()
    rows = [torch.stack([cosine, -sine, 0 * sine], 1), torch.stack([sine, cosine, 0 * sine], 1)]
    return torch.stack(rows, 1) * (canvas() / SIZE / factors)[:, None, None]


def _back(made: Tensor, source: Tensor, gradient: Tensor) -> None:
    torch.autograd.grad(made, source, gradient)


def rows(quick: bool) -> list[Row]:
    """Measure all work outside the network, and its two largest parts by themselves.

    Args:
        quick: Whether a rough figure is enough.

    Returns:
        A row for each.
    """
    bare = Bare.made()
    pieces: dict[str, tuple[Work, Work]] = {
        "step": (whole_step(), bare.sum),
        "param": (our_param(bare), bare.param),
        "transforms": (our_transforms(bare), bare.warp),
    }
    works = {f"{name}/{side}": work for name, pair in pieces.items() for side, work in enumerate(pair)}
    variants = {name: timed(work, STEPS, 1) for name, work in works.items()}
    costs = paired(variants, QUICK_ROUNDS if quick else ROUNDS, QUICK_BUDGET if quick else BUDGET)
    found = {name: ratios(costs[f"{name}/0"], costs[f"{name}/1"]) for name in pieces}
    size = f"batch {BATCH}, {SIZE} x {SIZE}"
    return [
        Row(
            "outside/step",
            f"all work outside the network over its bare pieces, {size}",
            f"<= {GOAL}",
            found["step"],
            met=at_most(GOAL, found["step"]),
            note="with sigmoid, normalization, guard and all bookkeeping, which the bare pieces do not have",
        ),
        Row(
            "outside/param", "our param over irfft2 with scale and einsum", "", found["param"], note="with the sigmoid"
        ),
        Row(
            "outside/transforms",
            "our transforms over affine_grid and grid_sample",
            "",
            found["transforms"],
            note="with the draws, and grey outside the images",
        ),
    ]
