"""Reading .obj files: every form of a face, and every kind of bad file."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from lucidtorch.base.errors import BadInputError
from lucidtorch.transforms.meshes import Mesh, read_obj

CORNERS = "v 0 0 0\nv 1 0 0\nv 1 1 0\nv 0 1 0\nvt 0 0\nvt 1 0\nvt 1 1\nvt 0 1\n"
SQUARE = [[0, 0, 0], [1, 0, 0], [1, 1, 0], [0, 1, 0]]


def read(text: str) -> Mesh:
    return read_obj(text.encode(), "it.obj")


def shape(mesh: Mesh) -> list[list[list[float]]]:
    """The positions of the corners of each triangle."""
    found: list[list[list[float]]] = mesh.positions[mesh.faces].tolist()
    return found


def test_ten_vertices_make_four_triangles() -> None:
    """A quadrilateral and two triangles of their own corners: 10 vertices and 12 indices after the fan."""
    positions = "".join(f"v {k} {k * k} {-k}\nvt {k / 10} {1 - k / 10}\n" for k in range(10))
    mesh = read(f"{positions}f 1/1 2/2 3/3 4/4\nf 5/5 6/6 7/7\nf 8/8 9/9 10/10\n")
    assert mesh.positions.shape == (10, 3)
    assert mesh.uvs.shape == (10, 2)
    assert mesh.faces.flatten().tolist() == [0, 1, 2, 0, 2, 3, 4, 5, 6, 7, 8, 9]
    assert mesh.positions[3].tolist() == [3, 9, -3]
    assert mesh.uvs[3].tolist() == [0.3, 0.7]


@pytest.mark.parametrize(
    "face",
    [
        "f 1/1 2/2 3/3 4/4",
        "f 1/1/1 2/2/1 3/3/1 4/4/1",
        "f 1/1/ 2/2/ 3/3/ 4/4/",
        "f -4/-4 -3/-3 -2/-2 -1/-1",
        "f 1/-4 -3/2 3/-2/7 -1/4",
        "f 1/1 2/2 \\\n 3/3 4/4",
        "f 1/1 2/2 3/3 4/4 # the only one",
        "  f\t1/1  2/2\t3/3 4/4  ",
    ],
)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_every_form_of_a_face_is_read(face: str, end: str) -> None:
    mesh = read(
        f"# a square\nmtllib a.mtl\no square\nvn 0 0 1\n{CORNERS}g x\ns 1\nusemtl b\n{face}\n".replace("\n", end)
    )
    assert shape(mesh) == [[SQUARE[0], SQUARE[1], SQUARE[2]], [SQUARE[0], SQUARE[2], SQUARE[3]]]
    assert mesh.uvs.tolist() == [[0, 0], [1, 0], [1, 1], [0, 1]]


def test_negative_indices_count_from_where_they_stand() -> None:
    mesh = read(f"{CORNERS}f -4/-4 -3/-3 -2/-2\nv 9 9 9\nvt 0.5 0.5\nf -1/-1 -2/-2 1/1\n")
    assert shape(mesh)[1] == [[9, 9, 9], SQUARE[3], SQUARE[0]]


def test_a_corner_on_a_seam_is_two_vertices_and_others_are_shared() -> None:
    mesh = read(f"{CORNERS}f 1/1 2/2 3/3\nf 1/1 3/2 4/4\n")
    assert len(mesh.positions) == 5
    assert sorted(mesh.uvs[mesh.positions.eq(torch.tensor([1.0, 1, 0])).all(1)].tolist()) == [[1, 0], [1, 1]]


def test_further_numbers_of_a_line_are_passed_over_and_v_may_be_left_out() -> None:
    mesh = read("v 0 0 0 1 .5 .5 .5\nv 1 0 0 1\nv 0 1 0\nvt .5\nvt 1 1 0\nf 1/1 2/2 3/1\n")
    assert mesh.positions.tolist() == [[0, 0, 0], [1, 0, 0], [0, 1, 0]]
    assert mesh.uvs.tolist() == [[0.5, 0], [1, 1], [0.5, 0]]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "it.obj has no faces"),
        (CORNERS, "it.obj has no faces"),
        ("\x7fELF\x00\x01", "it.obj has no faces"),
        (f"{CORNERS}f 1 2 3", "line 9, 'f 1 2 3': the corner '1' has no texture coordinate: unwrap the mesh"),
        (f"{CORNERS}f 1//1 2//2 3//3", "no texture coordinate: unwrap the mesh"),
        (f"{CORNERS}f 1/1 2/2 3", "the corner '3' has no texture coordinate"),
        (f"{CORNERS}f 1/1 2/2", "needs three corners"),
        (f"{CORNERS}f 1/1 2/2 5/3", "line 9 names position 5, but it has 4"),
        (f"{CORNERS}f 1/1 2/2 3/99", "line 9 names texture coordinate 99, but it has 4"),
        (f"{CORNERS}f 0/1 2/2 3/3", "the index 0 points nowhere"),
        (f"{CORNERS}f 1/1 -5/2 3/3", "the index -5 points nowhere"),
        (f"{CORNERS}f 1/1 x/2 3/3", "line 9"),
        (f"{CORNERS}f 1/1 1.5/2 3/3", "line 9"),
        (f"# \\\n\n{CORNERS}f \\\n 1/1 2/2", "line 11"),
        ("v 0 0\n", "line 1, 'v 0 0': 3 numbers are needed, and 2 are there"),
        ("v 0 0 zero\n", "line 1"),
        ("vt\n", "1 numbers are needed"),
        (f"{CORNERS}v nan 0 0\nf 1/1 2/2 5/3", "position .* is not finite"),
        (f"{CORNERS}v inf 0 0\nf 1/1 2/2 5/3", "position .* is not finite"),
        (f"{CORNERS}v 1e200 0 0\nf 1/1 2/2 5/3", "position of a mesh may be 1e"),
        (f"{CORNERS}vt nan 0\nf 1/1 2/2 3/5", "texture coordinate .* is not finite"),
        (f"{CORNERS}vt 1e9 0\nf 1/1 2/2 3/5", "texture coordinate of a mesh may be 1e"),
    ],
)
def test_bad_files_are_refused_and_the_line_is_named(text: str, words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        read(text)


def test_a_mesh_without_extent_and_one_that_does_not_fit_together_are_refused() -> None:
    point = torch.zeros(3, 3, dtype=torch.float64)
    flat, face = point[:, :2], torch.tensor([[0, 1, 2]])
    with pytest.raises(BadInputError, match="one point"):
        Mesh(point, flat, face).fitted()
    with pytest.raises(BadInputError, match="from 0 to 2"):
        Mesh(point, flat, face + 1)
    with pytest.raises(BadInputError, match=r"\[N, 3\]"):
        Mesh(point, point, face)


coordinates = st.floats(-1e6, 1e6)


@given(
    st.lists(st.tuples(coordinates, coordinates, coordinates), min_size=3, max_size=9),
    st.lists(st.tuples(coordinates, coordinates), min_size=1, max_size=9),
    st.data(),
)
def test_what_is_written_is_read(
    positions: list[tuple[float, float, float]], uvs: list[tuple[float, float]], data: st.DataObject
) -> None:
    corner = st.tuples(st.integers(0, len(positions) - 1), st.integers(0, len(uvs) - 1))
    faces = data.draw(st.lists(st.lists(corner, min_size=3, max_size=6), min_size=1, max_size=5))
    lines = [f"v {x!r} {y!r} {z!r}" for x, y, z in positions] + [f"vt {u!r} {v!r}" for u, v in uvs]
    lines += ["f " + " ".join(f"{one + 1}/{other + 1}" for one, other in face) for face in faces]
    mesh = read("\n".join(lines))
    fans = [(face[0], face[k], face[k + 1]) for face in faces for k in range(1, len(face) - 1)]
    assert shape(mesh) == [[list(positions[one]) for one, _ in fan] for fan in fans]
    assert mesh.uvs[mesh.faces].tolist() == [[list(uvs[other]) for _, other in fan] for fan in fans]


@pytest.mark.parametrize("factor", [1e-3, 1.0, 1e6])
def test_a_fitted_mesh_fills_the_unit_ball_around_the_middle_of_its_box(factor: float) -> None:
    mesh = read(f"{CORNERS}v 0 0 {2}\nf 1/1 2/2 3/3 4/4\nf 1/1 2/2 5/3")
    moved = Mesh(mesh.positions * factor + 5, mesh.uvs, mesh.faces).fitted()
    assert torch.allclose(moved.positions, (mesh.positions - torch.tensor([0.5, 0.5, 1.0])) / 1.5**0.5, atol=1e-6)
    assert float(moved.positions.norm(dim=1).max()) == pytest.approx(1)
    assert moved.faces is mesh.faces
