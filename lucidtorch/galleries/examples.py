"""The real images that a scan found for each unit, to stand beside pictures of the unit."""

from __future__ import annotations

import hashlib
import math
import warnings
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from torch import Tensor

from lucidtorch.base.errors import BadInputError, LucidtorchWarning, RecipeError
from lucidtorch.base.files import user_path
from lucidtorch.base.images import encode_png, read_png_text
from lucidtorch.base.known_files import recall, remember
from lucidtorch.base.trust import allow, check_read
from lucidtorch.datasets.named import FOLDER, TORCHVISION, DataName
from lucidtorch.galleries.aims import Aim, aim_of
from lucidtorch.galleries.beside import Beside, Reach, said_of
from lucidtorch.galleries.plan import slug
from lucidtorch.models.model import Model
from lucidtorch.objectives.algebra import Objective
from lucidtorch.runs.folder import write_file
from lucidtorch.scanning.patches import patch, strip
from lucidtorch.scanning.result import Scan, load_scan
from lucidtorch.scanning.source import Data, Source
from lucidtorch.scanning.state import SUMMARY

STRIPS = "examples"  # the folder in that of a gallery or a run in which the strips stand
MOST = 9  # images of one unit
MISSING = "The images that excite it are not shown: they are not where they were scanned, or are others now."
PROGRAMS = "The images that excite it are not shown: only the program that scanned them has them."
ScanLike: TypeAlias = Scan | str | Path
Inscribed: TypeAlias = Callable[[str], str]
"""Gives the text that a strip carries, from its path in the folder."""


@dataclass(frozen=True, eq=False)
class Examples:
    """The images of a scan, for the pictures of a network.

    Args:
        model: The network.
        scan: The scan of it.
        source: The images; None where they cannot be opened any more.
        checksum: Of the scan's summary, which names all that it holds.
    """

    model: Model
    scan: Scan
    source: Source | None
    checksum: str

    @classmethod
    def open(cls, scan: ScanLike, model: Model, data: Data | None = None, *, trust: bool = False) -> Examples:
        """Open a scan for the pictures of a network; a warning says where its images cannot be opened any more."""
        found = scan if isinstance(scan, Scan) else load_scan(scan)
        found.check(model)
        return cls(model, found, _opened(found, data, trust=trust), scan_checksum(found.folder))

    @property
    def data(self) -> str:
        """What the images are, in words, without a place on this machine."""
        count = f"{self.scan.done - len(self.scan.skipped):,}"
        return f"{count} {_sort_of(self.scan.data)}"

    @property
    def words(self) -> str:
        """What a page says of all its examples."""
        return (
            f"Real images stand with the pictures of single units: of {self.data} those that excite the unit most, or "
            f"least where the picture drives it down. What a picture reaches is the unit's value at its one highest "
            f"(or lowest) place, set against all places of all these images. The score is another number: it can be a "
            f"mean over places."
        )

    def aim(self, objective: Objective) -> Aim | None:
        """Find the unit that an objective is about, if the scan knows its layer."""
        found = aim_of(objective, self.model)
        layer = None if found is None else self._known(found.layer)
        return None if found is None or layer is None else Aim(layer, found.unit, found.down)

    def reach(self, aim: Aim, pictures: Sequence[Tensor]) -> Reach | None:
        """Measure a unit on pictures as the scan measured it on images."""
        try:
            values = [self.model.activations(one[None], aim.layer)[aim.layer][0, aim.unit] for one in pictures]
        except BadInputError:
            return None
        ends = [float(one.min() if aim.down else one.max()) for one in values]
        if not ends or not all(map(math.isfinite, ends)):
            return None
        return Reach(min(ends) if aim.down else max(ends), len(ends))

    def beside(self, aim: Aim, folder: Path, inscribed: Inscribed, pictures: Sequence[Tensor] = ()) -> Beside:
        """Put real images beside the picture of a unit."""
        found = self.scan[aim.layer]
        shown = (found.bottom(aim.unit) if aim.down else found.top(aim.unit))[:MOST]
        file = ""
        if self.source is not None and shown:
            file = _file(aim)
            if not stands(folder / file, inscribed(file)):
                image = strip([patch(self.source, found, one) for one in shown])
                write_file(folder, file, encode_png(image, inscribed(file), alpha=True))
        note = "" if self.source is not None else PROGRAMS if self.scan.data is None else MISSING
        return said_of(found, aim, self.reach(aim, pictures), file=file, count=MOST, data=self.data, note=note)

    def _known(self, layer: str) -> str | None:
        """The address of a layer as the scan has it, by whatever name it is called here."""
        table = self.model.layers
        if layer not in table:
            return None
        wanted = table.resolve(layer)
        return next((one for one in self.scan.layers if table.resolve(one) == wanted), None)


def scan_checksum(folder: Path) -> str:
    """Sum up a scan."""
    check_read(folder / SUMMARY)
    try:
        return hashlib.sha256((folder / SUMMARY).read_bytes()).hexdigest()
    except OSError as error:
        raise BadInputError(f"{folder} holds no scan; write one by datasets.scan(model, data, folder).") from error


def find_scan(named: str, base: Path, checksum: str | None = None) -> Path:
    """Find the scan that a recipe names: by its path, or where the user named the scan of that checksum before."""
    folder = base / user_path(named)
    known = recall(checksum)
    if isinstance(known, str) and not (folder.is_dir() and scan_checksum(folder) == checksum):
        folder = Path(known)
        allow(folder)
    remember(scan_checksum(folder), str(folder.resolve()))
    return folder


def stands(path: Path, text: str) -> bool:
    """Say whether a picture stands whole in its place and carries a text."""
    try:
        return read_png_text(path) == text
    except RecipeError:
        return False


def _opened(found: Scan, data: Data | None, *, trust: bool) -> Source | None:
    try:
        return found.open(data, trust=trust)
    except BadInputError as error:
        if data is not None:
            raise
        message = f"The real images cannot be shown beside the pictures: {error}"
        warnings.warn(message, LucidtorchWarning, stacklevel=2)
        return None


def _file(aim: Aim) -> str:
    return f"{STRIPS}/{slug(aim.layer)}/unit-{aim.unit:05d}{'-least' if aim.down else ''}.png"


def _sort_of(data: DataName | None) -> str:
    """Say what images are, without a place on this machine."""
    if isinstance(data, str):
        return f"images of {Path(data).name}"
    if not isinstance(data, Mapping):
        return "images"
    if TORCHVISION in data:
        return f"images of {data[TORCHVISION]}"
    return f"images of {Path(data[FOLDER]).name}" if FOLDER in data else str(next(iter(data)))
