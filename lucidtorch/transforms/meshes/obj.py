"""Wavefront .obj files: reading a mesh and its texture coordinates."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from lucidtorch.base.errors import BadInputError
from lucidtorch.transforms.meshes.mesh import Mesh

SPACE, FLAT = 3, 2  # the numbers of a position and of a place in a texture
UNWRAP = (
    "unwrap the mesh and export it with its texture coordinates; Blender, for one, has 'Smart UV Project', and "
    "'UV Coordinates' in its export of .obj files"
)

Corner = tuple[int, int]  # the position and the texture coordinate of a corner, both counted from 0


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
    vertices: dict[Corner, int] = field(default_factory=dict)
    lines: list[int] = field(default_factory=list)  # where each vertex is used first
    faces: list[tuple[int, int, int]] = field(default_factory=list)

    def line(self, number: int, words: list[str]) -> None:
        """Take in one line of the file."""
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
