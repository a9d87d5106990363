"""The transform `textured`: the image is the texture of a mesh, which is rendered with a z-buffer."""

from __future__ import annotations

import copy
import math
from collections.abc import Iterator, Sequence
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
from lucidtorch.base.sizes import PLANE, Size, SizeLike, Views, short_size, size_pair
from lucidtorch.base.surroundings import pinned
from lucidtorch.transforms.meshes.mesh import Mesh, named_mesh
from lucidtorch.transforms.transform import GREY, Transform, uniform

NEAREST = 1.1  # the mesh is inside the unit ball, and the camera outside
NARROWEST, WIDEST = 0.1, 120.0  # degrees; larger angles distort the border
MOST_SAMPLES = 8
SIDES = ((0.0, 0.0), (90.0, 0.0), (180.0, 0.0), (0.0, 60.0))  # front, right, back, and from above
USUAL = {"distance": (10, 12), "elevation": (-90, 90), "azimuth": (-180, 180)}
LIMITS = {"distance": (NEAREST, math.inf), "elevation": (-90.0, 90.0), "azimuth": (-math.inf, math.inf)}
PORTION = 1 << 19  # lines, or pixels, that are rasterized together
CLOSE = 1e-9  # tolerance of barycentric coordinates at an edge: no cracks between adjacent triangles
CLIPS = "textured takes images, not clips or volumes; give the texture two sides, such as image(512)."


@dataclass(frozen=True, repr=False)
class textured(Transform):  # noqa: N801  # a word of the notation
    """Use the image as texture of a mesh, and render the mesh from a random direction.

    The texture is optimized; the network sees one view of the mesh per image and step, with uniform directions within
    the ranges. Without deviation the view is the centre of all ranges: the front. The mesh is centred and scaled to the
    unit ball, which the default views show completely. Both sides of a face are visible, without lighting. A texture
    repeats beyond its sides.

    Formula: texture at the (u, v) of the surface under each pixel, bilinear, v up; `background` outside the mesh.
    Source: Lucid's texture_synth_3d notebook.

    Args:
        mesh: ``sphere``, ``torus``, ``knot``, ``cube``, or the path of a Wavefront file that ends in ``.obj``.
        size: The pixels of the view on each side, or (height, width).
        distance: The smallest and the largest distance of the camera to the centre of the mesh, from 1.1.
        elevation: The smallest and the largest elevation of the camera in degrees, from -90 to 90.
        azimuth: The smallest and the largest azimuth of the camera in degrees, positive to the right.
        angle: The field of view of the shorter side in degrees, from 0.1 to 120.
        background: The value outside of the mesh, in all channels.
        samples: The factor of supersampling per side, up to 8. With 1, fine textures and outlines are aliased.
        views: The number of views of each texture per step.
        references: How reference pictures of objectives are used: ``plain``, resized to the size of the view, or
            ``worn`` by the mesh, from the direction of the image, as in version 0.1.0.
        sha256: The checksum of the file, which identifies the mesh in a text: checked if given, else computed from the
            file. Built-in meshes have none.

    Raises:
        UntrustedError: A file from elsewhere names a file outside of its folder.
        BadInputError: There is no such mesh, or the file cannot be used or has another checksum.

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
        object.__setattr__(self, "size", short_size(canvas))
        for name, (low, high) in LIMITS.items():
            object.__setattr__(self, name, _span(getattr(self, name), name, low, high))
        object.__setattr__(self, "mesh", str(self.mesh) if isinstance(self.mesh, Path) else self.mesh)
        surface, sha256 = named_mesh(self.mesh, self.sha256)
        object.__setattr__(self, "surface", surface.fitted())
        object.__setattr__(self, "sha256", sha256)
        if sha256 is not None:
            object.__setattr__(self, "mesh", file_name(str(self.mesh)))  # no path of anybody's machine in texts

    def sample(self, shape: Sequence[int], generators: Sequence[Generator]) -> Tensor:
        """Draw the deviation of each view from the centre of the ranges: azimuth, elevation, distance, `[B, 3]`."""
        share = uniform(generators, 3)
        (left, right), (near, far) = self.azimuth, self.distance
        low, high = (math.sin(math.radians(one)) for one in self.elevation)
        azimuth = left + (right - left) * share[:, 0]
        elevation = torch.rad2deg((low + (high - low) * share[:, 1]).clamp(-1, 1).asin())  # uniform on the sphere
        distance = near + (far - near) * share[:, 2]
        return torch.stack([azimuth, elevation, distance], 1) - self._middle

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        if images.ndim != 2 + PLANE:
            raise BadInputError(CLIPS)
        size = (self.canvas[0] * self.samples, self.canvas[1] * self.samples)
        maps = []
        for azimuth, elevation, distance in (draws.double().cpu() + self._middle).tolist():
            corners = on_canvas(self.surface.positions, orbit(azimuth, elevation, distance), self.angle, size)
            maps.append(rasterised(corners, self.surface.uvs, self.surface.faces, size))
        uvs, seen = (torch.stack(parts) for parts in zip(*maps, strict=True))
        views = torch.where(seen[:, None].to(images.device), sampled(images, uvs.to(images.device)), self.background)
        return views if self.samples == 1 else F.avg_pool2d(views, self.samples)

    def output_size(self, size: Size) -> Size:
        if len(size) != PLANE:
            raise BadInputError(CLIPS)
        return self.canvas

    def still(self) -> textured:
        """Return the front view, from the mean distance."""
        one = copy.copy(self)  # the constructor would read the file again, which may be missing
        for name, middle in zip(("azimuth", "elevation", "distance"), self._middle.tolist(), strict=True):
            object.__setattr__(one, name, (middle, middle))
        object.__setattr__(one, "views", 1)
        return one

    def for_references(self) -> Transform:
        return self if self.references == "worn" else Scaled(self.canvas)

    @pinned()
    def show(self, texture: Tensor, views: Sequence[tuple[float, float]] = SIDES) -> Tensor:
        """Render a finished texture from given directions.

        Args:
            texture: `[C, H, W]`, or `[1, C, H, W]` as in the `images` of a rendering.
            views: The azimuth and elevation of each view in degrees; by default front, right, back and above.

        Returns:
            `[V, C, h, w]`, from the mean distance.

        Raises:
            BadInputError: There is not one texture, or no view.
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


@dataclass(frozen=True, repr=False)
class Scaled(Transform):
    """Resizes an image to the size of a view; the draws of the view are ignored."""

    canvas: tuple[int, int]

    def apply(self, images: Tensor, draws: Tensor) -> Tensor:
        return resized(images, self.canvas)

    def output_size(self, size: Size) -> Size:
        return self.canvas


def _span(value: object, name: str, low: float, high: float) -> tuple[float, float]:
    """Check a range of numbers, given as a pair."""
    numbers = tuple(value) if isinstance(value, tuple | list) else ()
    for number in numbers:
        check_number(number, f"textured({name}=)", low=low, high=high)
    if len(numbers) != 2 or numbers[0] > numbers[1]:
        raise BadInputError(
            f"textured({name}=) takes a smallest and a largest number, such as {name}={list(USUAL[name])}, "
            f"but {shown(value)} was given."
        )
    return numbers


def look_at(eye: Tensor, target: Tensor, up: Tensor) -> Tensor:
    """Create the view matrix of a camera."""
    back = torch.nn.functional.normalize(eye - target, dim=0)
    right = torch.nn.functional.normalize(torch.linalg.cross(up, back), dim=0)
    turn = torch.stack([right, torch.linalg.cross(back, right), back])
    matrix = torch.eye(4, dtype=eye.dtype)
    matrix[:3, :3] = turn
    matrix[:3, 3] = -turn @ eye
    return matrix


def orbit(azimuth: float, elevation: float, distance: float) -> Tensor:
    """Create the view matrix of a camera that is directed at the origin."""
    around, above = math.radians(azimuth), math.radians(elevation)
    flat, height = math.cos(above), math.sin(above)
    eye = torch.tensor([math.sin(around) * flat, height, math.cos(around) * flat], dtype=torch.float64)
    up = torch.tensor([-math.sin(around) * height, flat, -math.cos(around) * height], dtype=torch.float64)
    return look_at(distance * eye, torch.zeros(3, dtype=torch.float64), up)


def on_canvas(positions: Tensor, viewer: Tensor, field: float, size: Size) -> Tensor:
    """Project points to pixels, in perspective; also return their depth, `[N, 3]`."""
    seen = positions @ viewer[:3, :3].T + viewer[:3, 3]
    height, width = size
    depth = -seen[:, 2]
    pixels = min(size) / 2 / math.tan(math.radians(field) / 2) / depth
    return torch.stack([width / 2 + seen[:, 0] * pixels, height / 2 - seen[:, 1] * pixels, depth], 1)


def rasterised(corners: Tensor, uvs: Tensor, faces: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """Rasterize a mesh: the texture coordinate of each pixel, and whether the mesh covers it.

    Pixels are sampled at their centres, and the nearest triangle is visible, from both sides. The interpolation of
    texture coordinates is perspective-correct.
    """
    triangles = _Triangles.of(corners[faces], uvs[faces])
    nearest = torch.zeros(size[0] * size[1], dtype=torch.float64)
    shown = torch.full_like(nearest, -1, dtype=torch.long)
    for pixels, seen, near in _fragments(triangles, size):
        found = nearest.scatter_reduce(0, pixels, near, "amax")
        ahead = (near == found[pixels]) & (near > nearest[pixels])
        first = torch.full_like(shown, len(faces)).scatter_reduce(0, pixels[ahead], seen[ahead], "amin")
        nearest, shown = found, torch.where(first < len(faces), first, shown)
    pixels = (shown >= 0).nonzero()[:, 0]
    places = torch.zeros(len(shown), 2, dtype=torch.float64)
    places[pixels] = triangles.places(shown[pixels], pixels % size[1], pixels // size[1])
    return places.reshape(*size, 2), (shown >= 0).reshape(size)


@dataclass(frozen=True)
class _Triangles:
    """Triangles with an area on the canvas, with values that are linear on it.

    These are the barycentric coordinates, and u, v and 1 divided by the depth.
    """

    corners: Tensor  # `[T, 3, 2]`, column and row of each corner
    slopes: Tensor  # `[T, 2, 3]`, the derivatives of the barycentric coordinates along columns and rows
    values: Tensor  # `[T, 3, 3]`, the three quotients at each corner

    @classmethod
    def of(cls, corners: Tensor, uvs: Tensor) -> _Triangles:
        one, other = corners[:, 1, :2] - corners[:, 0, :2], corners[:, 2, :2] - corners[:, 0, :2]
        area = one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]
        second = torch.stack([other[:, 1], -other[:, 0]], 1) / area[:, None]
        third = torch.stack([-one[:, 1], one[:, 0]], 1) / area[:, None]
        slopes = torch.stack([-second - third, second, third], 2)
        kept = slopes.isfinite().all(2).all(1)
        values = torch.cat([uvs, torch.ones_like(uvs[:, :, :1])], 2) / corners[:, :, 2:]
        return cls(corners[kept, :, :2], slopes[kept], values[kept])

    def shares(self, own: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Compute barycentric coordinates at the first pixel of rows, and their derivatives along columns, `[L, 3]`."""
        start, slopes = self.corners[:, 0].index_select(0, own), self.slopes.flatten(1).index_select(0, own)
        across, down = slopes[:, :3], slopes[:, 3:]
        shares = (0.5 - start[:, :1]) * across + (rows[:, None] + 0.5 - start[:, 1:]) * down
        shares[:, 0] += 1
        return shares, across

    def places(self, own: Tensor, columns: Tensor, rows: Tensor) -> Tensor:
        """Compute texture coordinates at the centre of one pixel per given triangle, `[P, 2]`."""
        table = torch.cat([self.corners[:, 0], self.values[:, 0], (self.slopes @ self.values).flatten(1)], 1)
        table = table.index_select(0, own)
        right, down = columns[:, None] + 0.5 - table[:, :1], rows[:, None] + 0.5 - table[:, 1:2]
        quotients = table[:, 2:5] + right * table[:, 5:8] + down * table[:, 8:]
        return quotients[:, :2] / quotients[:, 2:]


def _fragments(triangles: _Triangles, size: Size) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Iterate over the pixels of all triangles, in portions: indices of pixels and triangles, and 1 / depth."""
    middles = triangles.corners[:, :, 1] - 0.5
    top, bottom = _whole(middles.amin(1) - CLOSE, middles.amax(1) + CLOSE, size[0])
    for own, rows in _spread(top, bottom):
        shares, across = triangles.shares(own, rows)
        crossings = (-CLOSE - shares) / across
        low = crossings.masked_fill(across <= 0, -torch.inf).amax(1)
        high = crossings.masked_fill(across >= 0, torch.inf).amin(1)
        beside = ((across == 0) & (shares < -CLOSE)).any(1)
        left, right = _whole(low, high.masked_fill(beside, -1.0), size[1])
        near = triangles.values[:, :, 2].index_select(0, own)
        start, grows = (shares * near).sum(1), (across * near).sum(1)
        for line, columns in _spread(left, right):
            yield (rows * size[1])[line] + columns, own[line], start[line] + grows[line] * columns


def _whole(low: Tensor, high: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """Round ranges to the first and last whole number inside them, from 0 to `count - 1`."""
    return low.ceil().clamp(0, count).long(), high.floor().clamp(-1, count - 1).long()


def _spread(first: Tensor, last: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Iterate over the whole numbers of all ranges, in portions, with the index of their range."""
    counts = (last - first + 1).clamp(min=0)
    before = counts.cumsum(0) - counts
    portions = before // PORTION
    for portion in range(int(portions[-1]) + 1 if len(portions) else 0):
        own = ((portions == portion) & (counts > 0)).nonzero()[:, 0]
        ranges = own.repeat_interleave(counts[own])
        offset = int(before[own[0]]) if len(own) else 0
        yield ranges, torch.arange(offset, offset + len(ranges)) - (before - first)[ranges]


def sampled(textures: Tensor, uvs: Tensor) -> Tensor:
    """Sample textures bilinearly with periodic padding, without autocast; gradients go to the textures."""
    height, width = textures.shape[-2:]
    across, down = uvs[..., 0], 1 - uvs[..., 1]
    columns, rows = (across - across.floor()) * width + 0.5, (down - down.floor()) * height + 0.5
    grid = torch.stack([columns * (2 / (width + 1)) - 1, rows * (2 / (height + 1)) - 1], -1)
    with torch.autocast(textures.device.type, enabled=False):
        bordered = F.pad(textures, (1, 1, 1, 1), mode="circular")
        places = grid.to(textures.device, textures.dtype)
        return F.grid_sample(bordered, places, mode="bilinear", padding_mode="border", align_corners=True)
