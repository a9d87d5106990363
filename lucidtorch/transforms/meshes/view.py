"""The word `textured`: what the network sees is a mesh, and the image is what the mesh wears."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated, Literal

import torch
import torch.nn.functional as F
from torch import Generator, Tensor

from lucidtorch.base.checks import Within, check_number
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.images import resized
from lucidtorch.base.known_files import file_name
from lucidtorch.base.shown import shown
from lucidtorch.base.sizes import PLANE, Size, SizeLike, Views, size_pair
from lucidtorch.base.surroundings import pinned
from lucidtorch.transforms.meshes.camera import on_canvas, orbit
from lucidtorch.transforms.meshes.mesh import Mesh
from lucidtorch.transforms.meshes.raster import rasterised
from lucidtorch.transforms.meshes.sampling import sampled
from lucidtorch.transforms.meshes.source import named_mesh
from lucidtorch.transforms.numbers import uniform
from lucidtorch.transforms.transform import GREY, Transform

NEAREST = 1.1  # the mesh fills the unit ball, and the viewer stays outside
NARROWEST, WIDEST = 0.1, 120.0  # degrees; beyond, perspective stretches what is near the border
MOST_SAMPLES = 8
SIDES = ((0.0, 0.0), (90.0, 0.0), (180.0, 0.0), (0.0, 60.0))  # front, right, back, and from above
USUAL = {"distance": (10, 12), "elevation": (-90, 90), "azimuth": (-180, 180)}
LIMITS = {"distance": (NEAREST, math.inf), "elevation": (-90.0, 90.0), "azimuth": (-math.inf, math.inf)}
CLIPS = "textured takes images, not clips or volumes; give the texture two sides, such as image(512)."


@dataclass(frozen=True, repr=False)
class textured(Transform):  # noqa: N801  # a word of the notation
    """Put the image on a mesh as its texture, and look at it from a random side.

    The texture is what is optimized; the network sees one view of the mesh per image and step, each direction within
    the ranges equally likely. Without deviation the view is the middle of all ranges: the front. The mesh is centred
    and scaled to the unit ball, of which the default views always show all. Both sides of a face are seen, and nothing
    is lit. A texture repeats beyond its sides.

    Formula: texture at the (u, v) of the surface under each pixel, bilinear, v up; `background` beside the mesh.
    Source: Lucid's texture_synth_3d notebook.

    Args:
        mesh: ``sphere``, ``torus``, ``knot``, ``cube``, or the path of a Wavefront file that ends in ``.obj``.
        size: The pixels of the view on each side, or (height, width).
        distance: How far the viewer is from the middle of the mesh, from a smallest to a largest number from 1.1.
        elevation: How high he stands, from a smallest to a largest angle in degrees from -90 to 90.
        azimuth: How far around to the right he stands, from a smallest to a largest angle in degrees.
        angle: The angle in degrees that the shorter side of the view spans, from 0.1 to 120.
        background: The value of what is beside the mesh, in all channels.
        samples: How many times as many pixels per side are drawn and averaged, up to 8. With 1, what is finer than the
            view's pixels, of the texture and of the outline, is aliased.
        views: How many views of each texture one step looks at.
        references: How pictures that an objective compares with are seen: ``plain``, brought to the size of the view,
            or ``worn`` by the mesh, from the side from which the image is seen, as in version 0.1.0.
        sha256: The checksum of the file, so that a text says which mesh it was: checked when given, filled in from the
            file otherwise. The package's own meshes have none.

    Raises:
        UntrustedError: A file from elsewhere names a file outside of its folder.
        BadInputError: There is no such mesh, the file cannot be used or has another checksum, or a number does not fit.

    Example:
        >>> textured("torus", 128).output_size((512, 512))
        (128, 128)
    """

    mesh: str | Path
    size: SizeLike
    distance: tuple[float, float] = USUAL["distance"]
    elevation: tuple[float, float] = USUAL["elevation"]
    azimuth: tuple[float, float] = USUAL["azimuth"]
    angle: Annotated[float, Within(NARROWEST, WIDEST)] = 12
    background: float = GREY
    samples: Annotated[int, Within(1, MOST_SAMPLES)] = 2
    views: Views = 1
    sha256: str | None = None
    references: Literal["plain", "worn"] = field(default="plain", kw_only=True)
    surface: Mesh = field(init=False, compare=False)
    canvas: tuple[int, int] = field(init=False, compare=False)

    @pinned()
    def __post_init__(self) -> None:
        super().__post_init__()
        canvas = size_pair(self.size)
        object.__setattr__(self, "canvas", canvas)
        object.__setattr__(self, "size", canvas[0] if canvas[0] == canvas[1] else canvas)
        for name, (low, high) in LIMITS.items():
            object.__setattr__(self, name, _span(getattr(self, name), name, low, high))
        object.__setattr__(self, "mesh", str(self.mesh) if isinstance(self.mesh, Path) else self.mesh)
        surface, sha256 = named_mesh(self.mesh, self.sha256)
        object.__setattr__(self, "surface", surface.fitted())
        object.__setattr__(self, "sha256", sha256)
        if sha256 is not None:
            object.__setattr__(self, "mesh", file_name(str(self.mesh)))  # no path of anybody's machine in texts

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        """Draw how far each view is from the middle of the ranges: azimuth, elevation, distance, `[B, 3]`."""
        share = uniform(generators, 3)
        around, far = (_between(span, share[:, at]) for span, at in ((self.azimuth, 0), (self.distance, 2)))
        low, high = (math.sin(math.radians(one)) for one in self.elevation)
        above = torch.rad2deg((low + (high - low) * share[:, 1]).clamp(-1, 1).asin())  # even over a ball's area
        return torch.stack([around, above, far], 1) - self._middle

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        if images.ndim != 2 + PLANE:
            raise BadInputError(CLIPS)
        size = (self.canvas[0] * self.samples, self.canvas[1] * self.samples)
        maps = [self._drawn(*view, size=size) for view in (draws.double().cpu() + self._middle).tolist()]
        uvs, seen = (torch.stack(parts) for parts in zip(*maps, strict=True))
        views = torch.where(seen[:, None].to(images.device), sampled(images, uvs.to(images.device)), self.background)
        return views if self.samples == 1 else F.avg_pool2d(views, self.samples)

    def output_size(self, size: Size) -> Size:
        if len(size) != PLANE:
            raise BadInputError(CLIPS)
        return self.canvas

    def still(self) -> textured:
        """Give the front view, from the middle of the distances."""
        one = copy.copy(self)  # made anew, it would read the file again, which may be gone
        around, above, far = self._middle.tolist()
        middle = {"azimuth": (around, around), "elevation": (above, above), "distance": (far, far), "views": 1}
        for name, value in middle.items():
            object.__setattr__(one, name, value)
        return one

    def for_references(self) -> Transform:
        return self if self.references == "worn" else Scaled(self.canvas)

    @pinned()
    def show(self, texture: Tensor, views: Sequence[tuple[float, float]] = SIDES) -> Tensor:
        """Look at a finished texture from chosen sides.

        Args:
            texture: `[C, H, W]`, or `[1, C, H, W]` as in the `images` of a rendering.
            views: The azimuth and elevation of each view in degrees; front, right, back and from above by default.

        Returns:
            `[V, C, h, w]`, from the middle of the distances.

        Raises:
            BadInputError: It is not one texture, or no view is named.
        """
        images = texture[None] if texture.ndim == 1 + PLANE else texture
        if images.ndim != 2 + PLANE or len(images) != 1:
            raise BadInputError(f"show takes one texture [C, H, W], not {list(texture.shape)}; show one at a time.")
        if len(views) == 0 or any(len(view) != 2 for view in views):
            raise BadInputError(f"show takes views as pairs of azimuth and elevation, not {shown(views)}.")
        angles = torch.tensor([[*map(float, view), self._middle[2]] for view in views], dtype=torch.float64)
        return self.apply(images.expand(len(angles), -1, -1, -1), angles - self._middle)

    @property
    def _middle(self) -> Tensor:
        """The azimuth, elevation and distance without deviation."""
        ranges = torch.tensor([self.azimuth, self.elevation, self.distance], dtype=torch.float64)
        return ranges.mean(1)

    def _drawn(self, azimuth: float, elevation: float, distance: float, *, size: Size) -> tuple[Tensor, Tensor]:
        surface = self.surface
        corners = on_canvas(surface.positions, orbit(azimuth, elevation, distance), self.angle, size)
        return rasterised(corners, surface.uvs, surface.faces, size)


@dataclass(frozen=True, repr=False)
class Scaled(Transform):
    """Brings a picture to the size of a view, whatever was drawn for the view.

    Args:
        canvas: The height and width of the view.
    """

    canvas: tuple[int, int]

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        return torch.zeros(len(generators), 0, dtype=torch.float64)

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        return resized(images, self.canvas)

    def output_size(self, size: Size) -> Size:
        return self.canvas


def _between(span: tuple[float, float], share: Tensor) -> Tensor:
    return span[0] + (span[1] - span[0]) * share


def _span(value: object, name: str, low: float, high: float) -> tuple[float, float]:
    """Check a range of numbers, given as any pair."""
    numbers = tuple(value) if isinstance(value, tuple | list) else ()
    for number in numbers:
        check_number(number, f"textured({name}=)", low=low, high=high)
    if len(numbers) != 2 or numbers[0] > numbers[1]:
        raise BadInputError(
            f"textured({name}=) takes a smallest and a largest number, such as {name}={list(USUAL[name])}, "
            f"but {shown(value)} was given."
        )
    return numbers
