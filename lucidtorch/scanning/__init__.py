"""One pass over a set of images that records how every unit of some layers responds to them.

`scan` makes the pass and writes its result into a folder, `load_scan` opens the folder again; both give a `Scan`.
`right_answers` matches the classes of the data with those of a network, and `patch` cuts out of an image what a unit
sees of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from lucidtorch.base.lazy import lazily as _lazily

if TYPE_CHECKING:
    from lucidtorch.scanning.answers import right_answers
    from lucidtorch.scanning.entry import scan
    from lucidtorch.scanning.patches import patch
    from lucidtorch.scanning.result import Scan, load_scan

# Where each name is defined; the module is imported when the name is first used.
_MODULES = {"Scan": "result", "load_scan": "result", "patch": "patches", "right_answers": "answers", "scan": "entry"}

__all__ = ["Scan", "load_scan", "patch", "right_answers", "scan"]

__getattr__ = _lazily(__name__, {name: f"{__name__}.{home}" for name, home in _MODULES.items()})
