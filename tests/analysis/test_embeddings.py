from __future__ import annotations

import itertools
import math
import sys
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

from lucidtorch.analysis import neighbour_purity, on_grid, pca, trustworthiness, tsne, umap
from lucidtorch.analysis.embeddings import largest_perplexity, unit_square
from lucidtorch.base.errors import BadInputError

GROUPS, EACH, LENGTH = 3, 20, 12


def normal(*shape: int, seed: int = 0) -> Tensor:
    return torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


@pytest.fixture(scope="module")
def clusters() -> tuple[Tensor, Tensor]:
    """Gaussian clouds of deviation 1 with middles about 20 apart, and which cloud each vector is of."""
    labels = torch.arange(GROUPS).repeat_interleave(EACH)
    return normal(GROUPS * EACH, LENGTH) + 8 * normal(GROUPS, LENGTH, seed=1)[labels], labels


def naive_purity(places: Tensor, labels: Tensor, near: int) -> float:
    shares = []
    for one, place in enumerate(places):
        far = [(float((place - other).norm()), at) for at, other in enumerate(places) if at != one]
        shares += [float(labels[at] == labels[one]) for _, at in sorted(far)[:near]]
    return sum(shares) / len(shares)


def naive_trust(vectors: Tensor, places: Tensor, near: int) -> float:
    count, lost = len(vectors), 0
    for one in range(count):
        by_vector, by_place = (
            [at for at in torch.argsort((rows - rows[one]).norm(dim=1)).tolist() if at != one]
            for rows in (vectors, places)
        )
        lost += sum(max(0, by_vector.index(at) + 1 - near) for at in by_place[:near])
    return 1 - 2 / (count * near * (2 * count - 3 * near - 1)) * lost


@pytest.mark.parametrize("method", ["pca", "tsne", "umap"])
def test_what_is_apart_stays_apart(clusters: tuple[Tensor, Tensor], method: str) -> None:
    if method == "umap":
        pytest.importorskip("umap", reason="umap-learn is not installed")
    vectors, labels = clusters
    words: dict[str, Any] = {"pca": {}, "tsne": {"perplexity": 8, "iterations": 500}, "umap": {"neighbours": 8}}[method]
    make = {"pca": pca, "tsne": tsne, "umap": umap}[method]
    found = make(vectors, **words)
    assert found.places.shape == (len(vectors), 2)
    assert naive_purity(found.places, labels, 5) > 0.98
    assert naive_purity(found.places, labels, 40) < 0.6  # the rest of the map is of others
    again = make(vectors, **words)
    assert torch.equal(found.places, again.places)


def test_pca_is_the_shadow_in_which_the_vectors_differ_most() -> None:
    vectors = normal(40, 5) * torch.tensor([9.0, 4, 1, 1, 1])
    centred = vectors - vectors.mean(0)
    _, lengths, directions = torch.linalg.svd(centred, full_matrices=False)
    found = pca(vectors)
    torch.testing.assert_close(found.places.abs(), (centred @ directions[:2].T).abs())
    assert found.kept == pytest.approx(float((lengths[:2] ** 2).sum() / (lengths**2).sum()))
    assert (found.dimensions, found.loss) == (2, None)


def test_t_sne_looks_at_the_principal_components_alone(clusters: tuple[Tensor, Tensor]) -> None:
    vectors, _ = clusters
    few = tsne(vectors, perplexity=8, iterations=250, dimensions=2)
    shadow = tsne(pca(vectors).places, perplexity=8, iterations=250)
    torch.testing.assert_close(few.places.abs(), shadow.places.abs(), rtol=0.05, atol=0.5)
    assert (few.dimensions, shadow.kept) == (2, pytest.approx(1))
    assert few.loss is not None
    assert few.loss > 0


@settings(max_examples=15, deadline=None)
@given(st.integers(7, 20), st.integers(1, 3), st.integers(0, 99))
def test_measures_equal_their_formulas(count: int, near: int, seed: int) -> None:
    vectors, places = normal(count, 4, seed=seed), normal(count, 2, seed=seed + 1)
    labels = torch.randint(3, (count,), generator=torch.Generator().manual_seed(seed))
    assert trustworthiness(vectors, places, near) == pytest.approx(naive_trust(vectors, places, near))
    assert neighbour_purity(places, labels, near) == pytest.approx(naive_purity(places, labels, near))


def test_a_map_that_is_the_vectors_themselves_is_to_be_trusted() -> None:
    places = normal(30, 2)
    assert trustworthiness(places, 3 * places, 5) == 1
    mixed = places[torch.randperm(30, generator=torch.Generator().manual_seed(0))]
    assert trustworthiness(places, mixed, 5) < 0.8


def test_a_grid_has_a_cell_for_each_over_the_shortest_ways() -> None:
    places = normal(5, 2)
    cells = on_grid(places, 3)
    centres = [((column + 0.5) / 3, (row + 0.5) / 2) for row in range(2) for column in range(3)]
    square = unit_square(places).tolist()

    def way(order: tuple[int, ...]) -> float:
        return sum(math.dist(place, centres[cell]) ** 2 for place, cell in zip(square, order, strict=True))

    best = min(itertools.permutations(range(6), 5), key=way)
    assert [row * 3 + column for column, row in cells.tolist()] == list(best)


def test_places_on_a_grid_stay() -> None:
    grid = torch.cartesian_prod(torch.arange(4), torch.arange(3))
    assert torch.equal(on_grid(grid.double() * 7 - 2, 4), grid)


def test_a_map_is_stretched_to_the_square_and_a_line_stays_one() -> None:
    places = torch.tensor([[2.0, 5.0], [4.0, 5.0], [3.0, 5.0]])
    assert unit_square(places).tolist() == [[0, 0.5], [1, 0.5], [0.5, 0.5]]


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda: pca(normal(3, 5)), "at least 4 of at least 2 numbers, but \\[3, 5\\]"),
        (lambda: pca(normal(9, 1)), "\\[9, 1\\]"),
        (lambda: pca(normal(9, 2, 2)), "\\[9, 2, 2\\]"),
        (lambda: pca(torch.ones(9, 5)), "All vectors are the same"),
        (lambda: pca(normal(9, 2) / 0), "finite"),
        (lambda: pca(normal(9, 2), seed=-1), "from 0 to 4294967295, but -1"),
        (lambda: tsne(normal(9, 5)), "With 9 vectors the perplexity is from 1 to 2.667, but it is 30"),
        (lambda: tsne(normal(9, 5), perplexity=0.5), "0.5"),
        (lambda: tsne(normal(9, 5), perplexity=2, iterations=10), "from 250 to 1000000, but 10"),
        (lambda: tsne(normal(9, 5), perplexity=2, dimensions=1), "from 2, but 1"),
        (lambda: trustworthiness(normal(9, 5), normal(8, 2)), "9 vectors and 8 places"),
        (lambda: trustworthiness(normal(9, 5), normal(9, 2), 5), "less than 4.5, but 5"),
        (lambda: neighbour_purity(normal(9, 2), torch.zeros(8), 2), "9 vectors and labels \\[8\\]"),
        (lambda: neighbour_purity(normal(9, 2), torch.zeros(9), 9), "from 1 to 8, but 9"),
        (lambda: on_grid(normal(9, 2), 0), "from 1 to 65536, but 0"),
    ],
)
def test_what_does_not_fit_is_refused(call: Any, said: str) -> None:
    with pytest.raises(BadInputError, match=said):
        call()


def test_without_umap_it_is_said_how_to_get_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "umap", None)
    with pytest.raises(BadInputError, match=r"pip install 'lucidtorch\[umap\]'"):
        umap(normal(9, 5))


def test_umap_has_limits_too() -> None:
    pytest.importorskip("umap", reason="umap-learn is not installed")
    for words, said in (
        ({"neighbours": 9}, "2 to 8, but 9"),
        ({"neighbours": 3, "min_dist": 2}, "0 to 1, but 2"),
    ):
        with pytest.raises(BadInputError, match=said):
            umap(normal(9, 5), **words)


def test_the_largest_perplexity_is_a_third_of_the_others() -> None:
    assert largest_perplexity(91) == 30
