"""Images to look at and to train on: the package's own drawings, digits and lines, and any folder of the user's.

Each of the four functions gives a `Collection`: `len(data)`, `data[i] -> (image [C, H, W] in [0, 1], class number)`,
`data.classes`, `data.batch(numbers)` and `data.save(folder)`. The networks that ship inside the package are trained by
`lucidtorch.datasets.training`.
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

_HOMES = {
    "Collection": "collection",
    "drawings": "drawn",
    "digits": "handwriting",
    "folder": "pictures",
    "lines": "ruled",
}

__all__ = ["Collection", "digits", "drawings", "folder", "lines"]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"lucidtorch.datasets.{_HOMES[name]}"), name)
