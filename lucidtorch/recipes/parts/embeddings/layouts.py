"""A layer's vectors as a map: places, a grid, and how far the map can be believed."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import torch
from torch import Tensor

from lucidtorch.analysis.embeddings import (
    LARGEST_SEED,
    Embedding,
    largest_perplexity,
    neighbour_purity,
    on_grid,
    pca,
    trustworthiness,
    tsne,
    umap,
)
from lucidtorch.recipes.blame import blamed
from lucidtorch.recipes.parts.embeddings.features import columns_of

NEIGHBOURS = 10  # that the measures look at, fewer of few images
DIGITS = 5  # of the places, behind the point
OUTER = (0.02, 0.98)  # quantiles that most of a map lies between
MARGIN = 0.25  # of their span, that is left as it is beyond them
NAMES = {"tsne": "t-SNE", "umap": "UMAP", "pca": "PCA"}


@dataclass(frozen=True)
class Method:
    """How vectors become places.

    Args:
        name: ``tsne``, ``umap`` or ``pca``.
        options: Its numbers, by the names of the recipe's fields.
        seeds: By layer.
        threads: How many threads compute.
    """

    name: str
    options: Mapping[str, float]
    seeds: Mapping[str, int]
    threads: int

    @property
    def title(self) -> str:
        """As a page writes it."""
        return NAMES[self.name]

    def embedding(self, layer: str, vectors: Tensor) -> Embedding:
        """Lay out the vectors of a layer."""
        options, seed = self.options, self.seeds[layer] % (LARGEST_SEED + 1)
        if self.name == "pca":
            return pca(vectors, seed=seed, threads=self.threads)
        dimensions = int(options["pca"])
        if self.name == "umap":
            neighbours = min(int(options["neighbours"]), len(vectors) - 1)
            return umap(
                vectors,
                neighbours=neighbours,
                min_dist=options["min_dist"],
                dimensions=dimensions,
                seed=seed,
                threads=self.threads,
            )
        return tsne(
            vectors,
            perplexity=min(options["perplexity"], largest_perplexity(len(vectors))),
            iterations=int(options["iterations"]),
            dimensions=dimensions,
            seed=seed,
            threads=self.threads,
        )


@dataclass(frozen=True, eq=False)
class LaidOut:
    """The map of a layer.

    Args:
        layer: Its address.
        length: How many numbers each vector has.
        embedding: The map as it was found.
        places: `[N, 2]`: the same, moved and scaled evenly, with x and y (downwards) from 0 and
            the larger of the two to 1.
        cells: `[N, 2]`: the column and the row of each image on a grid.
        neighbours: How many nearest images the measures look at.
        trust: The trustworthiness.
        pure: The share of the nearest on the map that are of an image's class; None where there are no classes.
        pure_before: The same among the vectors.
        chance: The same if images lay anywhere.
    """

    layer: str
    length: int
    embedding: Embedding
    places: Tensor
    cells: Tensor
    neighbours: int
    trust: float
    pure: float | None = None
    pure_before: float | None = None
    chance: float | None = None


def laid_out(layer: str, method: Method, vectors: Tensor, labels: Tensor) -> LaidOut:
    """Make the map of a layer, and measure it."""
    with blamed("layers"):
        found = method.embedding(layer, vectors)
    count = len(vectors)
    near = min(NEIGHBOURS, (count - 1) // 2)
    known = labels >= 0
    pure = {}
    if int(known.sum()) > near and len(set(labels[known].tolist())) > 1:
        own = labels[known]
        shares = torch.bincount(own).double() / len(own)
        pure = {
            "pure": neighbour_purity(found.places[known], own, near),
            "pure_before": neighbour_purity(vectors[known], own, near),
            "chance": float((shares**2).sum()),
        }
    trust = trustworthiness(vectors, found.places, near)
    cells = on_grid(found.places, columns_of(count))
    places = _fitted(gathered(found.places) if method.name == "umap" else found.places)
    return LaidOut(layer, vectors.shape[1], found, places, cells, near, trust, **pure)


def gathered(places: Tensor) -> Tensor:
    """Draw closer what lies far from most of a map whose distances between groups mean nothing."""
    low, high = (torch.quantile(places, share, dim=0) for share in OUTER)
    room = (MARGIN * (high - low)).clamp(min=torch.finfo(places.dtype).tiny)
    return torch.maximum(torch.minimum(places, high + room), low - room) + room * (
        ((places - high - room).clamp(min=0) / room).log1p() - ((low - room - places).clamp(min=0) / room).log1p()
    )


def _fitted(places: Tensor) -> Tensor:
    """Move and scale a map evenly, so that its longer side is 1."""
    moved = places - places.min(0).values
    return (moved / moved.max().clamp(min=torch.finfo(moved.dtype).tiny)).round(decimals=DIGITS)
