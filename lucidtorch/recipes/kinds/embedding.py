"""Maps of data: each image at a place, so that those that a layer sees alike stand together."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal, Self

from pydantic import Field, model_validator

from lucidtorch.analysis.embeddings import FEWEST, check_umap, largest_perplexity
from lucidtorch.recipes.blame import FieldError, blamed
from lucidtorch.recipes.functions import RecipeFunction
from lucidtorch.recipes.parts.embeddings.embedding_story import About, told
from lucidtorch.recipes.parts.embeddings.features import Chosen, looked_through
from lucidtorch.recipes.parts.embeddings.layouts import Method, laid_out
from lucidtorch.recipes.recipe import Layers
from lucidtorch.recipes.runs.desk import Desk
from lucidtorch.recipes.runs.kind import LookingKind
from lucidtorch.recipes.runs.planning import Plan
from lucidtorch.recipes.runs.stage import Stage
from lucidtorch.recipes.story import Story
from lucidtorch.recipes.supply import DataFields, Supply

MOST = 5000  # images of one map: beyond, the tables of all distances fill the memory
ROOM = 2400  # pixels on a side that the thumbnails of all images fill together
LARGEST_SHEET = 36_000_000  # pixels of the picture that holds the thumbnails of all images
LARGEST = 200_000_000  # numbers in the vectors of a layer, which are in the memory several times over
THUMBS = (32, 240)  # pixels on a side, of many and of few images
PLANE = 2
OWN: Mapping[str, tuple[str, ...]] = {  # the fields that a method has of its own
    "tsne": ("perplexity", "iterations", "pca"),
    "umap": ("neighbours", "min_dist", "pca"),
    "pca": (),
}
USUAL: Mapping[str, float] = {"perplexity": 30.0, "iterations": 1000, "pca": 50, "neighbours": 15, "min_dist": 0.1}


class Embedding(DataFields, LookingKind):
    """Maps of data.

    Attributes:
        layers: The layers whose activations are laid out, a map each.
        most: How many of the images are laid out at most.
        pool: How the activations of an image become one vector.
        method: How vectors become places.
        perplexity: About how many neighbours count, for t-SNE.
        iterations: How many steps t-SNE takes.
        neighbours: How many nearest images each is bound to, for UMAP.
        min_dist: How close UMAP may put images.
        pca: How many principal components the vectors are brought to first.
        thumb: The longer side of an image on the map.
    """

    summary: ClassVar[str] = (
        "A map of data for each layer (t-SNE, UMAP, PCA): images at their places, on a zoomable page."
    )
    packages: ClassVar[tuple[str, ...]] = ("scikit-learn", "scipy", "umap-learn")

    recipe: Literal["embedding"] = "embedding"
    layers: Layers = Field(description="The address of a layer, or several: a map of each.")
    most: int = Field(
        default=2000, ge=FEWEST, le=MOST, description="How many of the images are laid out, evenly spread over all."
    )
    pool: Literal["mean", "flat"] = Field(
        default="mean",
        description="How [C, H, W] becomes a vector: mean over the positions, or flat, every value on its own.",
    )
    method: Literal["tsne", "umap", "pca"] = Field(
        default="tsne", description="tsne, umap (needs lucidtorch[umap]) or pca."
    )
    perplexity: float | None = Field(
        default=None, ge=1, le=MOST, description="About how many neighbours count, for tsne; 30 if absent."
    )
    iterations: int | None = Field(
        default=None, ge=250, le=100_000, description="How many steps tsne takes; 1000 if absent."
    )
    neighbours: int | None = Field(
        default=None, ge=2, le=MOST, description="How many nearest images each is bound to, for umap; 15 if absent."
    )
    min_dist: float | None = Field(
        default=None, ge=0, le=1, description="How close images may come, for umap; 0.1 if absent."
    )
    pca: int | None = Field(
        default=None, ge=2, le=4096, description="Principal components that vectors are brought to first; 50 if absent."
    )
    thumb: int | None = Field(
        default=None, ge=8, le=512, description="The longer side of an image on the map, in pixels; fitting if absent."
    )

    @model_validator(mode="after")
    def _of_its_method(self) -> Self:
        for name in USUAL:
            if getattr(self, name) is not None and name not in OWN[self.method]:
                others = " or ".join(method for method, own in OWN.items() if name in own)
                raise FieldError(
                    (name,), f"It says nothing to {self.method}; leave it out, or write `method: {others}`."
                )
        return self

    def plan(self, stage: Stage) -> Plan:
        layers = stage.layers(self.layers)
        if self.method == "umap":
            with blamed("method"):
                check_umap()
        supply = Supply.of(stage, self)
        chosen = Chosen.of(supply.source, self.most, stage.seed("images"))
        own = self._own(len(chosen.numbers))
        self._check_layers(stage, supply, layers, len(chosen.numbers))
        thumb = self._thumb(len(chosen.numbers), supply.source.sides)
        seeds = {layer: stage.seed(layer, "embedding") for layer in layers}
        method = Method(self.method, own, seeds, self.threads)

        def tell(desk: Desk) -> Story:
            seen = looked_through(desk, stage.network, chosen, layers, self.pool, thumb)
            maps = []
            with desk.onlooker.counting("maps", len(layers)) as show:
                for layer in layers:
                    maps.append(laid_out(layer, method, seen.vectors[layer], seen.labels))
                    show(len(maps))
            return told(desk, About(stage.network.name, self.title, self.pool, method), seen, maps)

        fields = {"layers": layers, "thumb": thumb, **own, **supply.fields}
        return Plan((), tell, fields, sums=supply.sums)

    def _own(self, count: int) -> dict[str, float | int]:
        """What the fields of the method come to for a number of images."""
        if count < FEWEST:
            raise FieldError(("data",), f"A map needs {FEWEST} images at least, and there are {count}.")
        said = {name: getattr(self, name) for name in OWN[self.method]}
        found = {name: USUAL[name] if value is None else value for name, value in said.items()}
        limits = {"perplexity": largest_perplexity(count), "neighbours": count - 1}
        for name, limit in limits.items():
            if name in found and said[name] is None:
                found[name] = min(found[name], limit)
            elif found.get(name, 0) > limit:
                raise FieldError(
                    (name,), f"With {count} images it is at most {limit:.4g}, but {found[name]} was given."
                )
        return found

    def _check_layers(self, stage: Stage, supply: Supply, layers: tuple[str, ...], count: int) -> None:
        """Refuse layers whose vectors are too short for a map or too long for the memory."""
        with blamed("size"):
            table = stage.network.layers_at(supply.source.sides)
            shapes = {layer: table[layer].shape or () for layer in layers}
        for layer, shape in shapes.items():
            length = math.prod(shape) if self.pool == "flat" else (*shape, 0)[0]
            if length < PLANE:
                key = ("layers",) if isinstance(self.layers, str) else ("layers", self.layers.index(layer))
                raise FieldError(
                    key, f"{layer!r} gives too few numbers per image ({length}); a map needs two at least."
                )
            if length * count > LARGEST:
                raise FieldError(
                    ("pool",),
                    f"{layer!r} gives {length} numbers for each of {count} images, {length * count / LARGEST:.1f} "
                    "times what fits; write `pool: mean`, or a lower `most`.",
                )

    def _thumb(self, count: int, sides: tuple[int, int]) -> int:
        """The longer side of a thumbnail: all of them fill a sheet of one size, and none is larger than its image."""
        low, high = THUMBS
        fitting = max(low, min(high, ROOM // math.ceil(math.sqrt(count))))
        found = min(fitting if self.thumb is None else self.thumb, max(sides))
        if count * found * found > LARGEST_SHEET:
            limit = math.isqrt(LARGEST_SHEET // count)
            raise FieldError(("thumb",), f"Of {count} images it is at most {limit}, but {found} was given.")
        return found


embedding = RecipeFunction(Embedding)
