"""Galleries: whole layers as static pages, planned, rendered in batches that resume, and published."""

from __future__ import annotations

from typing import TYPE_CHECKING

from lucidtorch.base.lazy import lazily as _lazily

if TYPE_CHECKING:
    from lucidtorch.galleries.entry import Gallery, gallery
    from lucidtorch.galleries.site import LayerPage, Picture, Site, Unit, publish

# Where each name is defined; the module is imported when the name is first used.
_MODULES = {
    **dict.fromkeys(("Gallery", "gallery"), "entry"),
    **dict.fromkeys(("LayerPage", "Picture", "Site", "Unit", "publish"), "site"),
}

__all__ = ["Gallery", "LayerPage", "Picture", "Site", "Unit", "gallery", "publish"]

__getattr__ = _lazily(__name__, {name: f"{__name__}.{home}" for name, home in _MODULES.items()})
