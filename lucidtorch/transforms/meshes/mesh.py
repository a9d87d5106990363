"""Meshes: triangles in space with places in a texture; the package's own by name, others from Wavefront .obj files."""

from __future__ import annotations

import hashlib
import itertools
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

import torch
from torch import Tensor

from lucidtorch.base.errors import BadInputError, suggestion
from lucidtorch.base.files import read_bytes
from lucidtorch.base.known_files import recall_file, remember
from lucidtorch.base.shown import shown
from lucidtorch.base.trust import allow, beside, check_read

MOST_FACES = 1_000_000
FARTHEST = 1e100  # a coordinate beyond it cannot be squared
FARTHEST_UV = 1e6  # beyond it a texture repeats so often that float64 loses the texel
SUFFIX = ".obj"
SPACE, FLAT = 3, 2  # the numbers of a position and of a place in a texture
UNWRAP = (
    "unwrap the mesh and export it with its texture coordinates; Blender, for one, has 'Smart UV Project', and "
    "'UV Coordinates' in its export of .obj files"
)
TUBE = 0.42  # the radius of the torus's tube, as a share of that of the circle it follows
ROPE = 0.62  # the radius of the knot's tube; its curve keeps about 3 from its middle
NO_AREA = 1e-9  # twice the area of a triangle with two corners at a pole, which is none, is less
# The charts of the cube, left to right and upper row first: outwards, to the right and up on the chart. The three of
# a row are neighbours on the cube too, so that a texture runs on across their edges.
CHARTS = (
    ((-1, 0, 0), (0, 0, 1), (0, 1, 0)),
    ((0, 0, 1), (1, 0, 0), (0, 1, 0)),
    ((1, 0, 0), (0, 0, -1), (0, 1, 0)),
    ((0, -1, 0), (0, 0, -1), (1, 0, 0)),
    ((0, 0, -1), (0, 1, 0), (1, 0, 0)),
    ((0, 1, 0), (0, 0, 1), (1, 0, 0)),
)


@dataclass(frozen=True, eq=False)
class Mesh:
    """Triangles, whose corners have a place in space and one in the texture. Nobody may write to its tensors.

    A point of the surface that lies on a seam of the texture is as many vertices as it has places in the texture.

    Args:
        positions: `[N, 3]` in float64: x to the right, y up, z towards the viewer of the front.
        uvs: `[N, 2]` in float64: u to the right and v up, from the texture's lower left corner; 1 is its whole side,
            and it repeats beyond.
        faces: `[T, 3]`, which vertices are the corners of each triangle.

    Raises:
        BadInputError: There is no face, or there are too many, a face names a vertex that is not there, a coordinate is
            not finite or too large, or all vertices lie in one point.
    """

    positions: Tensor
    uvs: Tensor
    faces: Tensor

    def __post_init__(self) -> None:
        if len(self.faces) == 0:
            raise BadInputError("A mesh needs at least one face, and this one has none.")
        if len(self.faces) > MOST_FACES:
            raise BadInputError(
                f"A mesh may have {MOST_FACES} triangles, but this one has {len(self.faces)}; simplify it first."
            )
        shapes = [tuple(one.shape) for one in (self.positions, self.uvs, self.faces)]
        if shapes != [(len(self.positions), 3), (len(self.positions), 2), (len(self.faces), 3)]:
            raise BadInputError(f"A mesh takes [N, 3] positions, [N, 2] uvs and [T, 3] faces, not {shapes}.")
        if int(self.faces.min()) < 0 or int(self.faces.max()) >= len(self.positions):
            raise BadInputError(
                f"The faces of a mesh name vertices from 0 to {len(self.positions) - 1}, and no others."
            )
        _check_coordinates(self.positions, FARTHEST, "position")
        _check_coordinates(self.uvs, FARTHEST_UV, "texture coordinate")

    def fitted(self) -> Mesh:
        """Move the mesh to the origin and scale it to the unit ball."""
        low, high = self.positions.amin(0), self.positions.amax(0)
        centred = self.positions - (low + high) / 2
        radius = centred.norm(dim=1).max()
        if float(radius) <= 0:
            raise BadInputError("All vertices of the mesh lie in one point, so that there is nothing to see.")
        return Mesh(centred / radius, self.uvs, self.faces)


def _check_coordinates(values: Tensor, most: float, what: str) -> None:
    finite = values.isfinite()
    if not bool(finite.all()):
        place = int((~finite).any(1).nonzero()[0])
        raise BadInputError(f"The {what} {values[place].tolist()} of a mesh is not finite.")
    largest = float(values.abs().max())
    if largest > most:
        raise BadInputError(f"A {what} of a mesh may be {most:g} at most, but there is one of {largest:g}.")


def sphere() -> Mesh:
    """A ball, 64 by 32: u runs around it from the back, and v from the lower pole to the upper.

    At a pole each triangle has its own tip, in the middle of its part of the texture.
    """
    across, high = 64, 32
    u, v = _grid(across, high)
    around, above = (u - 0.5) * 2 * math.pi, (v - 0.5) * math.pi
    positions = torch.stack([around.sin() * above.cos(), above.sin(), around.cos() * above.cos()], -1)
    tips = torch.zeros_like(u)
    tips[0], tips[-1] = 0.5 / across, -0.5 / across
    whole = _sheet(positions, u + tips, v)
    a, b, c = whole.positions[whole.faces].unbind(1)
    kept = torch.linalg.cross(b - a, c - a).norm(dim=1) > NO_AREA
    return Mesh(whole.positions, whole.uvs, whole.faces[kept])


def torus() -> Mesh:
    """A ring that faces the viewer, 72 by 36: u runs along it and v around its tube; both close."""
    return _tube(lambda t: torch.stack([t.cos(), t.sin(), 0 * t], -1), TUBE, 72, 36)


def knot() -> Mesh:
    """A trefoil knot that faces the viewer, 192 by 24: u runs along it and v around its tube; both close."""

    def curve(t: Tensor) -> Tensor:
        return torch.stack([t.sin() + 2 * (2 * t).sin(), t.cos() - 2 * (2 * t).cos(), -(3 * t).sin()], -1)

    return _tube(curve, ROPE, 192, 24)


def cube() -> Mesh:
    """A cube: each side has a third of the texture's width and half of its height.

    Above are its left, front and right; below, turned by a quarter, are its bottom, back and top.
    """
    positions, uvs, faces = [], [], []
    for place, chart in enumerate(CHARTS):
        outwards, right, up = (torch.tensor(axis, dtype=torch.float64) for axis in chart)
        column, row = place % 3, place // 3
        for across, high in ((0, 0), (1, 0), (1, 1), (0, 1)):
            positions.append(outwards + (2 * across - 1) * right + (2 * high - 1) * up)
            uvs.append([(column + across) / 3, (1 - row + high) / 2])
        faces += [[4 * place + corner for corner in corners] for corners in ((0, 1, 2), (0, 2, 3))]
    return Mesh(torch.stack(positions), torch.tensor(uvs, dtype=torch.float64), torch.tensor(faces)).fitted()


SHAPES: Mapping[str, Callable[[], Mesh]] = {made.__name__: made for made in (cube, knot, sphere, torus)}


def _tube(curve: Callable[[Tensor], Tensor], radius: float, along: int, around: int) -> Mesh:
    """A tube around a closed curve of a parameter from 0 to 2 pi, which never goes straight on."""
    u, v = _grid(along, around)
    t, turn = u * 2 * math.pi, v[..., None] * 2 * math.pi
    step = 1e-4
    behind, here, ahead = curve(t - step), curve(t), curve(t + step)
    forward = torch.nn.functional.normalize(ahead - behind, dim=-1)
    bend = ahead + behind - 2 * here
    inwards = torch.nn.functional.normalize(bend - (bend * forward).sum(-1, keepdim=True) * forward, dim=-1)
    sideways = torch.linalg.cross(forward, inwards)
    return _sheet(here + radius * (turn.sin() * sideways - turn.cos() * inwards), u, v)


def _grid(across: int, high: int) -> tuple[Tensor, Tensor]:
    """The places of a grid of cells in a texture, each `[high + 1, across + 1]`."""
    u = torch.linspace(0, 1, across + 1, dtype=torch.float64)
    v = torch.linspace(0, 1, high + 1, dtype=torch.float64)
    v, u = torch.meshgrid(v, u, indexing="ij")
    return u, v


def _sheet(positions: Tensor, u: Tensor, v: Tensor) -> Mesh:
    """Span two triangles over each cell of a grid of positions `[h, w, 3]`."""
    index = torch.arange(u.numel()).reshape(u.shape)
    low_left, low_right = index[:-1, :-1].flatten(), index[:-1, 1:].flatten()
    high_left, high_right = index[1:, :-1].flatten(), index[1:, 1:].flatten()
    lower, upper = (low_left, low_right, high_right), (low_left, high_right, high_left)
    faces = torch.stack([torch.stack(lower, 1), torch.stack(upper, 1)], 1).flatten(0, 1)
    return Mesh(positions.flatten(0, 1), torch.stack([u.flatten(), v.flatten()], 1), faces).fitted()


def named_mesh(name: object, sha256: object = None) -> tuple[Mesh, str | None]:
    """Find the mesh that a text names, and the checksum of its file."""
    if isinstance(name, str) and name in SHAPES:
        if sha256 is not None:
            raise BadInputError(
                f"sha256= is the checksum of a file, and {name!r} comes with the package; leave it out."
            )
        return SHAPES[name](), None
    if not isinstance(name, str) or not name.lower().endswith(SUFFIX):
        hint = suggestion(name, SHAPES) if isinstance(name, str) else ""
        message = f"A mesh is one of {', '.join(SHAPES)}, or the path of an {SUFFIX} file, but {shown(name)} was given."
        raise BadInputError(f"{message} {hint}".rstrip())
    path = _found(name, sha256)
    content = _content(path, name)
    found = hashlib.sha256(content).hexdigest()
    if sha256 not in (None, found):
        raise BadInputError(f"The mesh {name} has changed: its sha256 is {found}, and {sha256!r:.80} was expected.")
    remember(found, str(path.resolve()))
    return read_obj(content, name), found


def _found(name: str, sha256: object) -> Path:
    """Find the file: as it is named, or where the user named the file of that checksum before."""
    path, known = beside(name), recall_file(sha256 if isinstance(sha256, str) else None)
    if known is not None and not os.path.isfile(path):  # a NUL in the name is no error here
        allow(known)
        return known
    return path


def _content(path: Path, name: str) -> bytes:
    check_read(path)
    try:
        return read_bytes(path)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise BadInputError(
            f"The mesh {name!r} cannot be read: {reason}. Name an {SUFFIX} file, or one of {', '.join(SHAPES)}."
        ) from error


def read_obj(content: bytes, name: str = "The .obj file") -> Mesh:
    """Read a mesh from the content of a Wavefront .obj file.

    Positions, texture coordinates and faces are read, in all forms of their indices; a face of more than three corners
    becomes a fan of triangles around its first. Normals, materials, groups, lines and curves are passed over.

    Args:
        content: The bytes of the file.
        name: What the file is called in messages.

    Returns:
        The mesh as it stands in the file, one vertex for each pair of position and texture coordinate that is used.

    Raises:
        BadInputError: There are no faces, one has no texture coordinates or fewer than three corners, an index points
            nowhere, or a number cannot be read or does not fit; the message names the line.
    """
    reading = _Reading(name)
    for number, words in _lines(content.decode("latin-1")):
        reading.line(number, words)
    return reading.mesh()


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Give the words of each line without its comment, lines that end in a backslash joined to the next."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    number = 1
    for line in text.replace("\\\n", " \0").split("\n"):  # the mark keeps count of the file's own lines
        words = line.partition("#")[0].replace("\0", " ").split()
        if words:
            yield number, words
        number += 1 + line.count("\0")


@dataclass
class _Reading:
    """What was read of one file so far."""

    name: str
    positions: list[list[float]] = field(default_factory=list)
    uvs: list[list[float]] = field(default_factory=list)
    vertices: dict[tuple[int, int], int] = field(default_factory=dict)  # by position and texture coordinate, from 0
    lines: list[int] = field(default_factory=list)  # where each vertex is used first
    faces: list[tuple[int, int, int]] = field(default_factory=list)

    def line(self, number: int, words: list[str]) -> None:
        keyword, values = words[0], words[1:]
        try:
            if keyword == "v":
                self.positions.append(_numbers(values, SPACE, SPACE))
            elif keyword == "vt":
                self.uvs.append(_numbers(values, 1, FLAT))
            elif keyword == "f":
                self._face(number, values)
        except (BadInputError, ValueError) as error:
            raise BadInputError(f"{self.name}, line {number}, '{' '.join(words):.60}': {error}.") from error

    def mesh(self) -> Mesh:
        """Put the mesh together, once every line was read."""
        if not self.faces:
            raise BadInputError(
                f"{self.name} has no faces, lines that begin with 'f'; give a Wavefront .obj file of a surface."
            )
        for (position, uv), number in zip(self.vertices, self.lines, strict=True):
            self._check(position, len(self.positions), f"line {number} names position", "v")
            self._check(uv, len(self.uvs), f"line {number} names texture coordinate", "vt")
        corners = torch.tensor(list(self.vertices))
        positions = torch.tensor(self.positions, dtype=torch.float64)[corners[:, 0]]
        uvs = torch.tensor(self.uvs, dtype=torch.float64)[corners[:, 1]]
        try:
            return Mesh(positions, uvs, torch.tensor(self.faces))
        except BadInputError as error:
            raise BadInputError(f"{self.name}: {error}") from error

    def _check(self, index: int, count: int, what: str, keyword: str) -> None:
        if not 0 <= index < count:
            raise BadInputError(f"{self.name}, {what} {index + 1}, but it has {count} ('{keyword}' lines).")

    def _face(self, number: int, words: list[str]) -> None:
        if len(words) < SPACE:
            raise BadInputError("a face needs three corners or more")
        corners = [self._vertex(number, word) for word in words]
        self.faces += [(corners[0], *pair) for pair in itertools.pairwise(corners[1:])]

    def _vertex(self, number: int, word: str) -> int:
        parts = word.split("/")
        if len(parts) == 1 or not parts[1]:
            raise BadInputError(f"the corner '{word}' has no texture coordinate: {UNWRAP}")
        corner = _index(parts[0], len(self.positions)), _index(parts[1], len(self.uvs))
        if corner not in self.vertices:
            self.vertices[corner] = len(self.vertices)
            self.lines.append(number)
        return self.vertices[corner]


def _numbers(words: list[str], needed: int, kept: int) -> list[float]:
    """Read the numbers of a line; of texture coordinates, the second is 0 where it is left out."""
    if len(words) < needed:
        raise BadInputError(f"{needed} numbers are needed, and {len(words)} are there")
    return [*(float(word) for word in words[:kept]), *[0.0] * (kept - len(words))]


def _index(word: str, count: int) -> int:
    """Read an index, from 1 or, counted back from the last so far, from -1."""
    index = int(word)
    if index == 0 or index < -count:
        raise BadInputError(f"the index {index} points nowhere: the first is 1, and {-count} after {count} so far")
    return index - 1 if index > 0 else count + index
