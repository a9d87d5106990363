"""Images to look at and to train on: the package's own drawings, digits and lines, and any folder of the user's.

`drawings`, `digits`, `lines` and `folder` each give a `Collection`: `len(data)`, `data[i] -> (image, class number)`
with an image `[C, H, W]` in [0, 1], `data.classes`, `data.batch(numbers)` and `data.save(folder)`. `scan` makes one
pass over these or any other set of images and keeps the strongest and weakest responses of each unit of a network;
`load_scan` opens the result again. Both are defined in `lucidtorch.scanning`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lucidtorch.base.lazy import lazily as _lazily

if TYPE_CHECKING:
    from lucidtorch.datasets.collection import Collection
    from lucidtorch.datasets.drawn import drawings
    from lucidtorch.datasets.handwriting import digits
    from lucidtorch.datasets.pictures import folder
    from lucidtorch.datasets.ruled import lines
    from lucidtorch.scanning import Scan, load_scan, scan

# Where each name is defined; the module is imported when the name is first used.
_MODULES = {
    "Collection": "datasets.collection",
    "Scan": "scanning",
    "digits": "datasets.handwriting",
    "drawings": "datasets.drawn",
    "folder": "datasets.pictures",
    "lines": "datasets.ruled",
    "load_scan": "scanning",
    "scan": "scanning",
}

__all__ = ["Collection", "Scan", "digits", "drawings", "folder", "lines", "load_scan", "scan"]

__getattr__ = _lazily(__name__, {name: f"lucidtorch.{home}" for name, home in _MODULES.items()})
