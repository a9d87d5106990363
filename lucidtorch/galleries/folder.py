"""The folder of a gallery: what its pictures are made with, and which batches of them are finished."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from lucidtorch.base.defaults import key_text
from lucidtorch.base.errors import BadInputError
from lucidtorch.base.records import WordsRecord, versions
from lucidtorch.base.registry import defined_by, follow_words
from lucidtorch.base.seeds import PICTURE_BITS, SEED_BITS
from lucidtorch.base.trust import following
from lucidtorch.galleries.plan import Batch, batch_of, slug
from lucidtorch.galleries.task import Craft
from lucidtorch.galleries.variants import VARIANTS, check_words
from lucidtorch.galleries.work import BATCHES, Record, is_finished, read_task
from lucidtorch.models.model import Model, default_layers
from lucidtorch.runs.folder import (
    GALLERY,
    GALLERY_FORMAT,
    GALLERY_RECORD,
    UNNAMED,
    checked_key,
    claim,
    read_json,
    write_file,
)

FORMAT_VERSION = 1
UNKNOWN = "unknown"  # the key where functions decide the pictures, which have no value to compare
PROVENANCE = "provenance.json"
PICTURE = re.compile(r"pictures/(?P<layer>[^/]+)/(?P<variant>[^/]+)/(?P<unit>\d{5,9})\.png")


@dataclass(frozen=True)
class GalleryFolder:
    """A folder that is, or becomes, that of a gallery.

    Args:
        path: The folder.
        model: The network.
        craft: How all pictures of the gallery are rendered.
        size: How many are computed together.
        seed: The seed of the gallery.
        bits: How large the seeds of pictures may be.
        layers: The layers that the gallery shows, in the order of the network.
        variants: What it shows of each unit, in the order in which that was asked for.
    """

    path: Path
    model: Model
    craft: Craft
    size: int
    seed: int
    bits: int
    layers: tuple[str, ...]
    variants: tuple[str, ...]

    @classmethod
    def claimed(
        cls, path: Path, model: Model, craft: Craft, size: int, seed: int, asked: Sequence[Batch]
    ) -> tuple[GalleryFolder, Path | None]:
        """Make a folder that of a gallery, or go on with the gallery of these settings that stands there."""
        layers = tuple(dict.fromkeys(batch.layer for batch in asked))
        variants = tuple(dict.fromkeys(batch.variant for batch in asked))
        own = cls(path, model, craft, size, seed, PICTURE_BITS, layers, variants)
        key, standing, before = own.key, GALLERY.key(path), read_json(path / GALLERY_RECORD)
        if standing == UNNAMED and key is not None:
            earlier = own.grown(_layers_of(model, path), VARIANTS, SEED_BITS)
            found = [batch for batch, _ in earlier.finished()]
            if found:  # made by these very settings
                own = own.grown([one.layer for one in found], [*variants, *(one.variant for one in found)], SEED_BITS)
                standing = key
                own.write_record()
        elif standing == key and key is not None:
            shown = _texts(before.get("variants"))
            _follow_variants(path, shown, before.get("defined_by", {}))
            own = own.grown(_texts(before.get("layers")), shown, before.get("seed_bits"))
        moved = claim(path, GALLERY, key)
        own.write_record()
        return own, moved

    @property
    def key(self) -> str | None:
        """A checksum of all that every picture of the gallery shares; None where a function decides them."""
        craft = self.craft
        texts_say_all = [one is None or one.is_text for one in (craft.param, craft.transforms)]
        if craft.network is None or not all(texts_say_all):
            return None
        said = (craft.param, craft.transforms, craft.schedule, craft.engine, craft.constraints)
        facts = {"network": craft.network, "texts": [key_text(one) for one in said], "threads": craft.threads}
        facts |= defined_by(*map(repr, said))
        return checked_key(facts | {"batch": self.size, "seed": self.seed, "versions": versions()})

    def grown(self, layers: Iterable[str], variants: Iterable[str], bits: Any) -> GalleryFolder:
        """Add what an earlier command asked for: it stands first."""
        known = [layer for layer in layers if layer in self.model.layers]
        every = default_layers(self.model, [*known, *self.layers])
        size = SEED_BITS if bits == SEED_BITS else PICTURE_BITS
        texts = tuple(dict.fromkeys([*variants, *self.variants]))
        return GalleryFolder(self.path, self.model, self.craft, self.size, self.seed, size, every, texts)

    def write_record(self) -> None:
        """Write what the folder holds, and where its network was loaded from."""
        record = {
            "format": GALLERY_FORMAT,
            "version": FORMAT_VERSION,
            "key": self.key or UNKNOWN,
            "seed_bits": self.bits,
            "layers": self.layers,
            "variants": self.variants,
            **defined_by(*self.variants),
        }
        write_file(self.path, GALLERY_RECORD, json.dumps(record, indent=1) + "\n")
        source = None if self.model.source is None else self.model.source.to_dict()
        write_file(self.path, PROVENANCE, json.dumps({"network": source}, indent=1) + "\n")

    def finished(self) -> Iterator[tuple[Batch, Record]]:
        """Go through the batches that are finished, whichever command made them."""
        for path in sorted((self.path / BATCHES).glob("*.json")):
            record = None if path.name.endswith(".beside.json") else read_task(path)
            batch = None if record is None else self._batch_of(record, path.stem)
            if record is not None and batch is not None and is_finished(record, batch.task(self.craft), self.path):
                yield batch, record

    def _batch_of(self, record: Record, stem: str) -> Batch | None:
        """Which batch a record is of, by the files of its pictures; None where nobody can say."""
        files = [one["file"] for one in record["pictures"]]
        found = [PICTURE.fullmatch(file) for file in files]
        matches = [match for match in found if match is not None]
        layers = {slug(layer): layer for layer in self.layers}
        variants = {slug(variant): variant for variant in self.variants}
        if not matches or len(matches) < len(found):
            return None
        layer, variant = layers.get(matches[0]["layer"]), variants.get(matches[0]["variant"])
        units = tuple(int(match["unit"]) for match in matches)
        if layer is None or variant is None:
            return None
        try:
            batch = batch_of(self.model, layer, variant, units, self.size, self.seed, self.bits, stem)
        except BadInputError:
            return None
        return batch if [batch.file(unit) for unit in units] == files else None


def _follow_variants(path: Path, variants: Sequence[str], recorded: Any) -> None:
    """Import the words of the variants that a gallery holds already, where that is allowed on its word."""
    record = WordsRecord.read({"defined_by": recorded}, f"The record of the gallery in {path}")
    with following(path / GALLERY_RECORD, path):
        follow_words(record.defined_by, path)
        for variant in variants:
            check_words(variant)


def _layers_of(model: Model, folder: Path) -> list[str]:
    """The layers that a gallery of version 0.1.0 may be of."""
    said = read_json(folder / "data.json").get("layers")
    named = [one.get("address") for one in said if isinstance(one, dict)] if isinstance(said, list) else []
    return [*_texts(named), *(name for name, record in model.layers.items() if record.channels)]


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
