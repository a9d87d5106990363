"""The word `textured`: the image is the texture of a mesh, and the network sees the mesh, drawn with a z-buffer."""

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
from lucidtorch.base.sizes import PLANE, Size, SizeLike, Views, size_pair
from lucidtorch.base.surroundings import pinned
from lucidtorch.transforms.meshes.mesh import Mesh, named_mesh
from lucidtorch.transforms.transform import GREY, Transform, uniform

NEAREST = 1.1  # the mesh fills the unit ball, and the viewer stays outside
NARROWEST, WIDEST = 0.1, 120.0  # degrees; beyond, perspective stretches what is near the border
MOST_SAMPLES = 8
SIDES = ((0.0, 0.0), (90.0, 0.0), (180.0, 0.0), (0.0, 60.0))  # front, right, back, and from above
USUAL = {"distance": (10, 12), "elevation": (-90, 90), "azimuth": (-180, 180)}
LIMITS = {"distance": (NEAREST, math.inf), "elevation": (-90.0, 90.0), "azimuth": (-math.inf, math.inf)}
PORTION = 1 << 19  # lines, or pixels, that are rasterized together
CLOSE = 1e-9  # a pixel so near to an edge, as a share of the triangle, is on it: no cracks between neighbours
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
    """Brings an image to the height and width of a view, whatever was drawn for the view."""

    canvas: tuple[int, int]

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


def look_at(eye: Tensor, target: Tensor, up: Tensor) -> Tensor:
    """Make the matrix from space to the viewer's own axes."""
    back = torch.nn.functional.normalize(eye - target, dim=0)
    right = torch.nn.functional.normalize(torch.linalg.cross(up, back), dim=0)
    turn = torch.stack([right, torch.linalg.cross(back, right), back])
    matrix = torch.eye(4, dtype=eye.dtype)
    matrix[:3, :3] = turn
    matrix[:3, 3] = -turn @ eye
    return matrix


def orbit(azimuth: float, elevation: float, distance: float) -> Tensor:
    """Make the matrix of a viewer who looks at the origin."""
    around, above = math.radians(azimuth), math.radians(elevation)
    flat, height = math.cos(above), math.sin(above)
    eye = torch.tensor([math.sin(around) * flat, height, math.cos(around) * flat], dtype=torch.float64)
    up = torch.tensor([-math.sin(around) * height, flat, -math.cos(around) * height], dtype=torch.float64)
    return look_at(distance * eye, torch.zeros(3, dtype=torch.float64), up)


def on_canvas(positions: Tensor, viewer: Tensor, field: float, size: Size) -> Tensor:
    """Find where points appear on a canvas, in perspective."""
    seen = positions @ viewer[:3, :3].T + viewer[:3, 3]
    height, width = size
    depth = -seen[:, 2]
    pixels = min(size) / 2 / math.tan(math.radians(field) / 2) / depth
    return torch.stack([width / 2 + seen[:, 0] * pixels, height / 2 - seen[:, 1] * pixels, depth], 1)


def rasterised(corners: Tensor, uvs: Tensor, faces: Tensor, size: Size) -> tuple[Tensor, Tensor]:
    """Find what each pixel of a canvas shows of a mesh.

    A pixel shows what lies under its middle, and the nearest where triangles overlap; both sides of a triangle are
    seen. Texture coordinates are interpolated in space, not on the canvas.
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
    """Triangles that have an area on the canvas, and what grows evenly over it for each.

    That are the shares of their corners, and u, v and 1 divided by the depth.
    """

    corners: Tensor  # `[T, 3, 2]`, column and row of each corner
    slopes: Tensor  # `[T, 2, 3]`, how much the share of each corner grows with the column and with the row
    values: Tensor  # `[T, 3, 3]`, the three quotients of each corner

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
        """The share of each corner at the first pixel of rows, and how it grows with the column, `[L, 3]`."""
        start, slopes = self.corners[:, 0].index_select(0, own), self.slopes.flatten(1).index_select(0, own)
        across, down = slopes[:, :3], slopes[:, 3:]
        shares = (0.5 - start[:, :1]) * across + (rows[:, None] + 0.5 - start[:, 1:]) * down
        shares[:, 0] += 1
        return shares, across

    def places(self, own: Tensor, columns: Tensor, rows: Tensor) -> Tensor:
        """The place in the texture at the middle of one pixel per triangle named, `[P, 2]`."""
        table = torch.cat([self.corners[:, 0], self.values[:, 0], (self.slopes @ self.values).flatten(1)], 1)
        table = table.index_select(0, own)
        right, down = columns[:, None] + 0.5 - table[:, :1], rows[:, None] + 0.5 - table[:, 1:2]
        quotients = table[:, 2:5] + right * table[:, 5:8] + down * table[:, 8:]
        return quotients[:, :2] / quotients[:, 2:]


def _fragments(triangles: _Triangles, size: Size) -> Iterator[tuple[Tensor, Tensor, Tensor]]:
    """Give the pixels of each triangle, in portions: their places, the triangle's, and how near, one over depth."""
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
    """The first and the last whole number of ranges, among those from 0 to `count`, without it."""
    return low.ceil().clamp(0, count).long(), high.floor().clamp(-1, count - 1).long()


def _spread(first: Tensor, last: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
    """Give each whole number of each range, in portions, with the place of its range."""
    counts = (last - first + 1).clamp(min=0)
    before = counts.cumsum(0) - counts
    portions = before // PORTION
    for portion in range(int(portions[-1]) + 1 if len(portions) else 0):
        own = ((portions == portion) & (counts > 0)).nonzero()[:, 0]
        ranges = own.repeat_interleave(counts[own])
        offset = int(before[own[0]]) if len(own) else 0
        yield ranges, torch.arange(offset, offset + len(ranges)) - (before - first)[ranges]


def sampled(textures: Tensor, uvs: Tensor) -> Tensor:
    """Read textures at places between their texels: bilinear, and repeating beyond their sides.

    The gradient goes to the textures. They are read in their own precision whatever autocast says.
    """
    height, width = textures.shape[-2:]
    across, down = uvs[..., 0], 1 - uvs[..., 1]
    columns, rows = (across - across.floor()) * width + 0.5, (down - down.floor()) * height + 0.5
    grid = torch.stack([columns * (2 / (width + 1)) - 1, rows * (2 / (height + 1)) - 1], -1)
    with torch.autocast(textures.device.type, enabled=False):
        bordered = F.pad(textures, (1, 1, 1, 1), mode="circular")
        places = grid.to(textures.device, textures.dtype)
        return F.grid_sample(bordered, places, mode="bilinear", padding_mode="border", align_corners=True)
