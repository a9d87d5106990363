"""Galleries: whole layers as static pages, planned, rendered in batches that resume, and published."""

from lucidtorch.galleries.entry import Gallery, gallery
from lucidtorch.galleries.site import LayerPage, Picture, Site, Unit, publish

__all__ = ["Gallery", "LayerPage", "Picture", "Site", "Unit", "gallery", "publish"]
