"""What a mesh is: triangles in space, with a place in the texture for each corner."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor

from lucidtorch.base.errors import BadInputError

MOST_FACES = 1_000_000
FARTHEST = 1e100  # a coordinate beyond it cannot be squared
FARTHEST_UV = 1e6  # beyond it a texture repeats so often that float64 loses the texel


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
