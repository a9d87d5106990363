"""The site of a gallery: what it holds, and the static files that show it."""

from __future__ import annotations

import itertools
import json
import math
import re
import urllib.parse
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from pathlib import Path

import jinja2

from lucidtorch.base.errors import BadInputError
from lucidtorch.galleries.beside import Beside, RealImage
from lucidtorch.galleries.curve import plotted
from lucidtorch.galleries.look import asset_text, check_inside, page_environment, picture_sizes
from lucidtorch.runs.folder import GALLERY_DATA_FORMAT, write_file

FORMAT_VERSION = 1  # of data.json
UNITS_PER_PAGE = 512
STRIP_PICTURES = 12  # of one layer on the index
INDEX_PICTURES = 1800  # of all layers on the index together, about 400 bytes each, so that it stays below 1 MB
LONGEST_NAME = 100  # letters of a layer's address in a file name
ASSETS = {"gallery.css": ("look.css", "gallery.css"), "gallery.js": ("look.js", "gallery.js")}
RESERVED_NAMES = re.compile(r"(con|prn|aux|nul|com\d|lpt\d)(\..*)?", re.IGNORECASE)  # no files on Windows


@dataclass(frozen=True)
class Picture:
    """One picture of a unit, and how it came to be.

    Attributes:
        variant: What was asked for: ``channel``, ``negative``, ``diversity`` ...
        file: Path of the PNG inside the gallery folder, relative, with ``/``.
        objective: The objective's text.
        seed: The seed of this image.
        score: The objective's value on the final picture, or None.
        curve: The objective's value along the optimization, in equal strides from the first step to the last.
        dead: Whether nothing in the final picture reaches the unit.
        recipe: The text that makes the picture again, shown and copied as it is.
        note: A remark such as ``taken before the ReLU: conv3_1``, or empty.
        steps: The number of steps that `curve` spans; None leaves the numbers off its axis.
        beside: What real images say of the unit, or None.
    """

    variant: str
    file: str
    objective: str
    seed: int
    score: float | None
    curve: tuple[float, ...]
    dead: bool
    recipe: str
    note: str = ""
    steps: int | None = None
    beside: Beside | None = None


@dataclass(frozen=True)
class Unit:
    """A channel, neuron or logit with its pictures; the first one stands for it in grids.

    Attributes:
        index: Its number in the layer.
        label: Its name, such as a class, or None.
        pictures: Its pictures, in the order in which they are shown.
    """

    index: int
    label: str | None
    pictures: tuple[Picture, ...]

    @property
    def main(self) -> Picture | None:
        """The picture that stands for the unit in grids."""
        return self.pictures[0] if self.pictures else None

    @property
    def dead(self) -> bool:
        """Whether the unit's main picture reaches nothing in it."""
        return bool(self.pictures) and self.pictures[0].dead


@dataclass(frozen=True)
class LayerPage:
    """A layer and its units.

    Attributes:
        address: The layer's address in the network.
        kind: What it is, such as ``Conv2d``.
        shape: Its output's shape without the batch, or None where unknown.
        receptive_field: Its receptive field in words, or empty.
        units: Its units, in the order in which they are shown.
    """

    address: str
    kind: str
    shape: tuple[int, ...] | None
    receptive_field: str
    units: tuple[Unit, ...]


@dataclass(frozen=True)
class Site:
    """All that a gallery shows.

    Attributes:
        title: The heading of the index.
        model: The network's name.
        summary: Facts shown on the index, in this order: size, steps, versions ...
        layers: The layers, in the network's order.
        words: What is said of the real images beside the pictures; empty where there are none.
    """

    title: str
    model: str
    summary: Mapping[str, str]
    layers: tuple[LayerPage, ...]
    words: str = ""


def publish(site: Site, folder: Path) -> Path:
    """Write the pages of a gallery around its pictures; they open from ``file://`` in any browser, without a server.

    The same site and pictures give the same bytes. The index is written last, so that it never leads to a missing page.
    Written are ``index.html``, ``layers/NAME/index.html`` (then ``page-2.html`` ...), ``layers/NAME/unit-12.html``,
    ``assets/`` and ``data.json``, which `site_data` describes.

    Args:
        site: What to show.
        folder: The gallery folder; the pictures already lie in it.

    Returns:
        The path of ``index.html``.

    Raises:
        BadInputError: A layer lists a unit twice, or a picture's path leads out of the folder.
        ImageError: A picture is missing or cannot be read.
        OutputError: The folder cannot be written to.
    """
    _check(site)
    names = _folder_names([layer.address for layer in site.layers])
    environment = _environment(picture_sizes(_files(site), folder))
    for name, parts in ASSETS.items():
        write_file(folder, f"assets/{name}", asset_text(parts))
    write_file(folder, "assets/search.js", _search_data(site, names))
    for place in range(len(names)):
        _write_layer(site, names, place, environment, folder)
    write_file(folder, "data.json", site_data(site))
    strips = [_strip(layer, len(names)) for layer in site.layers]
    page = environment.get_template("index.html").render(site=site, names=names, strips=strips, root="")
    return write_file(folder, "index.html", page)


def site_data(site: Site) -> str:
    """Write a site as the JSON of ``data.json``.

    The document is an object with ``format`` (``lucidtorch-gallery``), ``version`` (1, raised when a key changes its
    meaning) and the fields of `Site`; below it stand the fields of `LayerPage`, `Unit` and `Picture`, of its `Beside`
    (or null) and of the `RealImage` in that, under their own names. Numbers that are not finite are ``null``.
    """
    document = {"format": GALLERY_DATA_FORMAT, "version": FORMAT_VERSION} | _plain(site)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"), allow_nan=False, default=_plain) + "\n"


def _plain(record: Site | LayerPage | Unit | Picture | Beside | RealImage) -> dict[str, object]:
    values: dict[str, object] = {field.name: getattr(record, field.name) for field in fields(record)}
    if isinstance(record, Picture):
        values["score"] = _finite(record.score)
        values["curve"] = [_finite(value) for value in record.curve]
    if isinstance(record, Site):
        values["summary"] = dict(record.summary)
    return values


def _finite(value: float | None) -> float | None:
    return value if value is not None and math.isfinite(value) else None


def _write_layer(site: Site, names: Sequence[str], place: int, environment: jinja2.Environment, folder: Path) -> None:
    layer = site.layers[place]
    shared = {"site": site, "layer": layer, "names": names, "place": place, "root": "../../"}
    page = environment.get_template("unit.html")
    for at, unit in enumerate(layer.units):
        before = layer.units[at - 1] if at else None
        after = layer.units[at + 1] if at + 1 < len(layer.units) else None
        home = _page_name(at // UNITS_PER_PAGE + 1)
        text = page.render(shared, unit=unit, before=before, after=after, home=home)
        write_file(folder, f"layers/{names[place]}/unit-{unit.index}.html", text)
    page = environment.get_template("layer.html")
    pages = max(1, math.ceil(len(layer.units) / UNITS_PER_PAGE))
    for number in range(1, pages + 1):
        units = layer.units[(number - 1) * UNITS_PER_PAGE : number * UNITS_PER_PAGE]
        text = page.render(shared, units=units, number=number, pages=pages)
        write_file(folder, f"layers/{names[place]}/{_page_name(number)}", text)


def _check(site: Site) -> None:
    for layer in site.layers:
        repeated = [index for index, count in Counter(unit.index for unit in layer.units).items() if count > 1]
        if repeated:
            raise BadInputError(f"The gallery lists unit {repeated[0]} of {layer.address} twice; list each unit once.")
    check_inside(_files(site), "the gallery")


def _files(site: Site) -> Iterator[str]:
    for picture in (picture for layer in site.layers for unit in layer.units for picture in unit.pictures):
        yield picture.file
        if picture.beside is not None and picture.beside.file:
            yield picture.beside.file


def _folder_names(addresses: Sequence[str]) -> list[str]:
    """Make file names of addresses: safe on every system, and different also where upper and lower case are one."""
    names: dict[str, str] = {}
    for address in addresses:
        stem = re.sub(r"[^A-Za-z0-9._-]+", "-", address)[:LONGEST_NAME].strip(".") or "layer"
        stem = f"layer-{stem}" if RESERVED_NAMES.fullmatch(stem) else stem
        candidates = (stem if count == 1 else f"{stem}-{count}" for count in itertools.count(1))
        name = next(name for name in candidates if name.lower() not in names)
        names[name.lower()] = name
    return list(names.values())


def _environment(sizes: Mapping[str, tuple[int, int]]) -> jinja2.Environment:
    environment = page_environment()
    environment.filters |= {"size": sizes.__getitem__, "curve": plotted}
    environment.globals["page_name"] = _page_name
    return environment


def _page_name(number: int) -> str:
    return "index.html" if number == 1 else f"page-{number}.html"


def _strip(layer: LayerPage, layers: int) -> list[Unit]:
    """Choose the units that stand for a layer on the index, live ones if there are any, evenly spread over it."""
    drawn = [unit for unit in layer.units if unit.main is not None]
    units = [unit for unit in drawn if not unit.dead] or drawn
    count = min(STRIP_PICTURES, INDEX_PICTURES // layers, len(units))
    return [units[place * len(units) // count] for place in range(count)]


def _search_data(site: Site, names: Sequence[str]) -> str:
    """Write what the search looks through, as a script: a page opened from a file may not fetch anything."""
    layers = [
        [layer.address, name, [_search_entry(unit) for unit in layer.units]]
        for layer, name in zip(site.layers, names, strict=True)
    ]
    return f"window.lucidtorchUnits = {json.dumps(layers, separators=(',', ':'))};\n"


def _search_entry(unit: Unit) -> list[int | str]:
    return [unit.index, unit.label or "", int(unit.dead), urllib.parse.quote(unit.main.file) if unit.main else ""]
