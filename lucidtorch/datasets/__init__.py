"""Images to look at and to train on: the package's own drawings, digits and lines, and any folder of the user's.

`drawings`, `digits`, `lines` and `folder` each give a `Collection`: `len(data)`, `data[i] -> (image, class number)`
with an image `[C, H, W]` in [0, 1], `data.classes`, `data.batch(numbers)` and `data.save(folder)`. `scan` looks through
one of these, or any other set of images, and keeps what it does to each unit of a network; `load_scan` opens what it
found. The networks that ship inside the package are trained by `lucidtorch.datasets.training`.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from lucidtorch.datasets.collection import Collection
    from lucidtorch.datasets.drawn import drawings
    from lucidtorch.datasets.handwriting import digits
    from lucidtorch.datasets.pictures import folder
    from lucidtorch.datasets.ruled import lines
    from lucidtorch.datasets.scans.entry import scan
    from lucidtorch.datasets.scans.result import Scan, load_scan

_HOMES = {
    "Collection": "collection",
    "drawings": "drawn",
    "digits": "handwriting",
    "folder": "pictures",
    "lines": "ruled",
    "load_scan": "scans.result",
    "Scan": "scans.result",
    "scan": "scans.entry",
}

__all__ = ["Collection", "Scan", "digits", "drawings", "folder", "lines", "load_scan", "scan"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"lucidtorch.datasets.{_HOMES[name]}"), name)
