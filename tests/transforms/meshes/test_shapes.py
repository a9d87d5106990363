"""The package's own meshes: closed, facing outwards, and all of the texture is on them."""

from __future__ import annotations

from collections import Counter

import pytest
import torch

from lucidtorch.base.errors import BadInputError
from lucidtorch.transforms.meshes import Mesh
from lucidtorch.transforms.meshes.mesh import SHAPES, named_mesh

each_shape = pytest.mark.parametrize("mesh", [made() for made in SHAPES.values()], ids=list(SHAPES))
POLES = 1 / 32  # of the texture of the sphere: the triangles at its poles are half as many as the others


def areas(mesh: Mesh) -> torch.Tensor:
    """The area of each triangle in the texture, positive where its corners turn left."""
    a, b, c = mesh.uvs[mesh.faces].unbind(1)
    one, other = b - a, c - a
    return (one[:, 0] * other[:, 1] - one[:, 1] * other[:, 0]) / 2


@each_shape
def test_it_fills_the_unit_ball(mesh: Mesh) -> None:
    low, high = mesh.positions.amin(0), mesh.positions.amax(0)
    assert torch.allclose(low, -high, atol=1e-9)
    assert float(mesh.positions.norm(dim=1).max()) == pytest.approx(1)


@each_shape
def test_its_faces_turn_left_seen_from_outside_and_so_does_the_texture(mesh: Mesh) -> None:
    """So a texture is nowhere seen as in a mirror."""
    a, b, c = mesh.positions[mesh.faces].unbind(1)
    volume = (a * torch.linalg.cross(b, c)).sum() / 6
    assert 0.3 < float(volume) < 4.2
    assert (areas(mesh) > 0).all()


@pytest.mark.parametrize(("name", "worn"), [("cube", 1), ("knot", 1), ("sphere", 1 - POLES), ("torus", 1)])
def test_it_wears_all_of_the_texture_once(name: str, worn: float) -> None:
    mesh = SHAPES[name]()
    assert float(areas(mesh).sum()) == pytest.approx(worn)
    uvs = mesh.uvs[mesh.faces]
    assert uvs.flatten(0, 1).amin(0).tolist() == [0, 0]
    assert uvs.flatten(0, 1).amax(0).tolist() == [1, 1]


@each_shape
def test_it_is_closed(mesh: Mesh) -> None:
    """Every edge, by where its ends are, is that of two triangles, once in each direction."""
    points = [tuple(round(x, 6) + 0.0 for x in place) for place in mesh.positions.tolist()]
    sides = Counter((points[face[k]], points[face[k - 2]]) for face in mesh.faces.tolist() for k in range(3))
    assert set(sides.values()) == {1}
    assert all((end, start) in sides for start, end in sides)


@each_shape
def test_the_texture_runs_on_across_its_sides(mesh: Mesh) -> None:
    """Where the texture's left meets its right the surface meets itself; the cube's charts are apart there."""
    if len(mesh.faces) == 12:
        pytest.skip("a cube is of six charts")
    left, right = (mesh.positions[mesh.uvs[:, 0] == side] for side in (0, 1))
    assert torch.allclose(left, right, atol=1e-9)


@pytest.mark.parametrize("name", ["ball", "", "Torus", 3, None, "bunny.stl"])
def test_a_name_that_is_no_mesh_is_refused_with_those_that_are(name: object) -> None:
    with pytest.raises(BadInputError, match=r"cube, knot, sphere, torus, or the path of an \.obj file"):
        named_mesh(name)
    with pytest.raises(BadInputError, match="Did you mean 'torus'"):
        named_mesh("tora")
