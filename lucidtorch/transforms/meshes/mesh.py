"""Triangle meshes with texture coordinates: built-in ones by name, others from Wavefront .obj files."""

from __future__ import annotations

import hashlib
import itertools
import math
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor

from lucidtorch.base.errors import BadInputError, suggestion
from lucidtorch.base.files import read_bytes
from lucidtorch.base.known_files import recall_file, remember
from lucidtorch.base.shown import shown
from lucidtorch.base.trust import allow, beside, check_read

MOST_FACES = 1_000_000
FARTHEST = 1e100  # the square of a larger coordinate overflows
FARTHEST_UV = 1e6  # with larger texture coordinates, float64 does not resolve texels
SUFFIX = ".obj"
SPACE, FLAT = 3, 2  # the dimensions of a position and of a texture coordinate
Corner = tuple[int, int]  # the indices of the position and of the texture coordinate of a corner, from 0
UNWRAP = (
    "unwrap the mesh and export it with its texture coordinates; Blender, for one, has 'Smart UV Project', and "
    "'UV Coordinates' in its export of .obj files"
)
TUBE = 0.42  # the minor radius of the torus, relative to the major one
ROPE = 0.62  # the radius of the knot's tube; the distance of its curve to the centre is about 3
NO_AREA = 1e-9  # twice the area of a degenerate triangle is smaller
# The UV charts of the cube, left to right and upper row first: the normal, the right and the up direction of each. The
# three of a row are adjacent on the cube too, so that a texture is continuous across their edges.
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
    """A triangle mesh with texture coordinates; its tensors must not be modified.

    A point on a seam of the texture is one vertex per texture coordinate.

    Args:
        positions: `[N, 3]` in float64: x to the right, y up, z towards the viewer of the front.
        uvs: `[N, 2]` in float64: u to the right and v up, from the texture's lower left corner; 1 is its whole side,
            and it repeats beyond.
        faces: `[T, 3]`, the vertices of each triangle.

    Raises:
        BadInputError: There is no face, or there are too many, a face names a missing vertex, a coordinate is not
            finite or too large, or all vertices are at one point.
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
        """Centre the mesh at the origin and scale it to the unit ball."""
        low, high = self.positions.amin(0), self.positions.amax(0)
        centred = self.positions - (low + high) / 2
        radius = centred.norm(dim=1).max()
        if float(radius) <= 0:
            raise BadInputError("All vertices of the mesh lie in one point, so that nothing is visible.")
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
    """A sphere, 64 by 32 cells: u runs around it from the back, and v from the lower pole to the upper.

    At a pole each triangle has a vertex of its own, at the centre of its part of the texture.
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
    """A torus that faces the viewer, 72 by 36 cells: u runs along it and v around its tube; both are periodic."""
    return _tube(lambda t: torch.stack([t.cos(), t.sin(), 0 * t], -1), TUBE, 72, 36)


def knot() -> Mesh:
    """A trefoil knot that faces the viewer, 192 by 24 cells: u runs along it and v around its tube, both periodic."""

    def curve(t: Tensor) -> Tensor:
        return torch.stack([t.sin() + 2 * (2 * t).sin(), t.cos() - 2 * (2 * t).cos(), -(3 * t).sin()], -1)

    return _tube(curve, ROPE, 192, 24)


def cube() -> Mesh:
    """A cube: each side has a third of the texture's width and half of its height.

    The upper row has the left, front and right side; the lower row, rotated by 90 degrees, bottom, back and top.
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
    """Create a tube around a closed curve of a parameter from 0 to 2 pi, whose curvature is never zero."""
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
    """Create the texture coordinates u and v of a grid of cells, each `[high + 1, across + 1]`."""
    u = torch.linspace(0, 1, across + 1, dtype=torch.float64)
    v = torch.linspace(0, 1, high + 1, dtype=torch.float64)
    v, u = torch.meshgrid(v, u, indexing="ij")
    return u, v


def _sheet(positions: Tensor, u: Tensor, v: Tensor) -> Mesh:
    """Create two triangles for each cell of a grid of positions `[h, w, 3]`."""
    index = torch.arange(u.numel()).reshape(u.shape)
    low_left, low_right = index[:-1, :-1].flatten(), index[:-1, 1:].flatten()
    high_left, high_right = index[1:, :-1].flatten(), index[1:, 1:].flatten()
    lower, upper = (low_left, low_right, high_right), (low_left, high_right, high_left)
    faces = torch.stack([torch.stack(lower, 1), torch.stack(upper, 1)], 1).flatten(0, 1)
    return Mesh(positions.flatten(0, 1), torch.stack([u.flatten(), v.flatten()], 1), faces).fitted()


def named_mesh(name: object, sha256: object = None) -> tuple[Mesh, str | None]:
    """Load a mesh by name or path; also return the checksum of its file."""
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
    """Find the file by its path, or where the user opened the file of that checksum before."""
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
    becomes a fan of triangles around its first. Normals, materials, groups, lines and curves are ignored.

    Args:
        content: The bytes of the file.
        name: The name of the file in messages.

    Returns:
        The mesh with the coordinates of the file, and one vertex for each used pair of position and texture coordinate.

    Raises:
        BadInputError: There are no faces, one has no texture coordinates or fewer than three corners, an index is
            out of range, or a number is invalid; the message names the line.
    """
    positions, uvs, faces, used = _parsed(content.decode("latin-1"), name)
    if not faces:
        raise BadInputError(f"{name} has no faces, lines that begin with 'f'; give a Wavefront .obj file of a surface.")
    for (position, uv), number in used.items():
        for index, count, what, keyword in (
            (position, len(positions), "position", "v"),
            (uv, len(uvs), "texture coordinate", "vt"),
        ):
            if index >= count:
                raise BadInputError(
                    f"{name}, line {number} names {what} {index + 1}, but it has {count} ('{keyword}' lines)."
                )
    vertices = {corner: place for place, corner in enumerate(used)}
    corners = torch.tensor(list(vertices))
    places = torch.tensor(positions, dtype=torch.float64)[corners[:, 0]]
    textures = torch.tensor(uvs, dtype=torch.float64)[corners[:, 1]]
    try:
        return Mesh(places, textures, torch.tensor([[vertices[corner] for corner in face] for face in faces]))
    except BadInputError as error:
        raise BadInputError(f"{name}: {error}") from error


def _parsed(
    text: str, name: str
) -> tuple[list[list[float]], list[list[float]], list[tuple[Corner, ...]], dict[Corner, int]]:
    """Parse positions, texture coordinates, triangles, and corners with the line of their first use."""
    positions: list[list[float]] = []
    uvs: list[list[float]] = []
    triangles: list[tuple[Corner, ...]] = []
    used: dict[Corner, int] = {}
    for number, (keyword, *values) in _lines(text):
        try:
            if keyword == "v":
                positions.append(_numbers(values, SPACE, SPACE))
            elif keyword == "vt":
                uvs.append(_numbers(values, 1, FLAT))
            elif keyword == "f":
                if len(values) < SPACE:
                    raise BadInputError("a face needs three corners or more")
                first, *others = (_corner(word, len(positions), len(uvs)) for word in values)
                triangles += [(first, *pair) for pair in itertools.pairwise(others)]
                for corner in (first, *others):
                    used.setdefault(corner, number)
        except (BadInputError, ValueError) as error:
            raise BadInputError(f"{name}, line {number}, '{' '.join([keyword, *values]):.60}': {error}.") from error
    return positions, uvs, triangles, used


def _lines(text: str) -> Iterator[tuple[int, list[str]]]:
    """Split each line into words, without comments; a backslash at the end continues a line."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    number = 1
    for line in text.replace("\\\n", " \0").split("\n"):  # the mark keeps the line numbers of the file
        words = line.partition("#")[0].replace("\0", " ").split()
        if words:
            yield number, words
        number += 1 + line.count("\0")


def _corner(word: str, positions: int, uvs: int) -> Corner:
    """Parse a corner of a face, given the numbers of positions and texture coordinates so far."""
    parts = word.split("/")
    if len(parts) == 1 or not parts[1]:
        raise BadInputError(f"the corner '{word}' has no texture coordinate: {UNWRAP}")
    return _index(parts[0], positions), _index(parts[1], uvs)


def _numbers(words: list[str], needed: int, kept: int) -> list[float]:
    """Parse the numbers of a line; the second texture coordinate is 0 if it is missing."""
    if len(words) < needed:
        raise BadInputError(f"{needed} numbers are needed, and {len(words)} are there")
    return [*(float(word) for word in words[:kept]), *[0.0] * (kept - len(words))]


def _index(word: str, count: int) -> int:
    """Parse an index, from 1, or from -1 backwards from the last so far."""
    index = int(word)
    if index == 0 or index < -count:
        raise BadInputError(f"the index {index} points nowhere: the first is 1, and {-count} after {count} so far")
    return index - 1 if index > 0 else count + index
