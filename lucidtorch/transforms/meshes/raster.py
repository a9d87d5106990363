"""Which triangle each pixel of a canvas shows, and which place of the texture: a z-buffer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from lucidtorch.base.sizes import Size

PORTION = 1 << 19  # lines, or pixels, that are looked at together
CLOSE = 1e-9  # a pixel so near to an edge, as a share of the triangle, is on it: no cracks between neighbours


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
