"""The word `textured`: how it prints, what it refuses, and where it looks from."""

from __future__ import annotations

import copy
import hashlib
import pickle
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from transforms.meshes.rays import naive_view

from lucidtorch.base.errors import BadInputError
from lucidtorch.base.parsing import Vocabulary, parse_text
from lucidtorch.base.seeds import generators
from lucidtorch.transforms.meshes import read_obj, textured

PYRAMID = b"""
v -1 0 -1
v 1 0 -1
v 1 0 1
v -1 0 1
v 0 1.2 0
vt 0 0
vt 1 0
vt 0.5 1
f 4/1 3/2 5/3
f 3/1 2/2 5/3
f 2/1 1/2 5/3
f 1/1 4/2 5/3
f 1/1 2/2 3/3 4/3
"""
SHA256 = hashlib.sha256(PYRAMID).hexdigest()
VOCABULARY = Vocabulary(what="transforms", names={"textured": textured}, operators=frozenset("|"))


@pytest.fixture
def pyramid(tmp_path: Path) -> Path:
    path = tmp_path / "pyramid.obj"
    path.write_bytes(PYRAMID)
    return path


def test_its_text_says_which_file_it_was(pyramid: Path) -> None:
    for one in (textured(str(pyramid), 32), textured(pyramid, (32, 32), sha256=SHA256)):
        assert repr(one) == f"textured('{pyramid.name}', 32, sha256='{SHA256}')"
        again = parse_text(repr(one), VOCABULARY)
        assert again == one
        assert hash(again) == hash(one)


def test_a_file_that_changed_is_refused_where_the_text_says_what_it_was(pyramid: Path) -> None:
    before = repr(textured(pyramid, 32))
    pyramid.write_bytes(PYRAMID + b"# new\n")
    with pytest.raises(BadInputError, match=f"has changed: its sha256 is .*{SHA256}"):
        parse_text(before, VOCABULARY)
    assert textured(pyramid, 32) != textured("torus", 32)


def test_it_keeps_its_mesh_when_the_file_is_gone(pyramid: Path) -> None:
    view = textured(pyramid, 16)
    packed = pickle.dumps(view)
    pyramid.unlink()
    texture = torch.rand(3, 8, 8)
    for again in (pickle.loads(packed), copy.deepcopy(view)):
        assert again == view
        assert torch.equal(again.show(texture), view.show(texture))
    with pytest.raises(BadInputError, match="cannot be read: No such file"):
        textured(pyramid, 16)


def test_a_mesh_from_a_file_is_seen_as_rays_see_it(pyramid: Path) -> None:
    view = textured(pyramid, (9, 11), angle=14, background=0.1)
    texture = torch.tensor(np.random.default_rng(1).uniform(size=(2, 5, 6)))
    sides = [(0.0, 0.0), (33.0, 41.0), (180.0, -70.0)]
    found = view.show(texture, sides)
    mesh = read_obj(PYRAMID).fitted()
    for place, (azimuth, elevation) in enumerate(sides):
        expected = naive_view(mesh, texture.numpy(), (azimuth, elevation, 11.0), (9, 11), 14, 0.1, samples=2)
        np.testing.assert_allclose(found[place].numpy(), expected, atol=1e-9)


def test_without_deviation_it_is_the_front() -> None:
    view = textured("sphere", 24)
    textures = torch.rand(2, 3, 10, 12)
    front = view.apply(textures, torch.zeros(2, 3))
    assert torch.equal(front[:1], view.show(textures[0], [(0, 0)]))
    assert torch.equal(front[1:], view.show(textures[1:], [(0, 0)]))


def test_all_directions_are_equally_likely_and_within_the_ranges() -> None:
    view = textured("cube", 8)
    drawn = view.sample((4000, 3, 8, 8), generators(range(4000), "views"))
    around, above, far = torch.deg2rad(drawn[:, 0]), torch.deg2rad(drawn[:, 1]), drawn[:, 2]
    ways = torch.stack([around.sin() * above.cos(), above.sin(), around.cos() * above.cos()], 1)
    assert float(ways.mean(0).abs().max()) < 0.05
    assert torch.allclose(ways.T @ ways / 4000, torch.eye(3).double() / 3, atol=0.03)
    assert (far.abs() <= 1).all()
    some = textured("cube", 8, elevation=[10, 50], azimuth=[0, 20], distance=[3, 5])
    own = some.sample((500, 3, 8, 8), generators(range(500), "views"))
    for column, reach in enumerate((10, 20, 1)):
        assert (own[:, column].abs() <= reach).all()
        assert float(own[:, column].min()) < -0.9 * reach
        assert float(own[:, column].max()) > 0.9 * reach


def test_the_background_is_exact_and_samples_smooth_the_outline() -> None:
    textures = torch.ones(1, 2, 4, 4)
    plain, smooth = (textured("torus", 40, samples=n, background=0.25).show(textures) for n in (1, 4))
    assert ((plain == 0.25) | (plain > 0.999)).all()
    assert len(smooth.unique()) > 4
    assert (plain[:, :, 0] == 0.25).all()
    assert float((plain - smooth).mean().abs()) < 0.01


def test_random_views_reach_all_of_the_texture() -> None:
    textures = torch.rand(12, 1, 24, 24, requires_grad=True)
    view = textured("torus", 64)
    seen = view.apply(textures, view.sample(textures.shape, generators(range(12), "views")))
    (gradient,) = torch.autograd.grad(seen.square().sum(), textures)
    assert (gradient.sum(0) > 0).all()


@pytest.mark.parametrize(
    ("make", "words"),
    [
        (lambda: textured("tore", 32), "Did you mean 'torus'"),
        (lambda: textured("missing.obj", 32), "cannot be read: No such file"),
        (lambda: textured("a\0b.obj", 32), "takes a path"),
        (lambda: textured("torus", 32, sha256="00"), "leave it out"),
        (lambda: textured("torus", 0), "from 1 to 8192 pixels"),
        (lambda: textured("torus", (3, 4, 5)), "height and width"),
        (lambda: textured("torus", 32, distance=(1, 3)), r"distance=\) takes a number from 1.1"),
        (lambda: textured("torus", 32, distance=5), r"distance=\) takes 2 numbers"),  # type: ignore[arg-type]
        (lambda: textured("torus", 32, distance=(5, 4)), "a smallest and a largest"),
        (lambda: textured("torus", 32, distance=(5, 6, 7)), "takes 2 numbers"),  # type: ignore[arg-type]
        (lambda: textured("torus", 32, elevation=(0, 91)), r"elevation=\) takes a number from -90"),
        (lambda: textured("torus", 32, azimuth=(0, float("nan"))), r"azimuth=\) takes 2 numbers"),
        (lambda: textured("torus", 32, azimuth=("0", 1)), r"azimuth=\) takes 2 numbers"),  # type: ignore[arg-type]
        (lambda: textured("torus", 32, angle=0), r"angle=\) takes a number from 0.1"),
        (lambda: textured("torus", 32, angle=170), r"angle=\) takes a number from 0.1"),
        (lambda: textured("torus", 32, background="grey"), r"background=\) takes a number"),  # type: ignore[arg-type]
        (lambda: textured("torus", 32, samples=0), r"samples=\) takes a whole number from 1 to 8"),
        (lambda: textured("torus", 32, samples=9), r"samples=\) takes a whole number from 1 to 8"),
        (lambda: textured("torus", 32, views=0), r"views=\) takes a whole number"),
        (lambda: textured("torus", 32).output_size((4, 8, 8)), "not clips or volumes"),
        (lambda: textured("torus", 32).apply(torch.rand(1, 3, 2, 8, 8), torch.zeros(1, 3)), "not clips or volumes"),
        (lambda: textured("torus", 32).show(torch.rand(2, 3, 8, 8)), "one texture"),
        (lambda: textured("torus", 32).show(torch.rand(8, 8)), "one texture"),
        (lambda: textured("torus", 32).show(torch.rand(3, 8, 8), []), "pairs of azimuth and elevation"),
        (lambda: textured("torus", 32).show(torch.rand(3, 8, 8), [(1, 2, 3)]), "pairs of azimuth"),  # type: ignore[list-item]
    ],
)
def test_what_does_not_fit_is_refused_with_what_to_write(make: Callable[[], object], words: str) -> None:
    with pytest.raises(BadInputError, match=words):
        make()


def test_a_folder_is_no_mesh(tmp_path: Path) -> None:
    folder = tmp_path / "a.obj"
    folder.mkdir()
    with pytest.raises(BadInputError, match="cannot be read: Is a directory"):
        textured(folder, 32)
